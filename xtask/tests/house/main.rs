//! The rules of the house.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod files;
mod generated;
mod layers;
