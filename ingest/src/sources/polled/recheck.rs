//! What is looked at again: platforms that tell neither of edits nor of deletions are asked about
//! what they said before, often at first and ever more rarely.

use std::{collections::BTreeMap, time::Duration};

use echolot_schemas::Timestamp;
use serde::{Deserialize, Serialize};

/// Shortest and longest time between two looks at the same item.
const SOONEST: i64 = 30 * 60 * 1000;
const LATEST: i64 = 24 * 60 * 60 * 1000;

/// Items by native id, part of a source's cursor: a restart forgets none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Recheck(BTreeMap<String, Due>);

/// Published, and next to be looked at: milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Due(i64, i64);

impl Recheck {
    /// Adds an item. Of more than `most` the oldest are left out; tells how many those are.
    pub(crate) fn add(
        &mut self,
        id: &str,
        published: Timestamp,
        now: Timestamp,
        most: usize,
    ) -> u64 {
        let published = published.as_millis();
        let due = Due(published, next(published, now.as_millis()));
        self.0.entry(id.to_owned()).or_insert(due);
        let mut left_out = 0;
        while self.0.len() > most {
            let oldest = self.0.iter().min_by_key(|(_, due)| due.0).map(|(id, _)| id.clone());
            let Some(oldest) = oldest else { break };
            self.0.remove(&oldest);
            left_out += 1;
        }
        left_out
    }

    /// At most `most` items whose time has come, the longest due first.
    pub(crate) fn due(&self, now: Timestamp, most: usize) -> Vec<String> {
        let mut due: Vec<_> = self.0.iter().filter(|(_, due)| due.1 <= now.as_millis()).collect();
        due.sort_by_key(|(id, due)| (due.1, (*id).clone()));
        due.into_iter().take(most).map(|(id, _)| id.clone()).collect()
    }

    /// When an item was published, if it is still looked at.
    pub(crate) fn published(&self, id: &str) -> Option<Timestamp> {
        self.0.get(id).map(|due| Timestamp::from_millis(due.0))
    }

    /// An item was looked at and is there. It is dropped once it is older than `keep`.
    pub(crate) fn looked_at(&mut self, id: &str, now: Timestamp, keep: Duration) {
        let Some(due) = self.0.get_mut(id) else { return };
        due.1 = next(due.0, now.as_millis());
        if now.as_millis() - due.0 > i64::try_from(keep.as_millis()).unwrap_or(i64::MAX) {
            self.0.remove(id);
        }
    }

    /// An item is gone; it is not looked at any more.
    pub(crate) fn gone(&mut self, id: &str) {
        self.0.remove(id);
    }

    /// Number of items.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// After half of its age again: half an hour at first, daily in the end.
fn next(published: i64, now: i64) -> i64 {
    now + ((now - published) / 2).clamp(SOONEST, LATEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn an_item_is_looked_at_often_at_first_and_dropped_in_the_end() {
        let mut recheck = Recheck::default();
        let keep = Duration::from_hours(72);
        assert_eq!(recheck.add("a", at(0), at(0), 10), 0);
        let mut looks = Vec::new();
        for half_hour in 0..200 {
            let now = at(half_hour * HOUR / 2);
            for id in recheck.due(now, 10) {
                looks.push(half_hour);
                recheck.looked_at(&id, now, keep);
            }
        }
        assert_eq!(looks, [1, 2, 3, 5, 8, 12, 18, 27, 41, 62, 93, 140, 188]);
        assert_eq!(recheck.len(), 0);
    }

    #[test]
    fn past_the_bound_the_oldest_is_left_out_and_counted() {
        let mut recheck = Recheck::default();
        assert_eq!(recheck.add("old", at(1), at(5), 2), 0);
        assert_eq!(recheck.add("new", at(3), at(5), 2), 0);
        assert_eq!(recheck.add("newer", at(4), at(5), 2), 1);
        assert_eq!(recheck.published("old"), None);
        assert_eq!(recheck.published("new"), Some(at(3)));
    }

    #[test]
    fn the_longest_due_comes_first_and_only_as_many_as_asked_for() {
        let mut recheck = Recheck::default();
        for (id, time) in [("b", 2), ("a", 1), ("c", 3)] {
            recheck.add(id, at(time), at(time), 9);
        }
        assert_eq!(recheck.due(at(HOUR), 2), ["a", "b"]);
        assert_eq!(recheck.due(at(0), 2), Vec::<String>::new());
    }
}
