//! Times a span apart, and the gap of a walk that stopped short.

use std::time::Duration;

use echolot_schemas::{Timestamp, coverage::GapReason};

use crate::{
    source::{Notice, Page},
    sources::polled::seen::Seen,
};

/// The time `span` before `now`.
pub(crate) fn before(now: Timestamp, span: Duration) -> Timestamp {
    let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(now.as_millis().saturating_sub(millis))
}

/// The time `span` after `now`.
pub(crate) fn after(now: Timestamp, span: Duration) -> Timestamp {
    let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(now.as_millis().saturating_add(millis))
}

/// From `now` until `then`; nothing once that is over.
pub(crate) fn until(now: Timestamp, then: Timestamp) -> Duration {
    let millis = then.as_millis().saturating_sub(now.as_millis());
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// Tells the gap of a walk that ended at `oldest` before it met what was seen.
pub(crate) fn note_short_walk(page: &mut Page, seen: &Seen, oldest: Option<Timestamp>) {
    if let Some(to) = oldest {
        let from = seen.newest();
        page.notices.push(Notice::Gap { from, to, why: GapReason::Window });
    }
}
