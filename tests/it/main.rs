//! End to end on the real engines, every role a process of its own. Each scenario ends with the
//! law: what was acknowledged is stored, deleted, unmatched or a dead letter, once.

#![expect(clippy::unwrap_used, reason = "a failed step of the set-up fails the test")]

mod kills;
mod path;
mod setup;
