//! From a Mastodon status to a submission (API documentation, entity `Status`).
//!
//! * Native id: the status' id on the instance that is listened to, which deletions name as well.
//! * Sort time: `created_at`, which an edit keeps.
//! * Author: `acct`, the handle with its home instance.
//! * A content warning is the headline: people name there what the text is about.
//!
//! A boost repeats somebody else's words, so it is no mention; it shows in `shares` of what it
//! repeats. Statuses that are not public are none of our business, whoever shows them to us.

use echolot_schemas::{Timestamp, limits, mention::Engagement, submission::Submission};
use serde::{Deserialize, de::IgnoredAny};

/// A status as an instance shows it.
#[derive(Debug, Deserialize)]
pub struct Status {
    /// Its id on this instance.
    pub id: String,
    created_at: Timestamp,
    #[serde(default)]
    edited_at: Option<Timestamp>,
    #[serde(default)]
    in_reply_to_id: Option<String>,
    #[serde(default)]
    spoiler_text: String,
    visibility: String,
    #[serde(default)]
    language: Option<String>,
    /// Its address as `ActivityPub` knows it.
    #[serde(default)]
    uri: Option<String>,
    #[serde(default)]
    url: Option<String>,
    /// HTML; absent in the answer to a deletion.
    content: String,
    #[serde(default)]
    reblog: Option<IgnoredAny>,
    #[serde(default)]
    replies_count: Option<u64>,
    #[serde(default)]
    reblogs_count: Option<u64>,
    #[serde(default)]
    favourites_count: Option<u64>,
    #[serde(default)]
    quotes_count: Option<u64>,
    account: Account,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Debug, Deserialize)]
struct Account {
    acct: String,
}

#[derive(Debug, Deserialize)]
struct Tag {
    name: String,
}

/// What a status means.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// A mention in its present state.
    Mention(Box<Submission>),
    /// The edit took the last words away.
    Gone(Box<Submission>),
    /// Nothing for the log.
    Nothing(Why),
}

/// Why a status is nothing for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It repeats another.
    Boost,
    /// It is not meant for everybody.
    NotPublic,
    /// It holds pictures alone.
    Wordless,
}

impl Status {
    /// What it means. `text_of` makes plain text of HTML.
    pub fn said(self, text_of: impl Fn(&str) -> String) -> Said {
        if self.reblog.is_some() {
            return Said::Nothing(Why::Boost);
        }
        if self.visibility != "public" {
            return Said::Nothing(Why::NotPublic);
        }
        let text = text_of(&self.content);
        let (title, text) = headline(&self.spoiler_text, text);
        if text.trim().is_empty() && title.is_none() {
            return match self.edited_at {
                Some(_) => Said::Gone(Box::new(gone(self.id))),
                None => Said::Nothing(Why::Wordless),
            };
        }
        let engagement = Engagement {
            likes: self.favourites_count,
            replies: self.replies_count,
            shares: sum(self.reblogs_count, self.quotes_count),
            reach: None,
        };
        Said::Mention(Box::new(Submission {
            id: self.id,
            text: Some(text),
            title,
            published_at: Some(self.created_at),
            edited_at: self.edited_at,
            language: self.language,
            author: Some(self.account.acct),
            // A page for readers where there is one; an ActivityPub address may not open as one.
            url: self.url.or(self.uri).filter(|url| url.starts_with("http")),
            parent: self.in_reply_to_id,
            engagement: (!engagement.is_empty()).then_some(engagement),
            tags: self.tags.into_iter().map(|tag| tag.name).collect(),
            ..Submission::default()
        }))
    }
}

/// The news that a status is gone.
pub(super) fn gone(id: String) -> Submission {
    Submission { id, deleted: true, ..Submission::default() }
}

/// The content warning as headline; one that is too long for that goes before the text.
fn headline(warning: &str, text: String) -> (Option<String>, String) {
    match warning.trim() {
        "" => (None, text),
        fitting if fitting.len() <= limits::TITLE_BYTES => (Some(fitting.to_owned()), text),
        long => (None, format!("{long}\n\n{text}")),
    }
}

fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (None, None) => None,
        (one, other) => Some(one.unwrap_or(0).saturating_add(other.unwrap_or(0))),
    }
}
