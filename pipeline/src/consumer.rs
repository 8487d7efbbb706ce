//! The consumer thread: polls, charges, hands batches on, commits the frontier.
//!
//! librdkafka wants to be polled on one thread without long pauses, so nothing here waits for the
//! stage except within the limits of the budget.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use echolot_schemas::{Event, topics::Topic};
use rdkafka::{
    ClientContext, Offset, Statistics, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, Rebalance},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
};
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

use crate::{
    client::{self, Context, KafkaFault},
    clock,
    delivery::Delivery,
    desk::{Batch, Desk},
    health::Health,
    metrics::StageMetrics,
    settings::KafkaSettings,
};

/// Longest single wait in `poll`: bounds how late a cancellation or settlement is noticed.
const TURN: Duration = Duration::from_millis(100);
/// Wait while a batch is due and the stage busy.
const SHORT_TURN: Duration = Duration::from_millis(5);
/// Records taken between two looks at settlements and commits.
const BURST: usize = 256;
/// Offsets are committed at most this often.
const COMMIT_EVERY: Duration = Duration::from_millis(200);
/// A stage that settles nothing for this long has its partitions paused, so that polling goes on.
const STALLED: Duration = Duration::from_secs(1);

pub(crate) struct Consumer<E: Event> {
    client: BaseConsumer<Rebalancer<E>>,
    topic: String,
    drain: Duration,
    batches: Sender<Batch<E>>,
    health: Health,
    metrics: StageMetrics,
}

/// Holds the desk where librdkafka's callbacks reach it. They run inside `poll`, on this thread.
struct Rebalancer<E> {
    base: Context,
    desk: Arc<Mutex<Desk<E>>>,
    topic: String,
    drain: Duration,
    metrics: StageMetrics,
}

impl<E: Event> Rebalancer<E> {
    fn desk(&self) -> MutexGuard<'_, Desk<E>> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E: Event> ClientContext for Rebalancer<E> {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.base.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.base.error(error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        let lag: i64 = statistics
            .topics
            .get(&self.topic)
            .into_iter()
            .flat_map(|topic| topic.partitions.values())
            .map(|partition| partition.consumer_lag.max(0))
            .sum();
        self.metrics.lag_records.set(lag);
        let behind = self.desk().seconds_behind(lag > 0, clock::now());
        self.metrics.lag_seconds.set(behind);
    }
}

