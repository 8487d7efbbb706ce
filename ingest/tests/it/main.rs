//! Ingest from outside, with a log in memory.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod collector;
mod files;
mod keep;
mod log;
mod observe;
mod push;
mod push_properties;
