//! How well a source is covered: the value on `ingest.coverage`, keyed by source.
//!
//! "No mentions" and "source down" look alike in every count; this tells them apart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{SourceName, Timestamp};

/// Most gaps kept in one record; past it the oldest closed ones are left out.
pub const GAPS: usize = 200;

/// The coverage of one source as ingest knows it at a time. The newest record of a source counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceCoverage {
    /// Which source.
    pub source: SourceName,
    /// When this was written.
    pub at: Timestamp,
    /// How it is.
    pub state: CoverageState,
    /// Why it is not well, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// When it last answered and all it said was safe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Timestamp>,
    /// Publication time of the newest mention it ever told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<Timestamp>,
    /// Age of the newest mention in the last page that held any, when it was observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_millis: Option<u64>,
    /// Events accepted since the source was first seen.
    pub accepted: u64,
    /// What it said that was no mention.
    pub rejected: u64,
    /// Mentions known to be missing.
    pub lost: u64,
    /// How often it was started anew after a defect of ours.
    #[serde(default, skip_serializing_if = "is_none")]
    pub restarts: u64,
    /// Times of which mentions may be missing, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

/// How a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CoverageState {
    /// It answers.
    Ok,
    /// It does not answer; it is asked again.
    Failing,
    /// It is not asked any more until an operator mends it.
    Stopped,
}

/// A time of which mentions may be missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// From when.
    pub from: Timestamp,
    /// Until when; none while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Why.
    pub why: GapReason,
    /// True when the source told everything afterwards, so that nothing is missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub caught_up: bool,
}

/// Why mentions may be missing.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The source, the way to it or this process was down.
    Outage,
    /// The source wanted to be asked less.
    RateLimit,
    /// The source no longer held everything since the cursor.
    ClampedCursor,
    /// The source shows fewer mentions at a time than were published between two turns.
    Window,
    /// The token was missing, expired or not enough.
    Unauthorised,
    /// The source's owner closed it.
    Closed,
}

impl CoverageState {
    /// As in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failing => "failing",
            Self::Stopped => "stopped",
        }
    }
}

impl GapReason {
    /// Every reason.
    pub const ALL: [Self; 6] = [
        Self::Outage,
        Self::RateLimit,
        Self::ClampedCursor,
        Self::Window,
        Self::Unauthorised,
        Self::Closed,
    ];

    /// As in JSON, and as metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Outage => "outage",
            Self::RateLimit => "rate_limit",
            Self::ClampedCursor => "clamped_cursor",
            Self::Window => "window",
            Self::Unauthorised => "unauthorised",
            Self::Closed => "closed",
        }
    }
}
