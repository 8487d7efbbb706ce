//! The last stage: mentions into the store, and the counts they touch with them.
//!
//! ```text
//!  batch of EnrichedEvent
//!        │  lookup      what the store holds of mentions that may have been seen (sightings)
//!        ▼
//!      fold             verdicts, at most one row a mention, the buckets touched   (pure)
//!        │  insert      one statement into `mentions`, with copies and spam told (noise)
//!        ▼
//!   aggregates          one statement recomputes the touched buckets of `sentiment_10s`
//!        ▼
//!    verdicts           only now the runtime commits offsets
//! ```
//!
//! The contract: events arrive at least once, in log order for each mention, and each raw partition
//! has one owner. Then every mention is stored once and counted once, whatever is delivered again,
//! in whatever cuts, and wherever a process dies. [`Writer`] is called by the runtime of
//! `echolot-pipeline`; [`generations`] by `echolot migrate` and `replay`; [`audit`] by
//! `echolot audit`. The tables themselves are in `schemas/clickhouse/`,
//! the client is `echolot-store`.

pub mod audit;
pub mod coverage;
pub mod generations;
pub mod metrics;
pub mod settings;

mod aggregates;
mod bucket;
mod fold;
mod lookup;
mod migrations;
mod noise;
mod row;
mod sightings;
mod versions;
mod writer;

pub use metrics::SinkMetrics;
pub use row::State;
pub use settings::{GenerationChoice, SinkSettings};
pub use writer::Writer;
