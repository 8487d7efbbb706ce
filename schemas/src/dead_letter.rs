//! Dead letters: a record that a stage refused, kept byte for byte with the reason.
//!
//! The value on `mentions.dead` is the original value; what else is known stands in headers, so that
//! `echolot dead-letters retry` can put the very same bytes back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Header names on `mentions.dead`. Headers of the refused record stay beside them, as they were.
pub mod header {
    /// Which stage refused it.
    pub const STAGE: &str = "dead_stage";
    /// [`super::Reason`] as text.
    pub const REASON: &str = "dead_reason";
    /// What exactly was wrong and how to mend it.
    pub const DETAIL: &str = "dead_detail";
    /// Topic it stood on; empty for what never reached a topic.
    pub const TOPIC: &str = "dead_topic";
    /// Its partition there.
    pub const PARTITION: &str = "dead_partition";
    /// Its offset there.
    pub const OFFSET: &str = "dead_offset";
    /// When it was refused, RFC 3339.
    pub const AT: &str = "dead_at";
    /// What all of these begin with.
    pub const PREFIX: &str = "dead_";
}

/// Why a record was refused: few and fixed, since it is a metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No JSON, wrong types, missing fields or headers.
    Malformed,
    /// A type or schema version that this build does not read.
    UnknownSchema,
    /// Past a limit or out of range.
    Invalid,
    /// The stage's own logic could not judge it.
    Unprocessable,
    /// The store refused the row.
    RefusedByStore,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 5] = [
        Self::Malformed,
        Self::UnknownSchema,
        Self::Invalid,
        Self::Unprocessable,
        Self::RefusedByStore,
    ];

    /// The name in headers and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownSchema => "unknown_schema",
            Self::Invalid => "invalid",
            Self::Unprocessable => "unprocessable",
            Self::RefusedByStore => "refused_by_store",
        }
    }
}
