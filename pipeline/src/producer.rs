//! The one way into the log: an idempotent producer that waits for every acknowledgement.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use echolot_schemas::{Event, limits, topics::Topic};
use rdkafka::{
    ClientContext,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode},
    message::{DeliveryResult, Header, OwnedHeaders},
    producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer},
};
use tokio::sync::Notify;

use crate::{
    client::{self, Context, KafkaFault},
    dead_letters::DeadLetter,
    health::Health,
    metrics::ProducerMetrics,
    record,
    settings::KafkaSettings,
};

/// How long to wait for room in the producer's queue before trying again.
const QUEUE_FULL_PAUSE: Duration = Duration::from_millis(5);

/// Some records of a call were not acknowledged.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PublishError {
    /// The broker did not take them in time, or refused them for now.
    #[error("kafka did not acknowledge {topic} in time: {source}")]
    Unacknowledged {
        /// Topic with prefix.
        topic: String,
        /// The first failure.
        source: KafkaError,
    },
    /// A record is larger than any topic takes.
    #[error("a record for {topic} is {bytes} bytes, at most {most}", most = limits::RECORD_BYTES)]
    TooLarge {
        /// Topic with prefix.
        topic: String,
        /// Its size.
        bytes: usize,
    },
    /// The client will never deliver again: the process must start anew.
    #[error("the kafka producer failed for good: {0}")]
    Fatal(String),
}

impl PublishError {
    /// True when the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unacknowledged { .. })
    }
}

/// Writes events and waits until the broker has them safely. Cheap to clone.
#[derive(Clone)]
pub struct Producer {
    inner: ThreadedProducer<Tracking>,
    prefix: Arc<str>,
    saturation_bytes: usize,
    metrics: ProducerMetrics,
}

/// What one call still waits for.
struct Ticket {
    open: AtomicUsize,
    bytes: AtomicUsize,
    failure: Mutex<Option<KafkaError>>,
    done: Notify,
}

#[derive(Clone)]
struct Tracking {
    base: Context,
    in_flight_bytes: Arc<AtomicUsize>,
}

impl ClientContext for Tracking {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.base.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.base.error(error, reason);
    }
}

impl ProducerContext for Tracking {
    type DeliveryOpaque = Arc<Ticket>;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: Arc<Ticket>) {
        let message = match result {
            Ok(message) => {
                self.base.health.ready();
                message
            }
            Err((error, message)) => {
                ticket.fail(error.clone());
                message
            }
        };
        self.in_flight_bytes.fetch_sub(message.payload_len(), Ordering::Relaxed);
        ticket.settle();
    }
}

impl Ticket {
    /// Starts with one open place of its own, so that it cannot finish while records are added.
    fn new() -> Arc<Self> {
        Arc::new(Self {
            open: AtomicUsize::new(1),
            bytes: AtomicUsize::new(0),
            failure: Mutex::new(None),
            done: Notify::new(),
        })
    }

    fn fail(&self, error: KafkaError) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
    }

    fn settle(&self) {
        if self.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.done.notify_one();
        }
    }

    async fn finished(&self) -> Option<KafkaError> {
        self.settle();
        if self.open.load(Ordering::Acquire) > 0 {
            // `notify_one` leaves a permit behind when it comes first.
            self.done.notified().await;
        }
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One record on its way out.
struct Outgoing<'a> {
    partition: Option<i32>,
    key: Option<&'a [u8]>,
    /// None for a tombstone of compaction.
    payload: Option<&'a [u8]>,
    headers: OwnedHeaders,
}

impl Producer {
    /// A producer for these settings. Connects in the background.
    pub fn connect(
        settings: &KafkaSettings,
        metrics: ProducerMetrics,
        health: Health,
    ) -> Result<Self, KafkaFault> {
        let mut config = client::base(settings)?;
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("compression.type", "lz4")
            .set("linger.ms", client::millis(settings.linger))
            .set("batch.size", "1000000")
            .set("message.max.bytes", (2 * limits::RECORD_BYTES).to_string())
            .set("delivery.timeout.ms", client::millis(settings.delivery_timeout))
            .set("queue.buffering.max.kbytes", (settings.send_buffer.as_u64() / 1024).to_string())
            .set("queue.buffering.max.messages", "500000")
            .set("partitioner", "murmur2_random");
        let context =
            Tracking { base: Context { health }, in_flight_bytes: Arc::new(AtomicUsize::new(0)) };
        let inner: ThreadedProducer<Tracking> = config
            .create_with_context(context)
            .map_err(|source| KafkaFault::Client { brokers: settings.brokers.clone(), source })?;
        Ok(Self {
            inner,
            prefix: settings.prefix.as_str().into(),
            saturation_bytes: usize::try_from(settings.send_buffer.as_u64() / 2)
                .unwrap_or(usize::MAX),
            metrics,
        })
    }

