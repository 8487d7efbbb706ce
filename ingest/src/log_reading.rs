//! What ingest reads back from Kafka: coverage, requests to forget authors, and their mentions.

use std::{
    collections::{BTreeMap, HashMap},
    str,
    sync::{Arc, Mutex, PoisonError},
};

use echolot_pipeline::{
    KafkaFault, producer::Producer, reader::LogReader, settings::KafkaSettings,
};
use echolot_schemas::{
    Event as _, EventType, MentionId, RawEvent, SourceName, codec::header,
    coverage::SourceCoverage, purge::PurgeRequest, topics,
};
use serde::de::DeserializeOwned;

use crate::{
    log::{CoverageLog, LogFault, PurgeLog},
    purge::Found,
};

/// Nothing is ever committed in its name.
const GROUP: &str = "ingest-reading";

/// Reads by itself and writes through `producer`. Cheap to clone.
#[derive(Clone)]
pub struct KafkaReading {
    settings: KafkaSettings,
    producer: Producer,
    /// The client of the read before, unless that failed or another read has it in hand.
    reader: Arc<Mutex<Option<LogReader>>>,
}

impl std::fmt::Debug for KafkaReading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KafkaReading")
    }
}

impl KafkaReading {
    /// Nothing is connected to yet.
    pub fn new(settings: KafkaSettings, producer: Producer) -> Self {
        Self { settings, producer, reader: Arc::default() }
    }

    /// Reads on a thread where it may block. A client that failed is not used again.
    async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce(&LogReader) -> Result<T, KafkaFault> + Send + 'static,
    ) -> Result<T, LogFault> {
        let (settings, kept) = (self.settings.clone(), Arc::clone(&self.reader));
        let read = move || {
            let idle = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
            let reader = idle.map_or_else(|| LogReader::connect(&settings, GROUP), Ok)?;
            let answer = read(&reader)?;
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(reader);
            Ok(answer)
        };
        tokio::task::spawn_blocking(read)
            .await
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
            .map_err(|fault: KafkaFault| LogFault::Unavailable(fault.to_string()))
    }
}

/// A record that cannot be read is another version's or nobody's: told, and passed over.
fn readable<T: DeserializeOwned>(topic: &topics::Topic, payload: &[u8]) -> Option<T> {
    serde_json::from_slice(payload)
        .inspect_err(|error| tracing::warn!(topic = topic.name, "a record is unreadable: {error}"))
        .ok()
}

impl CoverageLog for KafkaReading {
    async fn read_coverage(&self) -> Result<HashMap<SourceName, SourceCoverage>, LogFault> {
        self.reading(|reader| {
            let mut newest = HashMap::new();
            reader.read_all(&topics::COVERAGE, |record| {
                let Some(json) = record.payload else { return };
                if let Some(coverage) = readable::<SourceCoverage>(&topics::COVERAGE, json) {
                    newest.insert(coverage.source.clone(), coverage);
                }
            })?;
            Ok(newest)
        })
        .await
    }

    async fn write_coverage(&self, coverage: &[SourceCoverage]) -> Result<(), LogFault> {
        for one in coverage {
            let payload =
                serde_json::to_vec(one).map_err(|error| LogFault::Fatal(error.to_string()))?;
            let key = Some(one.source.as_str().as_bytes());
            self.producer.publish_bytes(&topics::COVERAGE, None, key, &payload, &[]).await?;
        }
        Ok(())
    }
}

impl PurgeLog for KafkaReading {
    async fn pending_purges(&self) -> Result<Vec<PurgeRequest>, LogFault> {
        self.reading(|reader| {
            let mut pending = BTreeMap::new();
            reader.read_all(&topics::PURGES, |record| {
                let key = record.key.unwrap_or_default().to_vec();
                match record.payload.map(|json| readable::<PurgeRequest>(&topics::PURGES, json)) {
                    Some(Some(request)) => {
                        pending.insert(key, request);
                    }
                    Some(None) => {}
                    None => {
                        pending.remove(&key);
                    }
                }
            })?;
            Ok(pending.into_values().collect())
        })
        .await
    }

    async fn find_mentions(&self, mut found: Found) -> Result<Found, LogFault> {
        self.reading(move |reader| {
            reader.read_all(&topics::RAW, |record| {
                let Some(payload) = record.payload else { return };
                let deleted = record.headers().any(|(name, value)| {
                    name == header::TYPE && value == EventType::MentionDeleted.as_str().as_bytes()
                });
                if deleted {
                    let key = record.key.and_then(|key| str::from_utf8(key).ok());
                    if let Some(id) = key.and_then(|key| key.parse::<MentionId>().ok()) {
                        found.forget(id);
                    }
                } else if found.may_concern(payload)
                    && let Ok(event) = RawEvent::from_json(EventType::MentionObserved, payload)
                {
                    found.note(&event);
                }
            })?;
            Ok(found)
        })
        .await
    }

    async fn finish_purges(&self, requests: &[PurgeRequest]) -> Result<(), LogFault> {
        for request in requests {
            self.producer.publish_tombstone(&topics::PURGES, request.key().as_bytes()).await?;
        }
        Ok(())
    }
}
