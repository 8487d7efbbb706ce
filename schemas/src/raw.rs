//! What ingest writes to `mentions.raw`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Mention, MentionId, SourceName, Timestamp};

/// An event about one mention, as seen at its source.
#[derive(Clone, Debug, PartialEq)]
pub enum RawEvent {
    /// `mention.observed`: first sight, edit or new engagement.
    Observed(Box<Observed>),
    /// `mention.deleted`: the last word about a mention.
    Deleted(Deleted),
}

/// A mention in its full state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Observed {
    /// When ingest accepted this state. Freshness is measured from here.
    pub observed_at: Timestamp,
    /// The state.
    pub mention: Mention,
}

/// A mention is gone at its source. Holds no personal data, not even the native id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deleted {
    /// Which mention.
    pub id: MentionId,
    /// Where it was.
    pub source: SourceName,
    /// When ingest learned of it.
    pub observed_at: Timestamp,
}

impl RawEvent {
    /// Which mention the event is about.
    pub fn mention_id(&self) -> MentionId {
        match self {
            Self::Observed(observed) => observed.mention.id,
            Self::Deleted(deleted) => deleted.id,
        }
    }

    /// Which source it comes from.
    pub fn source(&self) -> &SourceName {
        match self {
            Self::Observed(observed) => &observed.mention.source,
            Self::Deleted(deleted) => &deleted.source,
        }
    }

    /// When ingest accepted it.
    pub fn observed_at(&self) -> Timestamp {
        match self {
            Self::Observed(observed) => observed.observed_at,
            Self::Deleted(deleted) => deleted.observed_at,
        }
    }
}
