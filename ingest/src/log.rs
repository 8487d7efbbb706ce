//! The log as ingest needs it: three narrow traits, so that tests run without a broker.

use std::future::Future;

use echolot_pipeline::{
    KafkaFault,
    cursors::{CursorError, CursorStore},
    dead_letters::DeadLetter,
    producer::{Producer, PublishError},
};
use echolot_schemas::{RawEvent, cursor::CursorRecord, topics};

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
