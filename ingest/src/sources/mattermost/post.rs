//! From a Mattermost post to a submission (API reference, schema `Post`).
//!
//! * Native id: the post's id.
//! * Sort time: `create_at`, which the server sets and an edit keeps.
//! * Author: never; colleagues are not to be traced.

use echolot_schemas::{Timestamp, mention::Engagement, submission::Submission};
use serde::Deserialize;

/// A post as the server shows it.
#[derive(Clone, Debug, Deserialize)]
pub struct Post {
    /// Its id: 26 letters and digits.
    pub id: String,
    /// The channel it stands in.
    pub channel_id: String,
    /// When it was written, in milliseconds since 1970.
    create_at: i64,
    /// When anything of it last changed, in milliseconds; the place of a catch-up.
    pub update_at: i64,
    #[serde(default)]
    edit_at: i64,
    /// When it was deleted; 0 while it stands.
    #[serde(default)]
    delete_at: i64,
    #[serde(default)]
    root_id: String,
    message: String,
    /// Empty for what people wrote, `system_…` for joins, renamed channels and the like.
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    hashtags: String,
    #[serde(default)]
    reply_count: Option<u64>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    reactions: Option<Vec<serde::de::IgnoredAny>>,
}

impl Post {
    /// True when a person wrote it, and not the server about a person.
    pub fn is_written(&self) -> bool {
        !self.kind.starts_with("system_")
    }

    /// True when it says nothing: a file or a picture alone.
    pub fn is_wordless(&self) -> bool {
        self.message.trim().is_empty()
    }

    /// True when it was deleted.
    pub fn is_gone(&self) -> bool {
        self.delete_at > 0
    }

    /// The post after its deletion, of which the event does not tell the time.
    #[must_use]
    pub fn deleted(mut self) -> Self {
        self.delete_at = self.delete_at.max(self.update_at).max(1);
        self
    }

    /// What this state of the post means; `link` leads to it.
    pub fn submission(self, link: String) -> Submission {
        if self.is_gone() {
            return Submission { id: self.id, deleted: true, ..Submission::default() };
        }
        let replied = Some(self.root_id).filter(|root| !root.is_empty());
        let reactions = self.metadata.and_then(|metadata| metadata.reactions);
        let engagement = Engagement {
            likes: reactions.map(|reactions| reactions.len() as u64),
            replies: self.reply_count,
            ..Engagement::default()
        };
        Submission {
            id: self.id,
            text: Some(self.message),
            published_at: Some(Timestamp::from_millis(self.create_at)),
            edited_at: (self.edit_at > 0).then(|| Timestamp::from_millis(self.edit_at)),
            url: Some(link),
            parent: replied.clone(),
            thread: replied,
            engagement: (!engagement.is_empty()).then_some(engagement),
            tags: self.hashtags.split_whitespace().map(str::to_owned).collect(),
            ..Submission::default()
        }
    }
}
