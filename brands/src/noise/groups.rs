//! Exact and near copies, grouped under the first text seen: a group is that text's hash, so that
//! whoever sees the same texts in whatever order puts exact copies into the same group.
//!
//! The last `texts` distinct texts are remembered, first in first out. A near copy is looked up by
//! sixteen keys of four sketch places each (locality-sensitive hashing: Leskovec, Rajaraman and
//! Ullman, "Mining of Massive Datasets", 3.4): two texts of similarity 0.7 share a key with a
//! probability of 0.99. Each key remembers its newest text only, so a lookup costs at most sixteen
//! comparisons whatever the stream holds. Beside the text lies a part of its key: whose key merely
//! fell into the same place of the table is told without a look at its text.

use std::collections::HashMap;

use serde::Serialize;

use super::fingerprint::{Fingerprint, ORDERINGS, agreeing, mix};

const KEYS: usize = 16;
const PLACES: usize = ORDERINGS / KEYS;
/// A place in a key table holds a sequence number below, and above it a part of the key: a lookup
/// then fetches the text only where the whole key is very likely the same.
const SEQ_BITS: u32 = 40;
const SEQ_MASK: u64 = (1 << SEQ_BITS) - 1;
const EMPTY: u64 = u64::MAX;

/// A mention's part in its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The first with this text.
    Original,
    /// A repost of a remembered text.
    Repost,
    /// The same words.
    Copy,
    /// Nearly the same words.
    NearCopy,
}

/// Where a mention belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Placement {
    /// Hash of the mention's own words.
    pub text: u64,
    /// Hash of the words of the group's first text.
    pub group: u64,
    /// The mention's part.
    pub role: Role,
    /// Mentions placed in the group so far, with this one.
    pub members: u64,
    /// Of them reposts.
    pub reposts: u64,
}

/// A mention as it is placed.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'f> {
    /// Which mention.
    pub id: u128,
    /// What stays of its text.
    pub fingerprint: &'f Fingerprint,
    /// Whether it says that it repeats another.
    pub repost: bool,
    /// Whether it was placed before, with this text or another: such a one is not counted again.
    pub again: bool,
    /// The group that it was given before a restart.
    pub group: Option<u64>,
}

#[derive(Debug, Clone)]
struct Entry {
    exact: u64,
    group: u64,
    /// The first mention with this text.
    first: u128,
    sketch: Option<Box<[u16; ORDERINGS]>>,
}

/// Where a key lies in its table, and the part of it that is kept there.
#[derive(Debug, Clone, Copy)]
struct Key {
    place: usize,
    rest: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Count {
    members: u64,
    reposts: u64,
    /// Remembered texts of the group; at zero the group is forgotten.
    texts: u64,
}

/// The remembered texts.
#[derive(Debug)]
pub struct Groups {
    /// Entry of sequence number `n` lies at `n % texts`.
    entries: Vec<Entry>,
    texts: usize,
    next: u64,
    /// Places in which near copies agree, at least.
    agree: usize,
    by_exact: HashMap<u64, u64>,
    /// For each key a table of sequence numbers, each beside a part of the key.
    by_key: Vec<u64>,
    slots: usize,
    counts: HashMap<u64, Count>,
}

impl Groups {
    /// Remembers `texts` distinct texts; near copies agree in `similarity` of their sketch.
    pub fn new(texts: usize, similarity: f64) -> Self {
        let texts = texts.clamp(1, 10_000_000);
        let slots = texts.next_power_of_two();
        Self {
            entries: Vec::new(),
            texts,
            next: 0,
            agree: places(similarity),
            by_exact: HashMap::new(),
            by_key: vec![EMPTY; slots * KEYS],
            slots,
            counts: HashMap::new(),
        }
    }