    /// Writes all events, keyed by mention id; returns once the broker acknowledged every one.
    ///
    /// After an error some may have been written; publishing all of them again is harmless, since
    /// a repeated event has no further effect.
    pub async fn publish<'a, E: Event>(
        &self,
        topic: &Topic,
        events: impl IntoIterator<Item = &'a E>,
        traceparent: Option<&str>,
    ) -> Result<(), PublishError> {
        self.publish_to(topic, events.into_iter().map(|event| (event, None, traceparent))).await
    }

    /// As [`Producer::publish`], each event to a partition of its own choice, if any.
    pub(crate) async fn publish_to<'a, E: Event>(
        &self,
        topic: &Topic,
        events: impl Iterator<Item = (&'a E, Option<i32>, Option<&str>)>,
    ) -> Result<(), PublishError> {
        let call = self.call(topic);
        for (event, partition, traceparent) in events {
            let payload = event.to_json().map_err(|e| PublishError::Fatal(e.to_string()))?;
            let mut buffer = [0; uuid::fmt::Hyphenated::LENGTH];
            call.send(Outgoing {
                partition,
                key: Some(record::key(event.key(), &mut buffer).as_bytes()),
                payload: Some(&payload),
                headers: record::headers(event, traceparent),
            })
            .await?;
        }
        call.acknowledged().await
    }

    /// Writes dead letters and waits for their acknowledgement.
    pub async fn publish_dead(&self, letters: &[DeadLetter]) -> Result<(), PublishError> {
        let call = self.call(&echolot_schemas::topics::DEAD);
        for letter in letters {
            call.send(Outgoing {
                partition: None,
                key: letter.key.as_deref(),
                payload: Some(&letter.payload),
                headers: owned_headers(letter.all_headers().iter()),
            })
            .await?;
        }
        call.acknowledged().await
    }

    /// Writes one record as it is: a cursor, or a dead letter going back to where it came from.
    pub async fn publish_bytes(
        &self,
        topic: &Topic,
        partition: Option<i32>,
        key: Option<&[u8]>,
        payload: &[u8],
        headers: &[(String, Vec<u8>)],
    ) -> Result<(), PublishError> {
        let call = self.call(topic);
        let headers = owned_headers(headers.iter());
        call.send(Outgoing { partition, key, payload: Some(payload), headers }).await?;
        call.acknowledged().await
    }

    /// Takes back every record of `key` on a compacted topic.
    pub async fn publish_tombstone(&self, topic: &Topic, key: &[u8]) -> Result<(), PublishError> {
        let call = self.call(topic);
        let headers = OwnedHeaders::new();
        call.send(Outgoing { partition: None, key: Some(key), payload: None, headers }).await?;
        call.acknowledged().await
    }

    /// Payload bytes sent and not yet acknowledged.
    pub fn in_flight_bytes(&self) -> usize {
        self.inner.context().in_flight_bytes.load(Ordering::Relaxed)
    }

    /// True when more should not be accepted for now: half of the send buffer is in flight.
    pub fn is_saturated(&self) -> bool {
        self.in_flight_bytes() >= self.saturation_bytes
    }

    /// Waits, blocking the thread, until all is acknowledged or the deadline is over.
    pub fn flush(&self, deadline: Duration) {
        if let Err(error) = self.inner.flush(deadline) {
            tracing::warn!("kafka producer did not flush within {deadline:?}: {error}");
        }
    }

    fn call(&self, topic: &Topic) -> Call<'_> {
        Call {
            producer: self,
            topic: format!("{}{}", self.prefix, topic.name),
            ticket: Ticket::new(),
            started: std::time::Instant::now(),
        }
    }
}

/// One call to the producer: records sent, one ticket for all their acknowledgements.
struct Call<'p> {
    producer: &'p Producer,
    topic: String,
    ticket: Arc<Ticket>,
    started: std::time::Instant,
}

impl Call<'_> {
    async fn send(&self, outgoing: Outgoing<'_>) -> Result<(), PublishError> {
        let bytes = outgoing.payload.map_or(0, <[u8]>::len);
        if bytes > limits::RECORD_BYTES {
            return Err(PublishError::TooLarge { topic: self.topic.clone(), bytes });
        }
        self.ticket.open.fetch_add(1, Ordering::AcqRel);
        self.ticket.bytes.fetch_add(bytes, Ordering::Relaxed);
        let in_flight = &self.producer.inner.context().in_flight_bytes;
        in_flight.fetch_add(bytes, Ordering::Relaxed);
        let mut record = BaseRecord::with_opaque_to(&self.topic, Arc::clone(&self.ticket))
            .headers(outgoing.headers);
        record.payload = outgoing.payload;
        record.partition = outgoing.partition;
        record.key = outgoing.key;
        loop {
            match self.producer.inner.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    record = back;
                    tokio::time::sleep(QUEUE_FULL_PAUSE).await;
                }
                Err((error, _)) => {
                    in_flight.fetch_sub(bytes, Ordering::Relaxed);
                    self.ticket.settle();
                    return Err(self.error(error));
                }
            }
        }
    }

    async fn acknowledged(self) -> Result<(), PublishError> {
        let failure = self.ticket.finished().await;
        let metrics = &self.producer.metrics;
        metrics.ack_seconds.observe(self.started.elapsed().as_secs_f64());
        match failure {
            None => {
                metrics.sent_bytes.inc_by(self.ticket.bytes.load(Ordering::Relaxed) as u64);
                Ok(())
            }
            Some(error) => {
                metrics.failures.inc();
                Err(self.error(error))
            }
        }
    }

    fn error(&self, source: KafkaError) -> PublishError {
        match self.producer.inner.client().fatal_error() {
            Some((_, reason)) => PublishError::Fatal(reason),
            None => PublishError::Unacknowledged { topic: self.topic.clone(), source },
        }
    }
}

fn owned_headers<'a>(headers: impl Iterator<Item = &'a (String, Vec<u8>)>) -> OwnedHeaders {
    headers.fold(OwnedHeaders::new(), |all, (key, value)| {
        all.insert(Header { key, value: Some(value) })
    })
}
