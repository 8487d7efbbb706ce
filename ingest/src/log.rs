//! The log as ingest needs it: narrow traits, so that tests run without a broker.

use std::{collections::HashMap, future::Future};

use echolot_pipeline::{
    KafkaFault,
    cursors::{CursorError, CursorStore},
    dead_letters::DeadLetter,
    producer::{Producer, PublishError},
};
use echolot_schemas::{
    RawEvent, SourceName, coverage::SourceCoverage, cursor::CursorRecord, purge::PurgeRequest,
    topics,
};

use crate::purge::Found;

/// The log did not take or give something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogFault {
    /// May pass; the same call may be made again, and doing so is harmless.
    #[error("{0}")]
    Unavailable(String),
    /// Will not pass by itself.
    #[error("{0}")]
    Fatal(String),
}

impl From<PublishError> for LogFault {
    fn from(error: PublishError) -> Self {
        if error.is_transient() {
            Self::Unavailable(error.to_string())
        } else {
            Self::Fatal(error.to_string())
        }
    }
}

impl From<CursorError> for LogFault {
    fn from(error: CursorError) -> Self {
        match error {
            CursorError::Read(KafkaFault::Broker { .. }) => Self::Unavailable(error.to_string()),
            CursorError::Save(fault) => fault.into(),
            CursorError::Read(_) | CursorError::Malformed { .. } => Self::Fatal(error.to_string()),
        }
    }
}

/// Takes events and answers once they are safe.
pub trait Publish: Clone + Send + Sync + 'static {
    /// Writes `events` to `mentions.raw`; `Ok` once every one is acknowledged.
    fn publish(
        &self,
        events: &[RawEvent],
        traceparent: Option<&str>,
    ) -> impl Future<Output = Result<(), LogFault>> + Send;

    /// Writes `letters` to `mentions.dead`; `Ok` once every one is acknowledged.
    fn publish_dead(
        &self,
        letters: &[DeadLetter],
    ) -> impl Future<Output = Result<(), LogFault>> + Send;

    /// Writes `requests` to `ingest.purges`; `Ok` once every one is acknowledged.
    fn publish_purges(
        &self,
        requests: &[PurgeRequest],
    ) -> impl Future<Output = Result<(), LogFault>> + Send;

    /// True when no more should be accepted for now.
    fn is_saturated(&self) -> bool;
}

/// Remembers where sources go on.
pub trait Cursors: Send + Sync {
    /// What was saved last under `name`.
    fn load(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<Option<CursorRecord>, LogFault>> + Send;

    /// Saves a place; `Ok` once it is acknowledged.
    fn save(
        &self,
        name: &str,
        record: &CursorRecord,
    ) -> impl Future<Output = Result<(), LogFault>> + Send;
}

/// What the coverage ledger needs.
pub trait CoverageLog: Send + Sync {
    /// What was written last of each source.
    fn read_coverage(
        &self,
    ) -> impl Future<Output = Result<HashMap<SourceName, SourceCoverage>, LogFault>> + Send;

    /// Writes the newest coverage of some sources; `Ok` once it is acknowledged.
    fn write_coverage(
        &self,
        coverage: &[SourceCoverage],
    ) -> impl Future<Output = Result<(), LogFault>> + Send;
}

/// What forgetting authors needs.
pub trait PurgeLog: Send + Sync {
    /// Requests that were not taken back.
    fn pending_purges(&self) -> impl Future<Output = Result<Vec<PurgeRequest>, LogFault>> + Send;

    /// Reads `mentions.raw` up to what is its end now, and fills `found`.
    fn find_mentions(&self, found: Found) -> impl Future<Output = Result<Found, LogFault>> + Send;

    /// Takes requests back.
    fn finish_purges(
        &self,
        requests: &[PurgeRequest],
    ) -> impl Future<Output = Result<(), LogFault>> + Send;
}

impl Publish for Producer {
    async fn publish(
        &self,
        events: &[RawEvent],
        traceparent: Option<&str>,
    ) -> Result<(), LogFault> {
        Ok(Producer::publish(self, &topics::RAW, events, traceparent).await?)
    }

    async fn publish_dead(&self, letters: &[DeadLetter]) -> Result<(), LogFault> {
        Ok(Producer::publish_dead(self, letters).await?)
    }

    async fn publish_purges(&self, requests: &[PurgeRequest]) -> Result<(), LogFault> {
        for request in requests {
            let payload =
                serde_json::to_vec(request).map_err(|error| LogFault::Fatal(error.to_string()))?;
            let key = request.key();
            self.publish_bytes(&topics::PURGES, None, Some(key.as_bytes()), &payload, &[]).await?;
        }
        Ok(())
    }

    fn is_saturated(&self) -> bool {
        Producer::is_saturated(self)
    }
}

impl Cursors for CursorStore {
    async fn load(&self, name: &str) -> Result<Option<CursorRecord>, LogFault> {
        Ok(CursorStore::load(self, name).await?)
    }

    async fn save(&self, name: &str, record: &CursorRecord) -> Result<(), LogFault> {
        Ok(CursorStore::save(self, name, record).await?)
    }
}
