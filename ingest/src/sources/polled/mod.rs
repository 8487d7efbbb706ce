//! What all polled platforms have in common.
//!
//! ```text
//!  place ─▶ Platform::poll ─▶ Step { page, place, more } ─▶ page with the new place as its cursor
//!    ▲           │ fault: the place stays, so the same poll is made again
//!    └───────────┴── a turn later, or at once where there is more
//! ```
//!
//! A platform is a function from a place to what was said since and the place behind it. It holds
//! nothing else that matters, so a poll that failed half-way leaves no trace, and a process that
//! goes on at a saved place says what the one before it would have said.

pub(crate) mod answer;
pub(crate) mod options;
pub(crate) mod recheck;
pub(crate) mod seen;
pub(crate) mod span;
pub(crate) mod token;

use std::{future::Future, time::Duration};

use bytes::Bytes;
use echolot_pipeline::{clock::Clock, stage::Rejection};
use echolot_schemas::{SourceName, Timestamp, cursor::CursorRecord, submission::Submission};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::Instant;

use crate::{
    keep::KeepRule,
    rejected::{Place, Rejected},
    source::{Observation, Page, Source, SourceFault},
    sources::SourceContext,
};

/// What a poll came to.
#[derive(Debug)]
pub(crate) struct Step<P> {
    /// What was said; its cursor is filled in by [`Polled`].
    pub(crate) page: Page,
    /// Where to go on.
    pub(crate) place: P,
    /// True when the platform has more to say right now.
    pub(crate) more: bool,
}

/// A platform that is asked at intervals.
pub(crate) trait Platform: Send + Sync {
    /// Where to go on, in the platform's own terms. Its JSON is the cursor.
    type Place: Serialize + DeserializeOwned + Clone + Send + Sync;

    /// Where to begin when nothing was ever read.
    fn begin(
        &self,
        now: Timestamp,
    ) -> impl Future<Output = Result<Self::Place, SourceFault>> + Send;

    /// What was said since `place`. A fault must leave nothing behind.
    fn poll(
        &self,
        place: &Self::Place,
        now: Timestamp,
    ) -> impl Future<Output = Result<Step<Self::Place>, SourceFault>> + Send;
}

/// A [`Platform`] as a [`Source`].
#[derive(Debug)]
pub(crate) struct Polled<P: Platform> {
    name: SourceName,
    platform: P,
    clock: Clock,
    keep: KeepRule,
    interval: Duration,
    place: Option<P::Place>,
    next_turn: Option<Instant>,
}

impl<P: Platform> Polled<P> {
    /// Asks `platform` as often as the settings say, or else every `interval`.
    pub(crate) fn new(context: SourceContext, platform: P, interval: Duration) -> Self {
        let SourceContext { name, common, clock, .. } = context;
        let (keep, interval) =
            (common.keep.unwrap_or_default(), common.interval.unwrap_or(interval));
        Self { name, platform, clock, keep, interval, place: None, next_turn: None }
    }
}

impl<P: Platform> Source for Polled<P> {
    fn name(&self) -> &SourceName {
        &self.name
    }

    fn keep(&self) -> KeepRule {
        self.keep
    }

    /// Platforms keep what was said for longer than most outages, and say so where they did not.
    fn replays(&self) -> bool {
        true
    }

    async fn resume(&mut self, cursor: Option<CursorRecord>) -> Result<(), SourceFault> {
        let place = match cursor {
            None => self.platform.begin(self.clock.now()).await?,
            Some(record) => serde_json::from_str(&record.position).map_err(|error| {
                SourceFault::Fatal(format!(
                    "the saved cursor is none of this kind of source ({error}); \
                     give the source another name, or the kind it had before"
                ))
            })?,
        };
        self.place = Some(place);
        Ok(())
    }

    async fn next_page(&mut self) -> Result<Option<Page>, SourceFault> {
        if let Some(turn) = self.next_turn {
            tokio::time::sleep_until(turn).await;
        }
        let now = self.clock.now();
        let place = match &self.place {
            Some(place) => place,
            None => self.place.insert(self.platform.begin(now).await?),
        };
        let Step { mut page, place, more } = self.platform.poll(place, now).await?;
        let cursor = serde_json::to_string(&place).map_err(|error| {
            SourceFault::Fatal(format!("the cursor cannot be written: {error}"))
        })?;
        page.cursor = Some(cursor);
        self.place = Some(place);
        self.next_turn = (!more).then(|| Instant::now() + self.interval);
        Ok(Some(page))
    }
}

/// Adds what an item came to: a mention, nothing, or a rejection with the item as it came.
pub(crate) fn add(
    page: &mut Page,
    source: &SourceName,
    native_id: &str,
    read: Result<Option<Submission>, Rejection>,
    original: Bytes,
) {
    match read {
        Ok(Some(submission)) => {
            page.observations.push(Observation::new(source, submission, original));
        }
        Ok(None) => {}
        Err(rejection) => {
            let place = Place::NativeId(native_id.to_owned());
            page.rejected.push(Rejected::new(place, rejection, original));
        }
    }
}
