//! What a batch of events makes of the mentions it is about. Pure: no store, no clock.
//!
//! ```text
//!  stored? ──┬─ no ──▶ (nothing) ──enriched──▶ live ◀──enriched── unmatched
//!            │             │                    │ └──unmatched──────▲
//!            └─ yes ─▶ its state                │
//!                          └──────erased──────▶ erased, for ever
//! ```
//!
//! Three laws, whatever the order of delivery and wherever a process dies:
//!
//! * The sort time of a mention is the `published_at` of the first enriched event of it in the log
//!   (or, where a deletion came first, when that was observed), and never changes. It depends on
//!   the log alone, so two writers that see the same log agree on it.
//! * A state is replaced only by one from a later raw event, or by the same event once more.
//! * Nothing follows an erasure, and an erasure counts even when it comes late.

use std::collections::{BTreeSet, HashMap};

use echolot_pipeline::stage::{Dropped, Item, Rejection, Verdict};
use echolot_schemas::{EnrichedEvent, MentionId, Timestamp, dead_letter::Reason};

use crate::bucket::Bucket;

/// What the store holds of a mention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Its sort time.
    pub(crate) published_at: Timestamp,
    /// The raw event of its state.
    pub(crate) raw_offset: i64,
    /// True when it was erased.
    pub(crate) erased: bool,
}

/// What the store holds of the mentions in a batch; those never seen are absent.
pub(crate) type History = HashMap<MentionId, Stored>;

/// A row to write: the state after one of the batch's items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Index into the batch.
    pub(crate) item: usize,
    /// The mention's sort time.
    pub(crate) published_at: Timestamp,
    /// The row's version.
    pub(crate) raw_offset: i64,
}

/// What follows from a batch.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    /// One for each item.
    pub(crate) verdicts: Vec<Verdict<()>>,
    /// At most one for each mention.
    pub(crate) changes: Vec<Change>,
    /// Buckets that may have changed, now or by an earlier delivery of these items whose
    /// recomputation never happened.
    pub(crate) buckets: BTreeSet<Bucket>,
}

/// A mention while its events are gone through.
struct Track {
    state: Stored,
    /// The item whose state is to be written.
    change: Option<usize>,
}

/// Goes through the batch in order.
pub(crate) fn fold(batch: &[Item<EnrichedEvent>], history: &History) -> Outcome {
    let mut verdicts = Vec::with_capacity(batch.len());
    let mut tracks: HashMap<MentionId, Track> = HashMap::with_capacity(batch.len());
    for (index, item) in batch.iter().enumerate() {
        if let Err(rejection) = admit(item) {
            verdicts.push(Verdict::Reject(rejection));
            continue;
        }
        let id = item.event.mention_id();
        if !tracks.contains_key(&id)
            && let Some(&state) = history.get(&id)
        {
            tracks.insert(id, Track { state, change: None });
        }
        let track = tracks.get_mut(&id);
        match next(&item.event, track.as_deref().map(|track| track.state)) {
            Err(dropped) => verdicts.push(Verdict::Drop(dropped)),
            Ok(state) => {
                verdicts.push(Verdict::Emit(()));
                let track = match track {
                    Some(track) => track,
                    None => tracks.entry(id).or_insert(Track { state, change: None }),
                };
                track.state = state;
                if let Some(earlier) = track.change.replace(index) {
                    verdicts[earlier] = Verdict::Drop(Dropped::Superseded);
                }
            }
        }
    }
    let buckets = tracks.values().map(|track| Bucket::of(track.state.published_at)).collect();
    let changes = tracks
        .into_values()
        .filter_map(|Track { state, change }| {
            change.map(|item| Change {
                item,
                published_at: state.published_at,
                raw_offset: state.raw_offset,
            })
        })
        .collect();
    Outcome { verdicts, changes, buckets }
}

/// The state after `event`, or why it changes nothing.
fn next(event: &EnrichedEvent, before: Option<Stored>) -> Result<Stored, Dropped> {
    let raw_offset = event.raw().offset;
    match (event, before) {
        (EnrichedEvent::Unmatched(_), None) => Err(Dropped::Unmatched),
        (EnrichedEvent::Enriched(enriched), None) => {
            let published_at = enriched.mention.published_at;
            Ok(Stored { published_at, raw_offset, erased: false })
        }
        (EnrichedEvent::Erased(erased), None) => {
            Ok(Stored { published_at: erased.observed_at, raw_offset, erased: true })
        }
        // The same erasure, delivered again: its row may be missing only if it was never stored,
        // but writing it again is harmless and its buckets may be behind.
        (EnrichedEvent::Erased(_), Some(before)) if before.erased => {
            match raw_offset.cmp(&before.raw_offset) {
                std::cmp::Ordering::Less => Err(Dropped::Superseded),
                std::cmp::Ordering::Equal => Ok(before),
                std::cmp::Ordering::Greater => Err(Dropped::Deleted),
            }
        }
        // A dead letter that is retried comes after its successors. To win, its row takes their
        // version: of equal ones the last written counts.
        (EnrichedEvent::Erased(_), Some(before)) => {
            Ok(Stored { raw_offset: raw_offset.max(before.raw_offset), erased: true, ..before })
        }
        (_, Some(before)) if raw_offset < before.raw_offset => Err(Dropped::Superseded),
        (_, Some(before)) if before.erased => Err(Dropped::Deleted),
        // Equal offsets go through: a new model scored the same raw event again.
        (_, Some(before)) => Ok(Stored { raw_offset, ..before }),
    }
}

