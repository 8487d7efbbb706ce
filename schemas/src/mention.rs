//! A mention: what somebody said somewhere, in its full present state.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{MentionId, SourceName, Timestamp};

/// The whole state of one mention as a source shows it now.
///
/// Every observation carries all of it, so that log compaction never loses a part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Mention {
    /// UUIDv5 of source and native id.
    pub id: MentionId,
    /// Where it was said.
    pub source: SourceName,
    /// The id that the source itself uses.
    pub native_id: String,
    /// Plain text, never markup.
    pub text: String,
    /// Headline, where the source has one apart from the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Where a person can read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When it was first published. This is the sort time: the store keeps the first one it saw.
    pub published_at: Timestamp,
    /// When it was last edited, if ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// Language as the source declares it (BCP 47): a hint, not the truth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_language: Option<String>,
    /// Who said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Author>,
    /// The mention that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<MentionId>,
    /// The first mention of the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<MentionId>,
    /// Reactions counted by the source.
    #[serde(default, skip_serializing_if = "Engagement::is_empty")]
    pub engagement: Engagement,
    /// Hashtags, categories, topics, without `#`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Country (ISO 3166-1 alpha-2), where the source says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Stars, 1 to 5, in reviews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 5))]
    pub rating: Option<u8>,
    /// True for sources inside the company (intranet): no author is ever kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub internal: bool,
}

/// Who said it. Pseudonymous unless the operator chose to keep handles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Author {
    /// Keyed hash of source and native author id, 32 hex digits: same author, same pseudonym.
    pub pseudonym: String,
    /// The visible handle, only where configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
}

/// Reactions as counted by the source at the observation; absent where it does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Engagement {
    /// Likes, favourites, upvotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub likes: Option<u64>,
    /// Direct replies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replies: Option<u64>,
    /// Shares, boosts, reposts, quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shares: Option<u64>,
    /// People or views reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<u64>,
}

impl Engagement {
    /// True when the source told nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
