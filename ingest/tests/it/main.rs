//! Ingest from outside, with a log in memory.

mod collector;
mod files;
mod log;
mod observe;
mod push;