impl<E: Event> ConsumerContext for Rebalancer<E> {
    fn pre_rebalance(&self, client: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(_) = rebalance {
            let mut desk = self.desk();
            // What was not handed on need not be: the next owner reads it again.
            desk.forget_buffer();
            drain(&mut desk, self.drain);
            commit_all(client, &self.topic, &desk);
            desk.release();
            self.metrics.assigned.set(0);
            self.base.health.not_ready("no partitions assigned");
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        self.metrics.rebalances.inc();
        if let Rebalance::Assign(partitions) = rebalance {
            let mut desk = self.desk();
            desk.assign(
                partitions
                    .elements()
                    .iter()
                    .map(rdkafka::topic_partition_list::TopicPartitionListElem::partition),
            );
            self.metrics.assigned.set(i64::try_from(desk.partitions()).unwrap_or(i64::MAX));
            tracing::info!(topic = %self.topic, partitions = desk.partitions(), "partitions assigned");
            if desk.partitions() > 0 {
                self.base.health.ready();
            }
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        if let Err(error) = result {
            // The next commit covers this one; a lost commit only means redelivery.
            tracing::debug!(topic = %self.topic, "commit failed: {error}");
        }
    }
}

impl<E: Event> Consumer<E> {
    pub(crate) fn connect(
        kafka: &KafkaSettings,
        topic: &Topic,
        group: &str,
        desk: Desk<E>,
        batches: Sender<Batch<E>>,
        health: Health,
        metrics: StageMetrics,
    ) -> Result<Self, KafkaFault> {
        let topic = format!("{}{}", kafka.prefix, topic.name);
        let fetch_ahead = (kafka.fetch_ahead.as_u64() / 1024).to_string();
        let drain = desk.patience();
        let context = Rebalancer {
            base: Context { health: health.clone() },
            desk: Arc::new(Mutex::new(desk)),
            topic: topic.clone(),
            drain,
            metrics: metrics.clone(),
        };
        let client: BaseConsumer<Rebalancer<E>> = client::base(kafka)?
            .set("group.id", format!("{}{group}", kafka.prefix))
            .set("session.timeout.ms", client::millis(kafka.session_timeout))
            .set("heartbeat.interval.ms", client::millis(kafka.session_timeout / 4))
            // The frontier is ours to keep: neither stored nor committed behind our back.
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "earliest")
            // Cooperative assignment revokes repeatedly (librdkafka#3891).
            .set("partition.assignment.strategy", "range")
            .set("queued.max.messages.kbytes", fetch_ahead)
            // The queue's limit is looked at between fetches only, and what a fetch brings unpacks
            // to about four times its size. A larger batch of records comes whole all the same.
            .set("fetch.max.bytes", (1 << 20).to_string())
            .set("max.partition.fetch.bytes", (1 << 18).to_string())
            .set("queued.min.messages", "10000")
            // A full queue is looked at again after this. By default that is a second, in which a
            // stage that empties it sooner stands still before a backlog.
            .set("fetch.queue.backoff.ms", "10")
            .set("fetch.wait.max.ms", "50")
            .set("fetch.error.backoff.ms", "50")
            .set("statistics.interval.ms", "1000")
            .create_with_context(context)
            .map_err(|source| KafkaFault::Client { brokers: kafka.brokers.clone(), source })?;
        client
            .subscribe(&[&topic])
            .map_err(|source| KafkaFault::broker(format!("subscribing to {topic}"), source))?;
        Ok(Self { client, topic, drain, batches, health, metrics })
    }

    /// Polls until cancelled, then drains; ends early when the stage's side has ended.
    pub(crate) fn run(self, cancel: &CancellationToken) -> Result<(), KafkaFault> {
        let mut turn = Turn::default();
        while !cancel.is_cancelled() {
            self.health.alive();
            let wait = {
                let mut desk = self.client.context().desk();
                if !desk.settle(Duration::ZERO) || self.batches.is_closed() {
                    return Ok(());
                }
                self.observe(&desk);
                if turn.commit_is_due() {
                    self.commit(&mut desk)?;
                }
                self.hand_on(&mut desk, false);
                self.wait(&mut desk, &mut turn)?
            };
            if let Some(wait) = wait {
                self.poll(wait)?;
            }
        }
        self.finish();
        Ok(())
    }

    /// How long `poll` may wait; `None` when the budget is spent and the time was waited here.
    fn wait(&self, desk: &mut Desk<E>, turn: &mut Turn) -> Result<Option<Duration>, KafkaFault> {
        let blocked = desk.is_over_budget() || desk.is_full();
        if !blocked {
            if turn.unblocked() {
                self.pause(false)?;
            }
            return Ok(Some(desk.due_in().unwrap_or(TURN).clamp(SHORT_TURN, TURN)));
        }
        if turn.blocked() {
            self.pause(true)?;
        }
        if turn.paused {
            // Paused partitions deliver nothing, but rebalances and errors are still served.
            return Ok(Some(TURN));
        }
        desk.settle(Duration::from_millis(20));
        Ok(None)
    }

    /// Waits for a record, then takes what has gathered without waiting, up to [`BURST`].
    fn poll(&self, mut wait: Duration) -> Result<(), KafkaFault> {
        for _ in 0..BURST {
            match self.client.poll(wait) {
                None => break,
                Some(Ok(message)) => {
                    let delivery = Delivery::read(&message);
                    let mut desk = self.client.context().desk();
                    desk.take(delivery);
                    if desk.is_full() {
                        break;
                    }
                }
                Some(Err(error)) => self.survive(&error)?,
            }
            wait = Duration::ZERO;
        }
        Ok(())
    }

    /// Tells errors that pass from those after which nothing would ever be delivered again.
    fn survive(&self, error: &KafkaError) -> Result<(), KafkaFault> {
        if let Some((code, reason)) = self.client.client().fatal_error() {
            self.health.not_ready("the kafka client failed for good");
            tracing::error!(topic = %self.topic, "{reason}");
            return Err(KafkaFault::broker(
                format!("consuming {}", self.topic),
                KafkaError::MessageConsumptionFatal(code),
            ));
        }
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::PollExceeded) => {
                self.health.not_ready("polled too late and left the group; joining again");
            }
            Some(RDKafkaErrorCode::UnknownTopicOrPartition) => {
                self.health.not_ready("topic does not exist");
            }
            _ => {}
        }
        tracing::debug!(topic = %self.topic, "kafka consumer: {error}");
        Ok(())
    }

    /// Hands on a whole batch as soon as there is room for it, and a part of one when it is due and
    /// the stage idle: while the stage is busy, batches grow and cost less for each record.
    fn hand_on(&self, desk: &mut Desk<E>, now: bool) {
        let idle = desk.handed_on() == 0;
        let due = desk.due_in().is_some_and(|wait| now || (idle && wait.is_zero()));
        if !due && !desk.is_full() {
            return;
        }
        if let Ok(permit) = self.batches.try_reserve() {
            permit.send(desk.batch());
        }
    }

    fn pause(&self, pause: bool) -> Result<(), KafkaFault> {
        let fault = |source| KafkaFault::broker(format!("pausing {}", self.topic), source);
        let assignment = self.client.assignment().map_err(fault)?;
        if pause { self.client.pause(&assignment) } else { self.client.resume(&assignment) }
            .map_err(fault)
    }

    fn commit(&self, desk: &mut Desk<E>) -> Result<(), KafkaFault> {
        let moved = desk.take_moved();
        if moved.is_empty() {
            return Ok(());
        }
        let offsets = offsets(&self.topic, &moved);
        self.client
            .commit(&offsets, CommitMode::Async)
            .map_err(|source| KafkaFault::broker(format!("committing {}", self.topic), source))
    }

    /// Shutdown: what was read is handed on, settled and committed, or left for the next time.
    fn finish(&self) {
        let mut desk = self.client.context().desk();
        let deadline = Instant::now() + self.drain;
        while desk.due_in().is_some() && Instant::now() < deadline {
            self.hand_on(&mut desk, true);
            desk.settle(Duration::from_millis(10));
        }
        drain(&mut desk, deadline.saturating_duration_since(Instant::now()));
        commit_all(&self.client, &self.topic, &desk);
        desk.release();
    }

    fn observe(&self, desk: &Desk<E>) {
        let gauge = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        self.metrics.in_flight_rows.set(gauge(desk.in_flight_rows()));
        self.metrics.in_flight_bytes.set(gauge(desk.in_flight_bytes()));
    }
}

