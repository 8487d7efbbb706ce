//! The real engines, Apache Kafka and ClickHouse, as supervised child processes.
//!
//! `echolot up` calls this crate when `kafka.brokers` or `clickhouse.url` are
//! unset; the end-to-end tests and the bench call it too. Nothing in here speaks
//! to the engines beyond asking whether they are ready.
//!
//! ```text
//!  engines.sh ──▶ Installation        jars, libchdb.so, java
//!                      │
//!  EngineHome ─────────┤              .echolot/: lock, ports, secrets, data, logs
//!                      ▼
//!                 Supervisor ──▶ EngineEndpoints (brokers, url, logins)
//!                  │      │
//!        keeper thread  keeper thread     one per engine: spawns, waits, reaps
//!              │              │
//!          java kafka.Kafka   echolot engine … (libchdb.so)
//! ```
//!
//! The contract:
//! - one home serves one supervisor at a time; a second one is refused;
//! - an engine is handed out only after it answered as itself, on ports that stay
//!   the same for as long as the home can keep them;
//! - a crashed engine comes back on the same ports, with growing pauses, until it
//!   failed too often in a row: then [`Supervisor::failed`] says why;
//! - no engine outlives the process that started it, however that process ends.
//!
//! The binary has to route its hidden subcommand `engine` to [`entry::run`].

pub mod entry;

mod backoff;
mod clickhouse;
mod endpoints;
mod error;
mod home;
mod install;
mod java;
mod kafka;
mod keeper;
mod kind;
mod launcher;
mod leftover;
mod logs;
mod ports;
mod secrets;
mod supervised;
mod supervisor;

pub use backoff::RestartPolicy;
pub use clickhouse::ClickHouseOptions;
pub use endpoints::{ClickHouseEndpoint, EngineEndpoints, KafkaEndpoint, Login};
pub use error::EngineError;
pub use home::EngineHome;
pub use install::{Installation, clickhouse_version, kafka_version};
pub use kafka::KafkaOptions;
pub use kind::EngineKind;
pub use launcher::Launcher;
pub use supervisor::{EngineEvent, EngineOptions, EnginePhase, Supervisor};
