//! The enrichment stage: every raw mention gets its language, its sentiment and its brands.
//!
//! ```text
//!                 ┌──────────────── Enricher: Stage (RawEvent ─▶ EnrichedEvent) ───────────────┐
//!  mentions.raw ─▶│ batch ─▶ chunks ─▶ own threads: validate ─▶ normalise                       │
//!                 │                      ─▶ LanguageDetector ─▶ brands ─▶ Scorer ─▶ a verdict    │─▶ mentions.enriched
//!                 └────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! The contract, for `echolot_pipeline`, which calls [`Enricher`]:
//! * Every item gets a verdict, in order: enriched, unmatched, erased or rejected with the reason.
//! * A model that panics on a text costs that text only; one that does not answer in time makes the
//!   batch a transient fault. Models never run on the asynchronous runtime's threads.
//! * Every score names its model: id, version and a hash over all that decides ([`model`]).
//! * What is stored is the text as it was written; models read the normalised one ([`text`]).
//!
//! A new model of sentiment implements [`sentiment::Scorer`], one of language
//! [`language::LanguageDetector`]; nothing else changes. Brands are found by
//! `echolot_brands`; `echolot_pipeline::brands` keeps them up to date with their files.

mod cascade;
pub mod enricher;
mod judgement;
pub mod language;
pub mod metrics;
pub mod model;
mod pool;
pub mod sentiment;
pub mod settings;
pub mod text;

pub use enricher::{Enricher, EnricherError, Models};
pub use metrics::EnrichMetrics;
pub use settings::EnrichSettings;
