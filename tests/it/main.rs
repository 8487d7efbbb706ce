//! End to end on the real engines, every role a process of its own. Each scenario ends with the
//! law: what was acknowledged is stored, deleted, unmatched or a dead letter, once.

mod alerts;
mod analysts;
mod backfill;
mod bad_input;
mod brands;
mod deletions;
mod edits;
mod engines;
mod incidents;
mod kills;
mod paging;
mod path;
mod poison;
mod pressure;
mod redelivery;
mod setup;
mod sources;
mod store_faults;
mod up;
