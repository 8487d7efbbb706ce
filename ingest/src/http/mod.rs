//! The one way out: every request of every source goes through here.
//!
//! ```text
//!  Fetch ─▶ guard (URL) ─▶ host: slots, pace, left alone ─▶ look-up ─▶ guard (address) ─▶ connect
//!    ▲                                                                                       │
//!    └── redirect: at most five, each judged anew ◀── head in time ◀─────────────────────────┘
//!                                                        │
//!                                    body, unpacked under its cap, in time ─▶ Answer
//! ```
//!
//! What the other side says is hostile: where it sends us, how much, how slowly. No environment
//! variable names a proxy, since a proxy would look names up beyond the guard.

mod answer;
mod client;
mod connect;
pub mod fault;
pub mod guard;
mod hosts;
mod resolve;
mod settings;

pub use self::{
    answer::{Answer, retry_after},
    client::{Fetch, HttpClient, HttpSetupError},
    connect::Connection,
    fault::HttpError,
    resolve::Lookup,
    settings::HttpSettings,
};
