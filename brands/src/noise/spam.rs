//! Signs of spam, each a reason with a weight; together a score, never a silent drop.

use std::collections::{HashMap, VecDeque};

use serde::Serialize;

use super::fingerprint::hash;
use super::groups::{Placement, Role};
use crate::post::Post;
use crate::text::Sigil;
use crate::text::fold::is_invisible;
use crate::text::tokens::Tokens;

/// Groups remembered of each author.
const AUTHOR_GROUPS: usize = 16;

/// Why a mention may be spam.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
#[non_exhaustive]
pub enum SpamReason {
    /// Several links, or links with hardly a word.
    LinkFarm {
        /// Links in the text.
        links: usize,
    },
    /// More hashtags than a sentence bears.
    Hashtags {
        /// How many.
        count: usize,
    },
    /// Calls many accounts at once.
    Accounts {
        /// How many.
        count: usize,
    },
    /// The author said the same before.
    RepeatedByAuthor {
        /// How often, with this one, among the author's last texts.
        times: u32,
    },
    /// Many say the same and link somewhere, without reposting.
    Campaign {
        /// Mentions of the group.
        members: u64,
    },
    /// Mostly capitals.
    Shouting,
    /// Words broken by invisible characters to escape filters.
    Hidden {
        /// Invisible characters between letters.
        characters: usize,
    },
}

impl SpamReason {
    /// Its name, as in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LinkFarm { .. } => "link_farm",
            Self::Hashtags { .. } => "hashtags",
            Self::Accounts { .. } => "accounts",
            Self::RepeatedByAuthor { .. } => "repeated_by_author",
            Self::Campaign { .. } => "campaign",
            Self::Shouting => "shouting",
            Self::Hidden { .. } => "hidden",
        }
    }

    /// Probability that a mention with only this sign is spam: set by hand, to order by, not measured.
    fn weight(self) -> f64 {
        match self {
            Self::LinkFarm { links } => (0.3 + 0.1 * links as f64).min(0.8),
            Self::Hashtags { count } | Self::Accounts { count } => (0.05 * count as f64).min(0.6),
            Self::RepeatedByAuthor { times } => (0.2 * f64::from(times)).min(0.9),
            Self::Campaign { members } => (0.3 + 0.01 * members as f64).min(0.8),
            Self::Shouting => 0.15,
            Self::Hidden { .. } => 0.5,
        }
    }
}

/// How likely a mention is spam.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spam {
    /// From 0 to 1: one minus the product of what each reason leaves.
    pub score: f64,
    /// The reasons.
    pub reasons: Vec<SpamReason>,
}

/// Scores a mention; `repeats` is how often its author said the same, with this one.
pub(super) fn score(post: &Post<'_>, tokens: &Tokens, placement: &Placement, repeats: u32) -> Spam {
    let mut reasons = Vec::new();
    let words = tokens.forms().iter().filter(|form| form.sigil.is_none()).count();
    let tags = |sigil| {
        let mut positions: Vec<u32> = tokens
            .forms()
            .iter()
            .filter(|form| form.sigil == Some(sigil))
            .map(|form| form.start)
            .collect();
        positions.dedup();
        positions.len()
    };
    let links = tokens.links().len();
    if links >= 3 || (links > 0 && words < 2 * links) {
        reasons.push(SpamReason::LinkFarm { links });
    }
    let hashtags = tags(Sigil::Hashtag);
    if hashtags >= 6 || (hashtags >= 4 && hashtags > words) {
        reasons.push(SpamReason::Hashtags { count: hashtags });
    }
    let accounts = tags(Sigil::Account);
    if accounts >= 6 {
        reasons.push(SpamReason::Accounts { count: accounts });
    }
    if repeats >= 3 {
        reasons.push(SpamReason::RepeatedByAuthor { times: repeats });
    }
    if placement.members >= 10 && links > 0 && matches!(placement.role, Role::Copy | Role::NearCopy)
    {
        reasons.push(SpamReason::Campaign { members: placement.members });
    }
    if shouts(post.text) {
        reasons.push(SpamReason::Shouting);
    }
    let characters = hidden(post.text);
    if characters > 0 {
        reasons.push(SpamReason::Hidden { characters });
    }
    let left: f64 = reasons.iter().map(|reason| 1.0 - reason.weight()).product();
    Spam { score: 1.0 - left, reasons }
}

fn shouts(text: &str) -> bool {
    let (mut upper, mut cased) = (0_usize, 0_usize);
    for c in text.chars() {
        upper += usize::from(c.is_uppercase());
        cased += usize::from(c.is_uppercase() || c.is_lowercase());
    }
    cased >= 20 && upper * 10 > cased * 7
}

/// Invisible characters between two Latin letters; elsewhere scripts and emoji need them.
fn hidden(text: &str) -> usize {
    if text.is_ascii() {
        return 0;
    }
    let mut count = 0;
    let mut after_letter = false;
    let mut pending = 0;
    for c in text.chars() {
        if is_invisible(c) && c != '\u{AD}' {
            pending += usize::from(after_letter);
        } else {
            let letter = c.is_ascii_alphabetic();
            count += if letter { pending } else { 0 };
            pending = 0;
            after_letter = letter;
        }
    }
    count
}

/// A mention, and the group of its text.
type Said = (u64, u128);

/// Each author's last groups; authors are forgotten in the order they were first seen.
#[derive(Debug)]
pub(super) struct Authors {
    limit: usize,
    order: VecDeque<u64>,
    groups: HashMap<u64, VecDeque<Said>>,
}

impl Authors {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), order: VecDeque::new(), groups: HashMap::new() }
    }

    /// Notes that an author wrote into a group; returns how often among the last texts. A mention
    /// counts once, however often it comes.
    pub(super) fn note(&mut self, author: &str, group: u64, id: u128) -> u32 {
        let author = hash(author.as_bytes());
        let said = self.author(author);
        said.retain(|(_, known)| *known != id);
        if said.len() == AUTHOR_GROUPS {
            said.pop_front();
        }
        said.push_back((group, id));
        said.iter().map(|(known, _)| u32::from(*known == group)).sum()
    }

    fn author(&mut self, author: u64) -> &mut VecDeque<Said> {
        if !self.groups.contains_key(&author) {
            if self.order.len() == self.limit
                && let Some(oldest) = self.order.pop_front()
            {
                self.groups.remove(&oldest);
            }
            self.order.push_back(author);
        }
        self.groups.entry(author).or_default()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.groups.len() * (size_of::<(u64, VecDeque<Said>)>() + AUTHOR_GROUPS * size_of::<Said>())
            + self.order.capacity() * size_of::<u64>()
    }
}
