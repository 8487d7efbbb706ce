//! The ledger of one assigned partition: what was delivered and what is settled.
//!
//! An offset is charged on delivery and settled in any order; what may be committed is the
//! contiguous frontier. A ledger lives as long as its assignment and no longer.

use std::collections::VecDeque;

use echolot_schemas::Timestamp;

/// Offsets delivered and not yet settled, in order.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    open: VecDeque<Entry>,
    unsettled: usize,
    bytes: usize,
    frontier: Option<i64>,
    committed: Option<i64>,
    last_settled: Option<Timestamp>,
}

#[derive(Debug)]
struct Entry {
    offset: i64,
    bytes: usize,
    written_at: Timestamp,
    settled: bool,
}

impl Ledger {
    /// Notes a delivery. Offsets of one partition rise; one that does not (the broker delivered it
    /// again after a seek) is already accounted for and is refused.
    pub(crate) fn charge(&mut self, offset: i64, bytes: usize, written_at: Timestamp) -> bool {
        let last = self.open.back().map(|entry| entry.offset);
        let known = last.or(self.frontier.map(|frontier| frontier - 1));
        if known.is_some_and(|known| offset <= known) {
            return false;
        }
        self.open.push_back(Entry { offset, bytes, written_at, settled: false });
        self.unsettled += 1;
        self.bytes += bytes;
        true
    }

    /// Notes that everything about a delivery took effect. Settling twice changes nothing.
    pub(crate) fn settle(&mut self, offset: i64) {
        let Ok(index) = self.open.binary_search_by_key(&offset, |entry| entry.offset) else {
            return;
        };
        let entry = &mut self.open[index];
        if entry.settled {
            return;
        }
        entry.settled = true;
        self.unsettled -= 1;
        self.bytes -= entry.bytes;
        while self.open.front().is_some_and(|entry| entry.settled) {
            if let Some(entry) = self.open.pop_front() {
                self.frontier = Some(entry.offset + 1);
                self.last_settled = Some(entry.written_at);
            }
        }
    }

    /// The next offset to read after a restart, when it moved since [`Ledger::mark_committed`].
    pub(crate) fn to_commit(&self) -> Option<i64> {
        self.frontier.filter(|_| self.frontier != self.committed)
    }

    /// The next offset to read after a restart, if anything was settled at all.
    pub(crate) fn frontier(&self) -> Option<i64> {
        self.frontier
    }

    /// Everything up to the frontier has been handed to the broker.
    pub(crate) fn mark_committed(&mut self) {
        self.committed = self.frontier;
    }

    /// When the oldest open delivery was written to the topic; with none open and `more` to come,
    /// when the last settled one was.
    pub(crate) fn oldest(&self, more: bool) -> Option<Timestamp> {
        let open = self.open.front().map(|entry| entry.written_at);
        open.or(self.last_settled.filter(|_| more))
    }

    /// Deliveries not yet settled.
    pub(crate) fn unsettled(&self) -> usize {
        self.unsettled
    }

    /// Payload bytes not yet settled.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn charged(offsets: &[i64]) -> Ledger {
        let mut ledger = Ledger::default();
        for offset in offsets {
            assert!(ledger.charge(*offset, 1, Timestamp::default()));
        }
        ledger
    }

    #[test]
    fn out_of_order_completion_does_not_move_the_frontier() {
        let mut ledger = charged(&[5, 6, 7]);
        ledger.settle(6);
        ledger.settle(7);
        assert_eq!(ledger.to_commit(), None);
        ledger.settle(5);
        assert_eq!(ledger.to_commit(), Some(8));
    }

    #[test]
    fn gaps_left_by_compaction_are_no_hindrance() {
        let mut ledger = charged(&[3, 90, 91]);
        ledger.settle(3);
        assert_eq!(ledger.to_commit(), Some(4));
        ledger.settle(90);
        assert_eq!(ledger.to_commit(), Some(91));
    }

    #[test]
    fn a_frontier_is_committed_once() {
        let mut ledger = charged(&[1]);
        ledger.settle(1);
        ledger.mark_committed();
        assert_eq!(ledger.to_commit(), None);
    }

    #[test]
    fn a_second_delivery_of_the_same_offset_is_refused() {
        let mut ledger = charged(&[1, 2]);
        assert!(!ledger.charge(2, 1, Timestamp::default()));
        ledger.settle(1);
        ledger.settle(2);
        assert!(!ledger.charge(2, 1, Timestamp::default()), "settled before");
        assert_eq!((ledger.unsettled(), ledger.bytes()), (0, 0));
    }

    proptest! {
        /// Whatever the order of completion, the frontier is the first offset not settled.
        #[test]
        fn the_frontier_never_passes_an_open_delivery(
            offsets in prop::collection::btree_set(0_i64..200, 1..60),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..120),
        ) {
            let all: Vec<i64> = offsets.iter().copied().collect();
            let mut ledger = charged(&all);
            let mut open: BTreeSet<i64> = offsets.clone();
            for index in order {
                let offset = all[index.index(all.len())];
                ledger.settle(offset);
                open.remove(&offset);
                let first_open = open.first().copied();
                match (ledger.to_commit(), first_open) {
                    (Some(frontier), Some(first)) => prop_assert!(frontier <= first),
                    (Some(frontier), None) => prop_assert_eq!(frontier, all[all.len() - 1] + 1),
                    (None, Some(first)) => prop_assert_eq!(first, all[0]),
                    (None, None) => prop_assert!(false, "all settled, yet no frontier"),
                }
                prop_assert_eq!(ledger.unsettled(), open.len());
            }
        }
    }
}
