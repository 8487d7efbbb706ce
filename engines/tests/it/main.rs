//! The supervisor against the real engines. A missing engine fails these tests:
//! `make engines` installs what they need.

#![expect(clippy::unwrap_used, reason = "a failed step of the set-up fails the test")]

mod clickhouse;
mod faults;
mod lifecycle;
mod setup;
