//! Incidents of a brand: found, explained, and found again in the past by the very same code.
//!
//! ```text
//!  views of the store ─▶ history ─▶ Minute ─▶ Detector ─▶ Change ─▶ watcher ─▶ incidents, `alerts`
//!                                      │                     └────▶ backtest ─▶ table, JSON, SVG
//!                            eval: injected incidents, NAB
//! ```
//!
//! The contract: a [`Detector`] is a pure function of the minutes it was given. It has no clock and
//! reads nothing, so the watcher, a backtest and a bench that feed it the same minutes get the same
//! incidents with the same ids. The statistics stand in this crate's README.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts, minutes and lengths of windows are far from the limits of their types"
)]
#![expect(clippy::similar_names, reason = "share and shape, by and of: the field's own words")]

pub mod backtest;
pub mod calendar;
pub mod chart;
pub mod coverage;
pub mod detector;
pub mod eval;
pub mod history;
pub mod incident;
pub mod metrics;
pub mod minute;
pub mod rule;
pub mod settings;
pub mod sketch;
pub mod watcher;

mod brands;
mod memory;
mod notes;
mod pauses;
mod tail;
mod why;

pub use brands::Brands;
pub use detector::Detector;
pub use incident::{Change, Evidence, Phase, Severity, incident_id};
pub use minute::Minute;
pub use notes::{NoteError, Told};
pub use rule::{Kind, Rule};
pub use settings::AlertSettings;
pub use sketch::Sketch;
pub use why::Why;
