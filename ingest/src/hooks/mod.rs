//! Webhooks: sources that call us, at `POST /v1/hooks/NAME`.
//!
//! ```text
//!  request ─▶ admission, sizes, times ─▶ Hook::authenticate ─▶ Hook::translate ─▶ Page
//!              as for /v1/mentions          401                                      │
//!  202 ◀── acknowledged ◀── mentions.raw, mentions.dead, purges ◀───────────────────┘
//! ```
//!
//! A platform that sends webhooks mends nothing when an item is refused, so what cannot be read
//! becomes a dead letter and the answer is 202 all the same; 401, 413, 429 and 503 mean that
//! nothing was taken.

mod router;

use axum::http::HeaderMap;
use bytes::Bytes;
use echolot_schemas::{SourceName, Timestamp};

pub use self::router::router;
use crate::{keep::KeepRule, source::Page};

/// A request that proves nothing, or the wrong thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unauthorised(pub &'static str);

/// What every webhook source is: a translation of one platform's requests.
pub trait Hook: Send + Sync {
    /// Its name in the path, logs and metrics.
    fn name(&self) -> &SourceName;

    /// Which of its mentions enter the log.
    fn keep(&self) -> KeepRule {
        KeepRule::All
    }

    /// Checks that the platform sent it: the signature over the raw body, in constant time.
    fn authenticate(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), Unauthorised>;

    /// What the request says. Items that cannot be read go to `rejected`; what is rightly of no
    /// interest (a ping) is an empty page. The page's cursor is not looked at.
    fn translate(&self, headers: &HeaderMap, body: Bytes) -> Page;
}
