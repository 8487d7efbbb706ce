//! What is published stays readable, and every example says what it seems to say.

mod breaking;
mod breaking_cases;
mod corpus;
mod examples;
mod published;