/// What the loop remembers between its turns.
#[derive(Default)]
struct Turn {
    committed: Option<Instant>,
    blocked_since: Option<Instant>,
    paused: bool,
}

impl Turn {
    fn commit_is_due(&mut self) -> bool {
        let due = self.committed.is_none_or(|at| at.elapsed() >= COMMIT_EVERY);
        if due {
            self.committed = Some(Instant::now());
        }
        due
    }

    /// Notes that the budget is spent. True when it is time to pause.
    fn blocked(&mut self) -> bool {
        let since = *self.blocked_since.get_or_insert_with(Instant::now);
        let pause = !self.paused && since.elapsed() >= STALLED;
        self.paused |= pause;
        pause
    }

    /// Notes that there is room again. True when partitions are to be resumed.
    fn unblocked(&mut self) -> bool {
        self.blocked_since = None;
        std::mem::take(&mut self.paused)
    }
}

/// Waits until everything handed on is settled, or until the time is over.
fn drain<E>(desk: &mut Desk<E>, patience: Duration) {
    let deadline = Instant::now() + patience;
    while desk.handed_on() > 0 && Instant::now() < deadline {
        if !desk.settle(Duration::from_millis(10)) {
            return;
        }
    }
}

fn commit_all<E: Event>(client: &BaseConsumer<Rebalancer<E>>, topic: &str, desk: &Desk<E>) {
    let frontiers = desk.frontiers();
    if frontiers.is_empty() {
        return;
    }
    if let Err(error) = client.commit(&offsets(topic, &frontiers), CommitMode::Sync) {
        tracing::warn!(topic, "last commit failed, so some records will come again: {error}");
    }
}

fn offsets(topic: &str, frontiers: &[(i32, i64)]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(frontiers.len());
    for (partition, frontier) in frontiers {
        let added = list.add_partition_offset(topic, *partition, Offset::Offset(*frontier));
        debug_assert!(added.is_ok(), "an offset of a record is never negative");
    }
    list
}