/// Buckets are kept per raw partition and each is written by its one owner, so a record of another
/// partition would be counted by nobody or by two.
fn admit(item: &Item<EnrichedEvent>) -> Result<(), Rejection> {
    let raw = item.event.raw();
    let detail = if raw.partition != item.position.partition {
        format!(
            "it comes from raw partition {} but stands on partition {}; the topics need the same \
             number of partitions, and only enrich may write here",
            raw.partition, item.position.partition
        )
    } else if u16::try_from(raw.partition).is_err() || raw.offset < 0 {
        format!("raw position {}/{} is impossible", raw.partition, raw.offset)
    } else {
        return Ok(());
    };
    Err(Rejection { reason: Reason::Invalid, detail })
}

#[cfg(test)]
mod tests {
    use echolot_schemas::{RawPosition, SourceName, enriched::Retracted};
    use proptest::prelude::*;

    use super::*;

    fn retracted(mention: u8, offset: i64) -> Retracted {
        let source = SourceName::new("forum").unwrap();
        Retracted {
            raw: RawPosition { partition: 0, offset },
            observed_at: Timestamp::from_millis(1_780_315_200_000 + offset),
            id: MentionId::derive(&source, &mention.to_string()),
            source,
        }
    }

    fn item(event: EnrichedEvent) -> Item<EnrichedEvent> {
        let position = event.raw();
        Item { event, position }
    }

    /// What the store holds after the batch.
    fn store(batch: &[Item<EnrichedEvent>], history: &mut History) {
        for change in fold(batch, history).changes {
            let event = &batch[change.item].event;
            let stored = Stored {
                published_at: change.published_at,
                raw_offset: change.raw_offset,
                erased: matches!(event, EnrichedEvent::Erased(_)),
            };
            history.insert(event.mention_id(), stored);
        }
    }

    #[test]
    fn an_impossible_position_is_rejected_and_names_itself() {
        let mut negative = item(EnrichedEvent::Erased(retracted(1, -5)));
        negative.position.offset = 0;
        let outcome = fold(&[negative], &History::new());
        assert!(matches!(&outcome.verdicts[..], [Verdict::Reject(r)] if r.detail.contains("0/-5")));
        assert_eq!(outcome.changes, []);
    }

    proptest! {
        #[test]
        fn the_cuts_of_a_log_do_not_matter(
            kinds in prop::collection::vec((0..4_u8, any::<bool>()), 0..40),
            cut in 1..7_usize,
        ) {
            let log: Vec<_> = (0..)
                .zip(kinds)
                .map(|(offset, (mention, erased))| {
                    let retracted = retracted(mention, offset);
                    item(if erased {
                        EnrichedEvent::Erased(retracted)
                    } else {
                        EnrichedEvent::Unmatched(retracted)
                    })
                })
                .collect();
            let (mut whole, mut cuts) = (History::new(), History::new());
            store(&log, &mut whole);
            log.chunks(cut).for_each(|batch| store(batch, &mut cuts));
            prop_assert_eq!(&whole, &cuts);
            // Delivered once more from the start, nothing changes.
            log.chunks(cut).for_each(|batch| store(batch, &mut cuts));
            prop_assert_eq!(whole, cuts);
        }

        #[test]
        fn every_item_has_a_verdict_and_every_mention_at_most_one_row(
            mentions in prop::collection::vec(0..5_u8, 0..40),
        ) {
            let log: Vec<_> = (0..)
                .zip(mentions)
                .map(|(offset, mention)| item(EnrichedEvent::Erased(retracted(mention, offset))))
                .collect();
            let outcome = fold(&log, &History::new());
            prop_assert_eq!(outcome.verdicts.len(), log.len());
            let mut changed: Vec<_> =
                outcome.changes.iter().map(|c| log[c.item].event.mention_id()).collect();
            let total = changed.len();
            changed.sort_unstable();
            changed.dedup();
            prop_assert_eq!(changed.len(), total);
            // Exactly the emitted items are written.
            let emitted = outcome.verdicts.iter().filter(|v| **v == Verdict::Emit(())).count();
            prop_assert_eq!(emitted, total);
        }
    }
}
