//! The only place where the pipeline reads the time of day.

use std::time::{SystemTime, UNIX_EPOCH};

use echolot_schemas::Timestamp;

/// The present instant.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
