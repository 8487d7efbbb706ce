//! The end-to-end tests' stage hands: real engines, real roles as processes of their own, every
//! kind of breakage, and the law that holds afterwards.
//!
//! ```text
//!  Engines (Kafka, ClickHouse) ◀──────────── Proxy (refuses, delays, drops answers)
//!     ▲                                        ▲
//!  Pipeline: prefix + database of its own      │
//!     ├─ Role ingest │ enrich │ sink ──────────┘   start, ready, kill -9, restart, stop
//!     ├─ Push, Load      signed mentions, repeated until they are acknowledged
//!     ├─ Recordings       platforms that play what was recorded, for sources to follow
//!     ├─ Prometheus, Alertmanager   Debian's, with the shipped rules; they tell a Letterbox
//!     ├─ Log             poison straight onto a topic; records delivered twice
//!     ├─ StoreClient     what analysts would see
//!     └─ law             acknowledged = stored + deleted + unmatched + dead-lettered
//! ```
//!
//! The contract: whatever is started here dies with the thread that started it, is only ever
//! signalled by its own pid, and listens on loopback alone. Called by `tests/it` and by the program
//! `torture`.

pub mod engines;
pub mod known;
pub mod law;
pub mod letterbox;
pub mod load;
pub mod log;
pub mod pager;
pub mod pipeline;
pub mod posts;
pub mod process;
pub mod proxy;
pub mod push;
pub mod recordings;
pub mod role;
pub mod store;
pub mod torture;
pub mod wait;

mod places;

pub use engines::{Endpoints, Engines};
pub use law::Account;
pub use pipeline::{Pipeline, Roles, Site};
pub use process::Process;
pub use proxy::{Mode, Proxy};
pub use recordings::Recordings;
pub use role::{Role, RoleName};
