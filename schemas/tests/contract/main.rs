//! What is published stays readable, and every example says what it seems to say.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod breaking;
mod breaking_cases;
mod corpus;
mod examples;
mod published;
