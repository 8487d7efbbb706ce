//! Copies, reposts and spam: told, never dropped.
//!
//! ```text
//! Tokens ─► Fingerprint ─► Groups  ─► group, role, counter
//!                              └────► Authors ─► spam score with reasons
//! ```
//!
//! The same mentions in the same order give the same answers: nothing is random, time is not read,
//! and memory is bounded by counts. A [`Snapshot`] carries the state over a restart.

pub mod fingerprint;
pub mod groups;
pub mod repost;
pub mod spam;

use serde::{Deserialize, Serialize};

pub use fingerprint::Fingerprint;
pub use groups::{Groups, Placement, Role};
pub use repost::Repost;
pub use spam::{Spam, SpamReason};

use crate::post::Post;
use crate::text::tokens::Tokens;
use spam::Authors;

/// How much is remembered, and how alike texts must be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Distinct texts remembered; about 420 bytes each.
    pub texts: usize,
    /// Authors remembered; about 350 bytes each.
    pub authors: usize,
    /// Estimated Jaccard similarity of word pairs from which a text is a near copy, 0 to 1.
    pub similarity: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { texts: 50_000, authors: 20_000, similarity: 0.65 }
    }
}

/// What is known about one mention.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// Its group and its part in it.
    pub placement: Placement,
    /// How likely it is spam, and why.
    pub spam: Spam,
}

/// The state of [`Noise`], to be stored and restored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    groups: groups::GroupsSnapshot,
    authors: spam::AuthorsSnapshot,
}

/// Groups copies and scores spam over one stream of mentions.
#[derive(Debug)]
pub struct Noise {
    groups: Groups,
    authors: Authors,
}

impl Noise {
    /// Remembers nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            groups: Groups::new(settings.texts, settings.similarity),
            authors: Authors::new(settings.authors),
        }
    }

    /// Judges the next mention; `tokens` are its words ([`crate::Scratch::tokens`]).
    ///
    /// Counters count deliveries: a mention given twice counts twice, so exact numbers come from
    /// the stored group of each mention.
    pub fn judge(&mut self, id: u128, post: &Post<'_>, tokens: &Tokens) -> Judgement {
        let repost = repost::detect(post.text);
        let fingerprint = Fingerprint::of(post, tokens, repost.as_ref());
        let placement = self.groups.place(id, &fingerprint, repost.is_some());
        let repeats = post.author.map_or(1, |author| self.authors.note(author, placement.group));
        let spam = spam::score(post, tokens, &placement, repeats);
        Judgement { placement, spam }
    }

    /// The state.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { groups: self.groups.snapshot(), authors: self.authors.snapshot() }
    }

    /// Goes on from a state; what exceeds smaller settings is forgotten, oldest first.
    pub fn restore(settings: Settings, snapshot: Snapshot) -> Self {
        Self {
            groups: Groups::restore(settings.texts, settings.similarity, snapshot.groups),
            authors: Authors::restore(settings.authors, snapshot.authors),
        }
    }

    /// Bytes held, estimated from capacities.
    pub fn memory_bytes(&self) -> usize {
        self.groups.memory_bytes() + self.authors.memory_bytes()
    }
}
