//! Where each mention is: a look at three places that do not know of each other, the store, the topic
//! of enriched events and that of dead letters. Pure.

use std::collections::{HashMap, HashSet};

use echolot_schemas::{EventType, MentionId, codec, dead_letter::header, topics};
use serde::Deserialize;

use crate::{law::Account, log::Record};

/// A place on the raw topic.
type Place = (i32, i64);

/// A mention as the store has it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: MentionId,
    state: String,
    raw_partition: i32,
    raw_offset: i64,
}

/// Where the mentions of a pipeline are.
pub(crate) struct Places {
    /// Raw events by mention, in log order; true for a deletion.
    events: HashMap<MentionId, Vec<(Place, bool)>>,
    unmatched: HashSet<Place>,
    dead: HashSet<Place>,
    pub(crate) rows: HashMap<MentionId, Row>,
    pub(crate) shown: HashMap<MentionId, u64>,
}

impl Places {
    pub(crate) fn of(raw: &[Record]) -> Self {
        let mut events = HashMap::<_, Vec<_>>::new();
        for record in raw {
            let deletion =
                record.header(codec::header::TYPE) == Some(EventType::MentionDeleted.as_str());
            if let Some(id) = record.mention() {
                let place = (record.position.partition, record.position.offset);
                events.entry(id).or_default().push((place, deletion));
            }
        }
        Self {
            events,
            unmatched: HashSet::new(),
            dead: HashSet::new(),
            rows: HashMap::new(),
            shown: HashMap::new(),
        }
    }

    pub(crate) fn unmatched(&mut self, enriched: &[Record]) {
        let unmatched = EventType::MentionUnmatched.as_str();
        let of_type = |record: &&Record| record.header(codec::header::TYPE) == Some(unmatched);
        self.unmatched.extend(enriched.iter().filter(of_type).filter_map(raw_place));
    }

    pub(crate) fn dead<'a>(&mut self, letters: impl Iterator<Item = &'a Record>) {
        let place = |letter: &Record| match letter.header(header::TOPIC)? {
            topic if topic == topics::RAW.name => Some((
                letter.header(header::PARTITION)?.parse().ok()?,
                letter.header(header::OFFSET)?.parse().ok()?,
            )),
            _ => raw_place(letter),
        };
        self.dead.extend(letters.filter_map(place));
    }

    /// Puts one acknowledged mention into the account.
    pub(crate) fn settle(&self, id: MentionId, account: &mut Account) {
        account.acknowledged += 1;
        let events = self.events.get(&id).map_or(&[][..], Vec::as_slice);
        let living: Vec<_> =
            events.iter().filter(|(place, _)| !self.dead.contains(place)).collect();
        let row = self.rows.get(&id);
        let shown = self.shown.get(&id).copied().unwrap_or_default();
        let last = living.last().map(|(place, _)| *place);
        let was_deleted = living.iter().any(|(_, deletion)| *deletion);

        let is_stored = shown > 0;
        let is_deleted = row.is_some_and(|row| row.state == "erased");
        let is_unmatched =
            !was_deleted && !is_stored && last.is_some_and(|place| self.unmatched.contains(&place));
        let is_dead = !events.is_empty() && living.is_empty();
        let fate = [is_stored, is_deleted, is_unmatched, is_dead];
        match fate.iter().filter(|is| **is).count() {
            0 => account.lost.push(id),
            1 if shown > 1 => account.doubled.push(id),
            1 if is_stored && (was_deleted || row.map(place) != last) => account.lost.push(id),
            1 if is_deleted && !was_deleted => account.lost.push(id),
            1 => {
                account.stored += usize::from(is_stored);
                account.deleted += usize::from(is_deleted);
                account.unmatched += usize::from(is_unmatched);
                account.dead_lettered += usize::from(is_dead);
            }
            _ => account.doubled.push(id),
        }
    }
}

fn place(row: &Row) -> Place {
    (row.raw_partition, row.raw_offset)
}

/// The raw event that an enriched one was made of.
fn raw_place(record: &Record) -> Option<Place> {
    let (partition, offset) = record.header(codec::header::ID)?.split_once('/')?;
    Some((partition.parse().ok()?, offset.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use echolot_schemas::SourceName;

    use super::*;

    fn id() -> MentionId {
        MentionId::derive(&SourceName::new("forum").unwrap(), "1")
    }

    /// A mention observed at offset 1, with a row of that state when there is one.
    fn places(state: Option<&str>) -> Places {
        let row = |state: &str| Row {
            id: id(),
            state: state.to_owned(),
            raw_partition: 0,
            raw_offset: 1,
        };
        Places {
            events: HashMap::from([(id(), vec![((0, 1), false)])]),
            unmatched: HashSet::new(),
            dead: HashSet::new(),
            rows: state.map(|state| (id(), row(state))).into_iter().collect(),
            shown: HashMap::new(),
        }
    }

    fn account(places: &Places) -> Account {
        let mut account = Account::default();
        places.settle(id(), &mut account);
        account
    }

    #[test]
    fn a_mention_that_is_nowhere_is_lost() {
        assert_eq!(account(&places(None)).lost, [id()]);
        assert!(!account(&places(None)).holds());
    }

    #[test]
    fn a_mention_that_is_shown_once_is_stored_and_twice_is_doubled() {
        let mut found = places(Some("live"));
        found.shown.insert(id(), 1);
        assert_eq!((account(&found).stored, account(&found).holds()), (1, true));
        found.shown.insert(id(), 2);
        assert_eq!(account(&found).doubled, [id()]);
    }

    #[test]
    fn a_mention_that_is_both_shown_and_dead_is_doubled() {
        let mut found = places(Some("live"));
        found.shown.insert(id(), 1);
        found.dead.insert((0, 1));
        assert_eq!(account(&found).doubled, [id()]);
    }

    #[test]
    fn a_mention_shown_in_an_older_state_has_lost_the_newer_one() {
        let mut found = places(Some("live"));
        found.shown.insert(id(), 1);
        found.events.insert(id(), vec![((0, 1), false), ((0, 2), false)]);
        assert_eq!(account(&found).lost, [id()]);
        found.dead.insert((0, 2));
        assert_eq!(account(&found).stored, 1);
    }

    #[test]
    fn a_mention_that_is_shown_after_its_deletion_is_told() {
        let mut found = places(Some("live"));
        found.shown.insert(id(), 1);
        found.events.insert(id(), vec![((0, 0), true), ((0, 1), false)]);
        assert_eq!(account(&found).lost, [id()]);
    }

    #[test]
    fn an_erased_row_without_a_deletion_is_told() {
        assert_eq!(account(&places(Some("erased"))).lost, [id()]);
    }

    #[test]
    fn a_dead_letter_and_an_unmatched_mention_are_accounted_for() {
        let mut dead = places(None);
        dead.dead.insert((0, 1));
        assert_eq!(account(&dead).dead_lettered, 1);
        let mut unmatched = places(None);
        unmatched.unmatched.insert((0, 1));
        assert_eq!(account(&unmatched).unmatched, 1);
    }
}
