//! The sink on the real server.

mod lab;
mod log;
mod proxy;
mod server;

mod crashes;
mod deletions;
mod edits;
mod generations;
mod redelivery;
mod refusals;
mod schedules;
mod writers;