    /// Places the next mention.
    pub fn place(&mut self, arrival: Arrival<'_>) -> Placement {
        let Arrival { id, fingerprint, repost, again, group } = arrival;
        let text = fingerprint.exact;
        let known = self.by_exact.get(&text).and_then(|seq| self.entry(*seq));
        let exact = known.map(|entry| (entry.group, entry.first));
        let sketch = fingerprint.sketch.as_deref();
        let near =
            if exact.is_none() { sketch.and_then(|sketch| self.nearest(sketch)) } else { None };
        let role = match (exact, near) {
            (None, None) => Role::Original,
            (Some((_, first)), _) if first == id => Role::Original,
            _ if repost => Role::Repost,
            (Some(_), _) => Role::Copy,
            (None, Some(_)) => Role::NearCopy,
        };
        let group = exact.map(|(group, _)| group).or(group).or(near).unwrap_or(text);
        if exact.is_none() {
            let sketch = fingerprint.sketch.clone();
            self.remember(Entry { exact: text, group, first: id, sketch });
        }
        let count = self.counts.entry(group).or_default();
        count.members += u64::from(!again);
        count.reposts += u64::from(repost && !again);
        Placement { text, group, role, members: count.members, reposts: count.reposts }
    }

    fn entry(&self, seq: u64) -> Option<&Entry> {
        // What lies further back than `texts` has been overwritten.
        let live = seq < self.next && self.next - seq <= self.texts as u64;
        if live { self.entries.get(self.slot(seq)) } else { None }
    }

    fn slot(&self, seq: u64) -> usize {
        index(seq % self.texts as u64)
    }

    /// The group of the most similar remembered text; of equals the newest.
    fn nearest(&self, sketch: &[u16; ORDERINGS]) -> Option<u64> {
        // All places are read before any text is, so that the reads wait for memory together.
        let found = self.keys(sketch).map(|key| (key, self.by_key[key.place]));
        let mut best: Option<(usize, u64, u64)> = None;
        let mut compared = EMPTY;
        for (key, newest) in found {
            let seq = newest & SEQ_MASK;
            if newest >> SEQ_BITS != key.rest || seq == compared {
                continue;
            }
            compared = seq;
            let Some(entry) = self.entry(seq) else { continue };
            let Some(other) = entry.sketch.as_deref() else { continue };
            let alike = agreeing(sketch, other);
            if alike >= self.agree
                && best.is_none_or(|(most, newest, _)| (alike, seq) > (most, newest))
            {
                best = Some((alike, seq, entry.group));
            }
        }
        best.map(|(.., group)| group)
    }

    fn keys(&self, sketch: &[u16; ORDERINGS]) -> [Key; KEYS] {
        std::array::from_fn(|table| {
            let places = &sketch[table * PLACES..(table + 1) * PLACES];
            let packed =
                places.iter().fold(0_u64, |packed, place| packed << 16 | u64::from(*place));
            let mixed = mix(packed);
            let place = table * self.slots + index(mixed & (self.slots as u64 - 1));
            Key { place, rest: mixed >> SEQ_BITS }
        })
    }

    fn remember(&mut self, entry: Entry) {
        let seq = self.next;
        self.next += 1;
        let slot = self.slot(seq);
        let keys = entry.sketch.as_deref().map(|sketch| self.keys(sketch));
        for key in keys.into_iter().flatten() {
            self.by_key[key.place] = key.rest << SEQ_BITS | (seq & SEQ_MASK);
        }
        self.counts.entry(entry.group).or_default().texts += 1;
        self.by_exact.insert(entry.exact, seq);
        if let Some(place) = self.entries.get_mut(slot) {
            let old = std::mem::replace(place, entry);
            self.forget(&old, seq - self.texts as u64);
        } else {
            self.entries.push(entry);
        }
    }

    fn forget(&mut self, old: &Entry, seq: u64) {
        if self.by_exact.get(&old.exact) == Some(&seq) {
            self.by_exact.remove(&old.exact);
        }
        if let Some(count) = self.counts.get_mut(&old.group) {
            count.texts -= 1;
            if count.texts == 0 {
                self.counts.remove(&old.group);
            }
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.entries.capacity() * (size_of::<Entry>() + ORDERINGS * size_of::<u16>())
            + self.by_key.capacity() * size_of::<u64>()
            + self.by_exact.capacity() * size_of::<(u64, u64)>()
            + self.counts.capacity() * size_of::<(u64, Count)>()
    }
}

/// The fewest places of a sketch that make at least this part of it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the product lies between 0 and ORDERINGS"
)]
fn places(similarity: f64) -> usize {
    (similarity.clamp(0.0, 1.0) * ORDERINGS as f64).ceil() as usize
}

/// A number below a table's length as an index of it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "tables are indexed by usize, so their lengths fit"
)]
const fn index(below_length: u64) -> usize {
    below_length as usize
}
