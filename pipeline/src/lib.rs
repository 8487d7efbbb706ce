//! The runtime that every stage shares.
//!
//! ```text
//!  topic ─▶ Consumer ─▶ Desk (ledgers, budget) ─▶ Stage::judge ─▶ Outlet ─▶ next topic
//!              ▲                                     │ reject ─▶ mentions.dead
//!              └── commit ◀── frontier ◀── settled ◀─┘
//! ```
//!
//! The contract: delivery is at least once, and an offset is committed only after everything about
//! it took effect. A [`Stage`](stage::Stage) judges batches and knows nothing of Kafka; a
//! [`Worker`](worker::Worker) runs it. `ingest` writes through the [`Producer`](producer::Producer)
//! and keeps its place in a [`CursorStore`](cursors::CursorStore). Stages that ask which brands a
//! mention is about share [`brands`], which follows the brand files. This is the only crate that
//! imports `rdkafka`.

mod client;
mod consumer;
mod delivery;
mod desk;
mod judge;
mod ledger;
mod poison;
mod record;

pub mod admin;
pub mod brands;
pub mod clock;
pub mod cursors;
pub mod dead_letters;
pub mod health;
pub mod leader;
pub mod metrics;
pub mod outlet;
pub mod producer;
pub mod reader;
pub mod retry;
pub mod settings;
pub mod stage;
pub mod worker;

#[cfg(test)]
mod testing;

pub use client::KafkaFault;
