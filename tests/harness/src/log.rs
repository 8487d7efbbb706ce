//! Straight to the topics, past every role.

use std::time::Duration;

use anyhow::Context;
use bytesize::ByteSize;
use echolot_pipeline::{
    health::HealthBoard,
    metrics::ProducerMetrics,
    producer::Producer,
    reader::LogReader,
    settings::{KafkaSettings, SecurityProtocol},
};
use echolot_schemas::{EventType, MentionId, RawPosition, codec, topics::Topic};

/// A record as it stands on a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it stands.
    pub position: RawPosition,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value; empty for a tombstone of compaction.
    pub payload: Vec<u8>,
    /// Its headers.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Record {
    /// A header that is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(key, _)| key == name)?;
        std::str::from_utf8(value).ok()
    }

    /// The mention it is about, where its key says so.
    pub fn mention(&self) -> Option<MentionId> {
        std::str::from_utf8(self.key.as_deref()?).ok()?.parse().ok()
    }
}

/// The topics of one pipeline.
pub struct Log {
    settings: KafkaSettings,
    producer: Producer,
}

impl Log {
    /// Of the pipeline with this prefix.
    pub fn connect(brokers: &str, prefix: &str, partitions: i32) -> anyhow::Result<Self> {
        let settings = KafkaSettings {
            brokers: brokers.to_owned(),
            prefix: prefix.to_owned(),
            partitions,
            replication: 1,
            security: SecurityProtocol::Plaintext,
            sasl_mechanism: String::new(),
            username: String::new(),
            password: secrecy::SecretString::default().into(),
            ca_file: String::new(),
            session_timeout: Duration::from_secs(6),
            linger: Duration::from_millis(5),
            delivery_timeout: Duration::from_secs(30),
            fetch_ahead: ByteSize::mib(4),
            send_buffer: ByteSize::mib(8),
        };
        let metrics = ProducerMetrics::new(&prometheus::Registry::new())?;
        let health = HealthBoard::default().part("tests");
        let producer = Producer::connect(&settings, metrics, health)?;
        Ok(Self { settings, producer })
    }

    /// Writes bytes that no role of ours would write.
    pub async fn put(
        &self,
        topic: &Topic,
        partition: Option<i32>,
        key: Option<&[u8]>,
        payload: &[u8],
        headers: &[(String, Vec<u8>)],
    ) -> anyhow::Result<()> {
        self.producer
            .publish_bytes(topic, partition, key, payload, headers)
            .await
            .with_context(|| format!("writing to {}", topic.name))
    }

    /// Every record of a topic, partition by partition.
    pub async fn records(&self, topic: Topic) -> anyhow::Result<Vec<Record>> {
        let settings = self.settings.clone();
        let read = move || {
            let mut records = Vec::new();
            LogReader::connect(&settings, "tests")?.read_all(&topic, |record| {
                records.push(Record {
                    position: record.position,
                    key: record.key.map(<[u8]>::to_vec),
                    payload: record.payload.unwrap_or_default().to_vec(),
                    headers: record
                        .headers()
                        .map(|(name, value)| (name.to_owned(), value.to_vec()))
                        .collect(),
                });
            })?;
            Ok(records)
        };
        tokio::task::spawn_blocking(read).await?
    }

    /// Writes records once more, each to its own partition and in their order, as a producer does
    /// that lost the acknowledgements.
    pub async fn repeat(&self, topic: Topic, records: &[Record]) -> anyhow::Result<()> {
        let again = records.iter().map(|record| {
            self.put(
                &topic,
                Some(record.position.partition),
                record.key.as_deref(),
                &record.payload,
                &record.headers,
            )
        });
        futures::future::try_join_all(again).await?;
        Ok(())
    }

    /// Offsets that a group committed on a topic, by partition.
    pub async fn committed(&self, topic: Topic, group: &str) -> anyhow::Result<Vec<Option<i64>>> {
        let (settings, group) = (self.settings.clone(), group.to_owned());
        let read = move || Ok(LogReader::connect(&settings, &group)?.committed(&topic)?);
        tokio::task::spawn_blocking(read).await?
    }
}

/// The headers of an event of this type, as its writers give them.
pub fn headers(event_type: EventType) -> Vec<(String, Vec<u8>)> {
    [
        (codec::header::SPEC_VERSION, "1.0"),
        (codec::header::TYPE, event_type.as_str()),
        (codec::header::DATA_SCHEMA, event_type.data_schema()),
        (codec::header::CONTENT_TYPE, "application/json"),
    ]
    .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
    .to_vec()
}
