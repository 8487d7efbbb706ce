//! Copies, reposts and spam: told, never dropped.
//!
//! ```text
//! Tokens ─► Fingerprint ─► Groups  ─► group, role, counter
//!                              └────► Authors ─► spam score with reasons
//! ```
//!
//! The same mentions in the same order give the same answers: nothing is random, time is not read,
//! and memory is bounded by counts. Over a restart the state comes from where the answers went:
//! [`Noise::recall`] takes the last mentions with the groups they were given.

pub mod fingerprint;
pub mod groups;
pub mod repost;
pub mod spam;

use serde::{Deserialize, Serialize};

pub use fingerprint::Fingerprint;
pub use groups::{Arrival, Groups, Placement, Role};
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

    /// Judges the next mention; `tokens` are its words ([`crate::Scratch::tokens`]). One that comes
    /// `again`, for new likes or an edit, keeps its part and is not counted a second time.
    pub fn judge(&mut self, id: u128, again: bool, post: &Post<'_>, tokens: &Tokens) -> Judgement {
        let (placement, repeats) = self.place(id, again, None, post, tokens);
        let spam = spam::score(post, tokens, &placement, repeats);
        Judgement { placement, spam }
    }

    /// Takes in a mention that was judged before a restart and the group that it was given, oldest
    /// first.
    pub fn recall(&mut self, id: u128, group: u64, post: &Post<'_>, tokens: &Tokens) {
        self.place(id, false, Some(group), post, tokens);
    }

    /// Its placement, and how often its author said the same.
    fn place(
        &mut self,
        id: u128,
        again: bool,
        group: Option<u64>,
        post: &Post<'_>,
        tokens: &Tokens,
    ) -> (Placement, u32) {
        let repost = repost::detect(post.text);
        let fingerprint = Fingerprint::of(post, tokens, repost.as_ref());
        let repost = repost.is_some();
        let arrival = Arrival { id, fingerprint: &fingerprint, repost, again, group };
        let placement = self.groups.place(arrival);
        let note = |author| self.authors.note(author, placement.group, id);
        let repeats = post.author.map_or(1, note);
        (placement, repeats)
    }

    /// Bytes held, estimated from capacities.
    pub fn memory_bytes(&self) -> usize {
        self.groups.memory_bytes() + self.authors.memory_bytes()
    }
}
