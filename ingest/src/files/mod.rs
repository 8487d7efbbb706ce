//! Files into the log: `echolot backfill FILE…`.
//!
//! ```text
//!  file / stdin ─▶ gzip, zstd ─▶ NDJSON, JSON array, CSV, TSV ─▶ columns ─▶ Submission ─▶ collector
//! ```
//!
//! Compression and format are told by content, not by name. Records are bounded in size and read one
//! page at a time, so a file may be larger than memory. What is no mention becomes a dead letter
//! with `file:line`; the rest goes on. Original times are kept. The place in a file is saved after
//! every page, a finished file is remembered as finished, and reading it again changes no count.

mod backfill;
mod columns;
mod input;
mod lines;
mod position;
mod reader;
mod record;
mod source;
mod table;
mod value;
mod zone;

pub use self::{
    backfill::{BackfillError, BackfillOptions, FileOutcome, FileReport, expand, read_options},
    columns::{Columns, Field, MapError},
    reader::FileFormat,
    record::Parser,
    source::{FileSource, Origin, Progress, ReadOptions},
    zone::{TimeZoneRule, UnknownZone},
};
