//! An incident: opened once, escalated as it grows, closed once.

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use crate::rule::Kind;

/// Namespace of incident ids.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f0c_2f0e_55d1_4b8e_9d3c_7a1e_a1e2_70b5);

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Unlikely to be chance.
    Warning,
    /// Three times what is expected, and beyond doubt.
    High,
    /// Six times what is expected, with fifty voices or more too many.
    Critical,
}

impl Severity {
    /// Every one, mildest first.
    pub const ALL: [Self; 3] = [Self::Warning, Self::High, Self::Critical];

    /// The name in tables, topics and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// From probability and size.
    pub(crate) fn of(observed: f64, expected: f64, chance: f64) -> Self {
        let ratio = observed / expected.max(0.5);
        if ratio >= 6.0 && observed - expected >= 50.0 {
            Self::Critical
        } else if ratio >= 3.0 && chance < 1e-8 {
            Self::High
        } else {
            Self::Warning
        }
    }
}

/// What made it fire.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Length of the window, minutes.
    pub window: u32,
    /// Counts in it that speak for an incident: voices, positive ones, mentions.
    pub observed: f64,
    /// What was expected.
    pub expected: f64,
    /// Chance of that many or more (or fewer, for silence), were nothing the matter.
    pub chance: f64,
    /// Share of them among the mentions of the window; not a number, in JSON null, for silence.
    #[serde(deserialize_with = "number_or_null")]
    pub share: f64,
    /// The usual share.
    #[serde(deserialize_with = "number_or_null")]
    pub usual_share: f64,
    /// Mentions in the window.
    pub mentions: u32,
    /// Different authors of the negative ones, about.
    pub authors: u32,
}

/// What became of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It began.
    Opened,
    /// It grew by the factor of the rule.
    Escalated,
    /// It ended.
    Closed,
}

impl Phase {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Opened, Self::Escalated, Self::Closed];

    /// The name in tables, topics and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Escalated => "escalated",
            Self::Closed => "closed",
        }
    }
}

/// A change of an incident, as the detector tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What it is about.
    pub kind: Kind,
    /// What happened.
    pub phase: Phase,
    /// Minute of the change, since 1970.
    pub at: i64,
    /// Minute in which it was opened.
    pub opened_at: i64,
    /// First minute of the window that made it fire.
    pub from: i64,
    /// How many escalations so far.
    pub step: u32,
    /// The worst so far.
    pub severity: Severity,
    /// At this change.
    pub evidence: Evidence,
    /// Highest count of its window so far.
    pub peak: f64,
}

impl Change {
    /// The number of its row: that of its escalation; a closing comes after all others.
    pub(crate) fn row_step(&self) -> u32 {
        if self.phase == Phase::Closed { u32::MAX } else { self.step }
    }
}

/// JSON has no number for what is none.
fn number_or_null<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f64::NAN))
}

/// The id of an incident: the same brand, kind and opening minute are the same incident for ever,
/// whoever finds it and however often.
pub fn incident_id(brand: &str, kind: Kind, opened_at: i64) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{brand}\n{}\n{opened_at}", kind.as_str()).as_bytes())
}
