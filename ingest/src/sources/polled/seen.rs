//! Which items of a newest-first list were handed on.

use std::collections::BTreeSet;

use echolot_schemas::Timestamp;
use serde::{Deserialize, Serialize};

/// Most items remembered by name; below them all, the time alone decides.
const NAMED: usize = 300;

/// The newest items of a list by time and id, and a time up to which every item was handed on.
///
/// Lists are not strictly ordered: what a moderator lets pass late appears among older items. The
/// names tell such items from those that were seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// Milliseconds; items up to here count as seen.
    floor: i64,
    #[serde(default)]
    named: BTreeSet<(i64, String)>,
}

impl Seen {
    /// Everything up to `floor` counts as seen.
    pub(crate) fn up_to(floor: Timestamp) -> Self {
        Self { floor: floor.as_millis(), named: BTreeSet::new() }
    }

    /// True for an item that was not handed on. One that comes back with another time is new: lists
    /// by time of change bring edits so.
    pub(crate) fn is_new(&self, at: Timestamp, id: &str) -> bool {
        at.as_millis() > self.floor && !self.named.contains(&(at.as_millis(), id.to_owned()))
    }

    /// Remembers an item.
    pub(crate) fn note(&mut self, at: Timestamp, id: &str) {
        if !self.is_new(at, id) {
            return;
        }
        self.named.insert((at.as_millis(), id.to_owned()));
        while self.named.len() > NAMED {
            if let Some((oldest, _)) = self.named.pop_first() {
                self.floor = self.floor.max(oldest);
            }
        }
    }

    /// Time of the newest item handed on.
    pub(crate) fn newest(&self) -> Timestamp {
        Timestamp::from_millis(self.named.last().map_or(self.floor, |(at, _)| *at))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn an_item_that_appears_late_among_seen_ones_is_new() {
        let mut seen = Seen::up_to(at(10));
        seen.note(at(20), "a");
        seen.note(at(40), "b");
        assert!(seen.is_new(at(30), "late"));
        assert!(!seen.is_new(at(40), "b"));
        assert!(seen.is_new(at(50), "b"), "the same item, changed since");
        assert!(!seen.is_new(at(10), "before the beginning"));
    }

    proptest! {
        #[test]
        fn what_was_noted_is_never_new_again_and_memory_is_bounded(
            items in prop::collection::vec((0_i64..5000, 0_u32..50), 0..1200),
        ) {
            let mut seen = Seen::up_to(at(0));
            for (time, id) in &items {
                seen.note(at(*time), &id.to_string());
                prop_assert!(!seen.is_new(at(*time), &id.to_string()));
            }
            for (time, id) in &items {
                prop_assert!(!seen.is_new(at(*time), &id.to_string()));
            }
            prop_assert!(seen.named.len() <= NAMED);
        }
    }
}
