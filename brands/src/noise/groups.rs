//! Exact and near copies, grouped under the first one seen.
//!
//! The last `texts` distinct texts are remembered, first in first out. A near copy is looked up by
//! sixteen keys of four sketch places each (locality-sensitive hashing: Leskovec, Rajaraman and
//! Ullman, "Mining of Massive Datasets", 3.4): two texts of similarity 0.7 share a key with a
//! probability of 0.99. Each key remembers its newest text only, so a lookup costs sixteen
//! comparisons whatever the stream holds.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::fingerprint::{Fingerprint, ORDERINGS, mix, similarity};

const KEYS: usize = 16;
const PLACES: usize = ORDERINGS / KEYS;
const EMPTY: u64 = u64::MAX;

/// A mention's part in its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Id of the first mention of the group.
    pub group: u128,
    /// The mention's part.
    pub role: Role,
    /// Mentions placed in the group so far, with this one.
    pub members: u64,
    /// Of them reposts.
    pub reposts: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    exact: u64,
    group: u128,
    sketch: Option<Vec<u16>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Count {
    members: u64,
    reposts: u64,
    /// Remembered texts of the group; at zero the group is forgotten.
    texts: u64,
}

/// The remembered texts in order, and the groups' counters in the order of their ids.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct GroupsSnapshot {
    entries: Vec<Entry>,
    counts: Vec<(u128, u64, u64)>,
}

/// The remembered texts.
#[derive(Debug)]
pub struct Groups {
    /// Entry of sequence number `n` lies at `n % texts`.
    entries: Vec<Entry>,
    texts: usize,
    next: u64,
    agree: f64,
    by_exact: HashMap<u64, u64>,
    /// For each key a table of sequence numbers.
    by_key: Vec<u64>,
    slots: usize,
    counts: HashMap<u128, Count>,
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
            agree: similarity.clamp(0.0, 1.0),
            by_exact: HashMap::new(),
            by_key: vec![EMPTY; slots * KEYS],
            slots,
            counts: HashMap::new(),
        }
    }

    /// Places the next mention.
    pub fn place(&mut self, id: u128, fingerprint: &Fingerprint, repost: bool) -> Placement {
        let exact = self
            .by_exact
            .get(&fingerprint.exact)
            .and_then(|seq| self.entry(*seq))
            .map(|entry| entry.group);
        let sketch = fingerprint.sketch.as_deref();
        let near =
            if exact.is_none() { sketch.and_then(|sketch| self.nearest(sketch)) } else { None };
        let role = match (exact, near) {
            (None, None) => Role::Original,
            _ if repost => Role::Repost,
            (Some(_), _) => Role::Copy,
            (None, Some(_)) => Role::NearCopy,
        };
        let group = exact.or(near).unwrap_or(id);
        if exact.is_none() {
            let sketch = sketch.map(|sketch| sketch.to_vec());
            self.remember(Entry { exact: fingerprint.exact, group, sketch });
        }
        let count = self.counts.entry(group).or_default();
        count.members += 1;
        count.reposts += u64::from(repost);
        Placement { group, role, members: count.members, reposts: count.reposts }
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
    fn nearest(&self, sketch: &[u16; ORDERINGS]) -> Option<u128> {
        let mut best: Option<(f64, u64, u128)> = None;
        for key in self.keys(sketch) {
            let Some(&seq) = self.by_key.get(key) else { continue };
            let Some(entry) = self.entry(seq) else { continue };
            let Some(other) = entry.sketch.as_deref().and_then(|other| other.try_into().ok())
            else {
                continue;
            };
            let alike = similarity(sketch, other);
            if alike >= self.agree
                && best.is_none_or(|(most, newest, _)| (alike, seq) > (most, newest))
            {
                best = Some((alike, seq, entry.group));
            }
        }
        best.map(|(.., group)| group)
    }

    /// Places in the key tables.
    fn keys(&self, sketch: &[u16; ORDERINGS]) -> [usize; KEYS] {
        let mut keys = [0; KEYS];
        for (table, (key, places)) in keys.iter_mut().zip(sketch.chunks_exact(PLACES)).enumerate() {
            let packed =
                places.iter().fold(0_u64, |packed, place| packed << 16 | u64::from(*place));
            *key = table * self.slots + index(mix(packed) & (self.slots as u64 - 1));
        }
        keys
    }

    fn remember(&mut self, entry: Entry) {
        let seq = self.next;
        self.next += 1;
        let slot = self.slot(seq);
        let sketch: Option<[u16; ORDERINGS]> =
            entry.sketch.as_deref().and_then(|sketch| sketch.try_into().ok());
        for key in sketch.map(|sketch| self.keys(&sketch)).into_iter().flatten() {
            if let Some(newest) = self.by_key.get_mut(key) {
                *newest = seq;
            }
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

    pub(super) fn snapshot(&self) -> GroupsSnapshot {
        let oldest = self.next.saturating_sub(self.texts as u64);
        let entries = (oldest..self.next).filter_map(|seq| self.entry(seq).cloned()).collect();
        let mut counts: Vec<_> = self
            .counts
            .iter()
            .map(|(group, count)| (*group, count.members, count.reposts))
            .collect();
        counts.sort_unstable();
        GroupsSnapshot { entries, counts }
    }

    pub(super) fn restore(texts: usize, similarity: f64, snapshot: GroupsSnapshot) -> Self {
        let mut groups = Self::new(texts, similarity);
        snapshot.entries.into_iter().for_each(|entry| groups.remember(entry));
        for (group, members, reposts) in snapshot.counts {
            if let Some(count) = groups.counts.get_mut(&group) {
                (count.members, count.reposts) = (members, reposts);
            }
        }
        groups
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.entries.capacity() * (size_of::<Entry>() + ORDERINGS * size_of::<u16>())
            + self.by_key.capacity() * size_of::<u64>()
            + self.by_exact.capacity() * size_of::<(u64, u64)>()
            + self.counts.capacity() * size_of::<(u128, Count)>()
    }
}

/// A number below a table's length as an index of it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "tables are indexed by usize, so their lengths fit"
)]
const fn index(below_length: u64) -> usize {
    below_length as usize
}
