//! The pages that teams look at, and the HTTP API behind them.
//!
//! ```text
//!  browser ──GET──▶ page (built from web/, in the binary)
//!     │
//!     └──GET /api/v1/…──▶ api/<subject> ──▶ Reader ──(bound parameters, caps)──▶ published views
//! ```
//!
//! The contract: it reads the published database as a user that cannot write, one question at a time
//! within caps on time, memory and rows, and binds every parameter. Answers are JSON with an entity
//! tag; errors say what failed and how to mend it. What people wrote is data: no page makes HTML of
//! it, and the content security policy would stop one that did. The role `dashboard` in `src/` calls
//! [`Dashboard::serve`]; only loopback addresses are served, since there is no login.

mod answer;
mod api;
mod error;
mod page;
mod period;
mod reader;
mod server;
mod settings;
mod uncertainty;
mod words;

pub use server::{Dashboard, DashboardError, openapi};
pub use settings::DashboardSettings;
