//! Which mentions may have been seen before: a scalable Bloom filter (Almeida et al., "Scalable
//! Bloom Filters", Information Processing Letters 101, 2007) within a fixed amount of memory.
//!
//! It only ever saves look-ups. A false positive costs one; there are no false negatives, so no
//! mention is ever stored a second time for lack of memory.

use bytesize::ByteSize;
use echolot_schemas::MentionId;
use fastbloom::BloomFilter;

/// With 8 hashes: one new mention in 1,700 is looked up needlessly.
const BITS_PER_MENTION: usize = 16;
const HASHES: u32 = 8;
/// 512 KiB: below it a layer is not worth its own probe.
const SMALLEST_LAYER: usize = 256 * 1024;
const WORD_BITS: usize = 64;

/// The mentions seen on the partitions owned now.
pub(crate) struct Sightings {
    layers: Vec<Layer>,
    /// Bits that may still be taken.
    spare_bits: usize,
}

struct Layer {
    filter: BloomFilter,
    capacity: usize,
    seen: usize,
}

impl Layer {
    fn new(bits: usize) -> Self {
        let filter = BloomFilter::with_num_bits(bits).hashes(HASHES);
        Self { filter, capacity: bits / BITS_PER_MENTION, seen: 0 }
    }
}

impl Sightings {
    /// An empty memory that is right for `expected` mentions and grows up to `memory`.
    pub(crate) fn new(expected: usize, memory: ByteSize) -> Self {
        let bytes = usize::try_from(memory.as_u64()).unwrap_or(usize::MAX / 8);
        let mut sightings = Self { layers: Vec::new(), spare_bits: (bytes * 8).max(WORD_BITS) };
        // A quarter more, so that the first batches after a start do not open a layer at once.
        sightings.grow(expected.saturating_add(expected / 4));
        sightings
    }

    fn grow(&mut self, mentions: usize) {
        let wanted = mentions.max(SMALLEST_LAYER).saturating_mul(BITS_PER_MENTION);
        let bits = wanted.min(self.spare_bits);
        self.spare_bits -= bits;
        self.layers.push(Layer::new(bits));
    }

    /// True when the mention was seen, or, rarely, when it was not.
    pub(crate) fn may_contain(&self, id: MentionId) -> bool {
        // The newest layer holds the mentions most often seen again.
        self.layers.iter().rev().any(|layer| layer.filter.contains(&key(id)))
    }

    /// Remembers a mention.
    pub(crate) fn insert(&mut self, id: MentionId) {
        self.insert_key(key(id));
    }

    /// Remembers a mention by [`KEY_SQL`] of its id.
    pub(crate) fn insert_key(&mut self, key: u64) {
        if let Some(last) = self.layers.last()
            && last.seen >= last.capacity
            // A layer smaller than a word would hold nothing.
            && self.spare_bits >= WORD_BITS
        {
            // By half, not twofold: little of the memory lies idle, for a probe or two more.
            self.grow(last.capacity + last.capacity / 2);
        }
        if let Some(last) = self.layers.last_mut()
            && !last.filter.insert(&key)
        {
            last.seen += 1;
        }
    }

    /// Bytes taken.
    pub(crate) fn memory(&self) -> usize {
        self.layers.iter().map(|layer| layer.filter.num_bits() / 8).sum()
    }
}

/// [`key`] of the column `id`, so that half as much is read when loading.
pub(crate) const KEY_SQL: &str = "toUInt64(reinterpretAsUInt128(id))";

/// A UUIDv5's upper half: 60 bits of SHA-1.
fn key(id: MentionId) -> u64 {
    id.as_uuid().as_u64_pair().0
}

#[cfg(test)]
mod tests {
    use echolot_schemas::SourceName;
    use proptest::prelude::*;

    use super::*;

    fn mention(n: usize) -> MentionId {
        MentionId::derive(&SourceName::new("forum").unwrap(), &n.to_string())
    }

    fn false_positives(sightings: &Sightings, unseen: std::ops::Range<usize>) -> f64 {
        let total = unseen.len();
        unseen.filter(|&n| sightings.may_contain(mention(n))).count() as f64 / total as f64
    }

    #[test]
    fn a_filter_that_grew_still_tells_new_mentions_from_seen_ones() {
        let mut sightings = Sightings::new(0, ByteSize::mib(64));
        (0..600_000).for_each(|n| sightings.insert(mention(n)));
        assert!((0..600_000).all(|n| sightings.may_contain(mention(n))));
        assert!(false_positives(&sightings, 600_000..700_000) < 0.002);
    }

    #[test]
    fn past_its_memory_it_asks_more_often_and_forgets_nothing() {
        let memory = ByteSize::kib(64);
        let mut sightings = Sightings::new(1_000_000, memory);
        (0..100_000).for_each(|n| sightings.insert(mention(n)));
        assert!((0..100_000).all(|n| sightings.may_contain(mention(n))));
        assert!(sightings.memory() as u64 <= memory.as_u64());
        assert!(false_positives(&sightings, 100_000..110_000) > 0.01);
    }

    proptest! {
        #[test]
        fn what_was_seen_is_always_found(seen in prop::collection::vec(any::<u128>(), 0..500)) {
            let mut sightings = Sightings::new(0, ByteSize::kib(64));
            let ids: Vec<MentionId> =
                seen.iter().map(|&n| uuid::Uuid::from_u128(n).into()).collect();
            for &id in &ids {
                sightings.insert(id);
            }
            prop_assert!(ids.iter().all(|&id| sightings.may_contain(id)));
        }
    }
}
