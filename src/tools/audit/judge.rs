//! What became of every raw event of one partition. Pure.

use std::collections::HashMap;

use echolot_schemas::MentionId;
use echolot_sink::State;

use super::log::{DeadPositions, Kind, PartitionLog};

/// Raw events by what became of them, and the positions of those that got lost.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Judged {
    pub(super) events: u64,
    pub(super) stored: u64,
    pub(super) superseded: u64,
    pub(super) unmatched: u64,
    pub(super) dead_lettered: u64,
    pub(super) deleted: u64,
    pub(super) lost: Vec<Lost>,
    /// Mentions that the store shows and the log does not know.
    pub(super) unexplained: Vec<MentionId>,
}

/// A raw event that is neither stored nor otherwise accounted for.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Lost {
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) mention: Option<MentionId>,
    pub(super) why: &'static str,
}

/// What the store holds of a mention: the raw offset of its state, and the state.
type Stored = (i64, State);

impl Judged {
    pub(super) fn of(
        log: &PartitionLog,
        dead: &DeadPositions,
        mut stored: HashMap<MentionId, Stored>,
    ) -> Self {
        let mut judged = Self::default();
        for offset in &log.keyless {
            judged.events += 1;
            if dead.holds(log.partition, *offset) {
                judged.dead_lettered += 1;
            } else {
                judged.lose(log.partition, *offset, None, "no mention id, and no dead letter");
            }
        }
        for (id, events) in &log.events {
            judged.mention(log, dead, *id, events, stored.remove(id));
        }
        let live = |(id, (_, state)): (MentionId, Stored)| (state == State::Live).then_some(id);
        judged.unexplained.extend(stored.into_iter().filter_map(live));
        judged
    }

    /// Judges the events of one mention, oldest first.
    fn mention(
        &mut self,
        log: &PartitionLog,
        dead: &DeadPositions,
        id: MentionId,
        events: &[(i64, Kind)],
        stored: Option<Stored>,
    ) {
        self.events += events.len() as u64;
        // One that was put back and stored is dead no more, though its letter stays on the topic.
        let is_dead = |offset: i64| {
            dead.holds(log.partition, offset) && stored.is_none_or(|(at, _)| at != offset)
        };
        let died = events.iter().filter(|(offset, _)| is_dead(*offset)).count();
        self.dead_lettered += died as u64;
        let took_effect: Vec<(i64, Kind)> =
            events.iter().copied().filter(|(offset, _)| !is_dead(*offset)).collect();
        let Some((last, _)) = took_effect.last().copied() else { return };
        let rest = took_effect.len() as u64;
        if let Some(deletion) = took_effect.iter().position(|(_, kind)| *kind == Kind::Deleted) {
            // The first deletion is the last word, whatever comes after it.
            let after = rest - deletion as u64;
            self.superseded += deletion as u64;
            if let Some((_, State::Erased)) = stored {
                self.deleted += after;
            } else {
                self.deleted += after - 1;
                let offset = took_effect[deletion].0;
                self.lose(log.partition, offset, Some(id), "deletion not in the store");
            }
            return;
        }
        self.superseded += rest - 1;
        match stored {
            // A newer state came in after this audit took its picture of the log.
            Some((offset, _)) if offset > last => self.superseded += 1,
            Some((offset, State::Live)) if offset == last => self.stored += 1,
            Some((_, State::Live)) if log.unmatched.contains(&last) => {
                self.lose(log.partition, last, Some(id), "stored, though about no brand any more");
            }
            _ if log.unmatched.contains(&last) => self.unmatched += 1,
            Some((_, State::Live)) => {
                self.lose(log.partition, last, Some(id), "the store shows an older state");
            }
            _ => self.lose(log.partition, last, Some(id), "not in the store"),
        }
    }

    fn lose(&mut self, partition: i32, offset: i64, mention: Option<MentionId>, why: &'static str) {
        self.lost.push(Lost { partition, offset, mention, why });
    }
}

#[cfg(test)]
mod tests {
    use echolot_schemas::SourceName;

    use super::*;

    fn id(native: &str) -> MentionId {
        MentionId::derive(&SourceName::new("forum").unwrap(), native)
    }

    fn log(events: &[(&str, i64, Kind)]) -> PartitionLog {
        let mut log = PartitionLog::default();
        for (native, offset, kind) in events {
            log.events.entry(id(native)).or_default().push((*offset, *kind));
        }
        log
    }

    fn judged(log: &PartitionLog, stored: &[(&str, i64, State)]) -> Judged {
        let stored = stored.iter().map(|(native, offset, state)| (id(native), (*offset, *state)));
        let judged = Judged::of(log, &DeadPositions::default(), stored.collect());
        let accounted = judged.stored
            + judged.superseded
            + judged.unmatched
            + judged.dead_lettered
            + judged.deleted
            + judged.lost.len() as u64;
        assert_eq!(judged.events, accounted, "the conservation law");
        judged
    }

    #[test]
    fn the_last_state_is_stored_and_the_others_are_superseded() {
        let log = log(&[("a", 1, Kind::Observed), ("a", 5, Kind::Observed)]);
        let judged = judged(&log, &[("a", 5, State::Live)]);
        assert_eq!((judged.stored, judged.superseded, judged.lost.len()), (1, 1, 0));
    }

    #[test]
    fn an_older_state_in_the_store_means_a_lost_event() {
        let log = log(&[("a", 1, Kind::Observed), ("a", 5, Kind::Observed)]);
        let judged = judged(&log, &[("a", 1, State::Live)]);
        assert_eq!(judged.lost[0].offset, 5);
    }

    #[test]
    fn a_mention_seen_again_after_its_deletion_stays_deleted() {
        let log =
            log(&[("a", 1, Kind::Observed), ("a", 2, Kind::Deleted), ("a", 3, Kind::Observed)]);
        assert_eq!(judged(&log, &[("a", 2, State::Erased)]).deleted, 2);
        assert_eq!(judged(&log, &[("a", 3, State::Live)]).lost.len(), 1, "resurrected");
    }

    #[test]
    fn a_mention_about_no_brand_may_be_absent_but_not_shown() {
        let mut log = log(&[("a", 1, Kind::Observed)]);
        log.unmatched.insert(1);
        assert_eq!(judged(&log, &[]).unmatched, 1);
        assert_eq!(judged(&log, &[("a", 1, State::Unmatched)]).unmatched, 1);
        assert_eq!(judged(&log, &[("a", 0, State::Live)]).lost.len(), 1);
    }

    #[test]
    fn a_dead_letter_that_was_put_back_and_stored_counts_as_stored() {
        let log = log(&[("a", 1, Kind::Observed), ("b", 2, Kind::Observed)]);
        let mut dead = DeadPositions::default();
        dead.insert(0, 1);
        dead.insert(0, 2);
        let stored = HashMap::from([(id("a"), (1, State::Live))]);
        let judged = Judged::of(&log, &dead, stored);
        assert_eq!((judged.stored, judged.dead_lettered, judged.lost.len()), (1, 1, 0));
    }

    #[test]
    fn an_unreadable_record_that_is_no_dead_letter_is_lost() {
        let log = PartitionLog { keyless: vec![7], ..PartitionLog::default() };
        assert_eq!(judged(&log, &[]).lost[0].offset, 7);
    }

    #[test]
    fn a_mention_that_no_event_explains_is_told() {
        assert_eq!(judged(&log(&[]), &[("a", 1, State::Live)]).unexplained, [id("a")]);
    }
}
