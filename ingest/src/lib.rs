//! Mentions into the log.
//!
//! ```text
//!  Source (pull) ─▶ Collector ─┐
//!                              ├─▶ Observer ─▶ mentions.raw          acknowledged, then the cursor
//!  HTTP push, files ───────────┘      │ reject
//!                                     └─▶ mentions.dead / the sender
//! ```
//!
//! The contract: whatever was acknowledged to a sender, or lies before a saved cursor, is in the
//! log; whatever was refused is told with its place and reason; the same thing said twice has the
//! same id, so repeating anything is harmless.
//!
//! * [`source`] is the trait that every pull source implements, each in a single file.
//! * [`collector`] is the loop around all of them: page, publish, acknowledge, save the cursor.
//! * [`observe`] makes an event of a submission; [`privacy`] hides its author.
//! * [`keep`] leaves out what is about no brand, where a source is so configured.
//! * [`push`] is `POST /v1/mentions`; [`files`] is `echolot backfill`.
//! * [`log`] is all that ingest needs of `echolot-pipeline`'s producer and cursor store.
//!
//! The role `ingest` and the commands `up` and `backfill` call this crate.

mod array;
pub mod collector;
pub mod coverage;
pub mod files;
pub mod hooks;
pub mod http;
mod judged;
pub mod keep;
pub mod log;
pub mod log_reading;
pub mod metrics;
pub mod observe;
pub mod privacy;
pub mod purge;
pub mod push;
pub mod rejected;
pub mod settings;
pub mod source;
pub mod sources;
pub mod submission;
pub mod supervisor;
pub mod text;
