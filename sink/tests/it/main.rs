//! The sink on the real server.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod lab;
mod log;
mod proxy;
mod server;

mod audits;
mod brands;
mod crashes;
mod deletions;
mod edits;
mod generations;
mod noise;
mod redelivery;
mod refusals;
mod schedules;
mod tls;
mod writers;
