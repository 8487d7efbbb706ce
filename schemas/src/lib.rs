//! The contract between Echolot's stages. Pure data: no I/O, no clock, nothing internal imported.
//!
//! ```text
//!  ingest ──RawEvent──▶ mentions.raw ──▶ enrich ──EnrichedEvent──▶ mentions.enriched ──▶ sink
//!     ▲                                     │ reject                                      │ reject
//!  Submission                               └────────────▶ mentions.dead ◀────────────────┘
//! ```
//!
//! * [`mention`] is what was said; [`raw`] and [`enriched`] are the events about it.
//! * [`codec`] maps an event to a Kafka record and back, as CloudEvents in binary mode.
//! * [`topics`] names every topic with its cleanup policy.
//! * [`limits`] bounds every size: what is past them is refused with the field's name.
//!
//! Every stage calls this crate; it calls none of them.

pub mod codec;
pub mod coverage;
pub mod cursor;
pub mod dead_letter;
pub mod enriched;
pub mod id;
pub mod json_schema;
pub mod limits;
pub mod mention;
pub mod purge;
pub mod raw;
pub mod submission;
pub mod timestamp;
pub mod topics;

pub use codec::{Attributes, CodecError, Event, EventType};
pub use enriched::{EnrichedEvent, RawPosition};
pub use id::{InvalidName, MentionId, SourceName};
pub use limits::Invalid;
pub use mention::Mention;
pub use raw::RawEvent;
pub use timestamp::Timestamp;
