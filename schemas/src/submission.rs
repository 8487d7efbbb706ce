//! What a sender pushes to `POST /v1/mentions`, and what a backfilled file holds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Timestamp, mention::Engagement};

/// One mention, or the news that it is gone, as a sender puts it.
///
/// `id` is the sender's own; sending the same `id` again is an edit or an update of engagement.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// The id that the source itself uses; unique and stable within it.
    pub id: String,
    /// Plain text. Required unless `deleted`, or there is a title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Headline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// When it was first published. Required unless `deleted`; it must not change with an edit.
    #[serde(default, alias = "created_at", skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Timestamp>,
    /// When it was last edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// Language as the source declares it (BCP 47).
    #[serde(default, alias = "lang", skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The author's handle or id at the source. Stored only as a pseudonym unless configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Where a person can read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// `id` of the mention this one answers, in the same source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// `id` of the conversation's first mention, in the same source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// Reactions so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engagement: Option<Engagement>,
    /// Hashtags, categories, topics.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Country (ISO 3166-1 alpha-2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Stars, 1 to 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 5))]
    pub rating: Option<u8>,
    /// True when the mention was deleted at its source. The last word: nothing brings it back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}
