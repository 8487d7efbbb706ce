//! One brand.

use serde::{Deserialize, Serialize};

use crate::post::Post;
use crate::query::{Query, Warning};
use crate::text::fold_value;

/// A validated brand definition.
#[derive(Debug, Clone)]
pub struct Brand {
    /// Name, unique in the book; the label of its metrics and rows.
    pub name: String,
    /// Brands whose shares of voice are compared; its own name when the file names none.
    pub group: String,
    /// Which mentions are about it.
    pub query: Query,
    /// Names of competing brands of the book.
    pub competitors: Vec<String>,
    /// Accounts that speak for the brand itself.
    pub owned_accounts: Vec<OwnedAccount>,
    /// Languages it is followed in; none means all.
    pub languages: Vec<String>,
    /// When to raise an alert.
    pub alerts: Alerts,
    /// Content hash of the definition: 12 hexadecimal digits, the same wherever the file lies and
    /// however its query is laid out.
    pub version: String,
    /// The file it came from.
    pub file: String,
    /// What is legal in its query and probably not meant.
    pub warnings: Vec<Warning>,
}

/// When to raise an alert about a brand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Alerts {
    /// Whether spikes are looked for at all.
    pub enabled: bool,
    /// How unusual a spike must be.
    pub sensitivity: Sensitivity,
    /// Mentions in a bucket below which nothing is a spike.
    pub min_mentions: u32,
    /// Names of the channels to notify.
    pub channels: Vec<String>,
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            enabled: true,
            sensitivity: Sensitivity::Normal,
            min_mentions: 10,
            channels: Vec::new(),
        }
    }
}

/// How unusual a spike must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sensitivity {
    /// Only extreme spikes.
    Low,
    /// The default.
    Normal,
    /// Early, with more false alarms.
    High,
}

/// An account of the brand, on one source or on all: `handle` or `source:handle`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedAccount {
    source: Option<String>,
    handle: String,
    written: String,
}

impl OwnedAccount {
    pub(super) fn parse(written: &str) -> Option<Self> {
        let (source, handle) = match written.split_once(':') {
            Some((source, handle)) => (Some(source.trim()), handle),
            None => (None, written),
        };
        let written = handle.trim().trim_start_matches('@').to_owned();
        let handle = fold_value(&written);
        let named = !handle.is_empty() && source != Some("");
        named.then(|| Self { source: source.map(fold_value), handle, written })
    }

    /// The source it is on; `None` means any.
    pub fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// The handle, folded, without `@`.
    pub fn handle(&self) -> &str {
        &self.handle
    }

    /// The handle as written in the file, without `@`.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Whether it is on this source.
    pub fn is_on(&self, source: &str) -> bool {
        self.source.as_deref().is_none_or(|own| own == fold_value(source))
    }

    fn is_author(&self, source: &str, author: &str) -> bool {
        author == self.handle && self.is_on(source)
    }
}

impl std::fmt::Display for OwnedAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{source}:{}", self.handle),
            None => f.write_str(&self.handle),
        }
    }
}

impl Brand {
    /// Whether the brand itself wrote the mention.
    pub fn wrote(&self, post: &Post<'_>) -> bool {
        let Some(author) = post.author.filter(|_| !self.owned_accounts.is_empty()) else {
            return false;
        };
        let author = fold_value(author.trim_start_matches('@'));
        self.owned_accounts.iter().any(|account| account.is_author(post.source, &author))
    }
}
