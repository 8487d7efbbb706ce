//! Versions of aggregate rows: of two recomputations of a bucket, the later one must win.

use std::collections::HashMap;

/// Recomputations that one offset leaves room for, before they run into the next one's.
const PER_OFFSET: u64 = 1 << 16;

/// The last version used, by raw partition.
///
/// A version is the last raw offset seen, times 65536, plus a count. Led by the offset, because a
/// writer that lost a partition and does not know it yet has seen less than its successor will: its
/// late rows lose. Never the same twice, because a statement that timed out may still run, and an
/// old event (a dead letter put back) changes buckets without raising the offset.
#[derive(Debug, Default)]
pub(crate) struct Versions(HashMap<u16, u64>);

impl Versions {
    /// Goes on from the versions that the store holds.
    pub(crate) fn new(stored: impl Iterator<Item = (u16, u64)>) -> Self {
        Self(stored.collect())
    }

    /// The version for rows of `partition`, of which `offset` is the last that this batch holds.
    pub(crate) fn next(&mut self, partition: u16, offset: u64) -> u64 {
        let led_by_offset = offset.saturating_mul(PER_OFFSET);
        let last = self.0.entry(partition).or_default();
        *last = led_by_offset.max(last.saturating_add(1));
        *last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_event_put_back_still_gets_a_higher_version() {
        let mut versions = Versions::new([(3, 500 * PER_OFFSET)].into_iter());
        let retried = versions.next(3, 120);
        assert_eq!(retried, 500 * PER_OFFSET + 1);
        assert!(versions.next(3, 120) > retried);
        assert_eq!(versions.next(3, 501), 501 * PER_OFFSET);
    }

    #[test]
    fn partitions_count_apart() {
        let mut versions = Versions::default();
        versions.next(0, 9);
        assert_eq!(versions.next(1, 2), 2 * PER_OFFSET);
    }
}
