//! Ingest from outside, with a log in memory.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod collector;
mod documents;
mod files;
mod hostile_http;
mod hostile_websocket;
mod jetstream;
mod jetstream_faults;
mod keep;
mod log;
mod mastodon;
mod mattermost;
mod observe;
mod parsers;
mod platforms;
mod purge;
mod push;
mod push_properties;
mod supervisor;
mod websocket;
