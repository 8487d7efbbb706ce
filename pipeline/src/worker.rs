//! A worker runs one stage: consume, judge, emit, settle, commit.
//!
//! ```text
//!   consumer thread                          worker task
//!   poll ─▶ charge ─▶ batch ───────────────▶ judge ─▶ emit / dead letters ─▶ acknowledged
//!   commit ◀─ frontier ◀─ ledger ◀─────────────────────── settled ◀─ complete ◀──┘
//! ```
//! Whatever dies, and when: an offset is committed only after everything about it took effect, so
//! the worst is a redelivery, and effects are idempotent.

use std::time::Instant;

use echolot_schemas::{Event, RawPosition, topics::Topic};
use tokio::sync::mpsc::{Receiver, channel};
use tokio_util::sync::CancellationToken;

use crate::{
    client::KafkaFault,
    clock,
    consumer::Consumer,
    dead_letters::DeadLetter,
    delivery::{Delivery, Place, Read},
    desk::{Batch, Desk, Lease, Load, Progress, Step},
    health::Health,
    judge::{Judge, Verdictless},
    metrics::{StageMetrics, WorkerMetrics},
    outlet::{Outlet, Output},
    poison::{Poison, Poisoned},
    producer::{Producer, PublishError},
    retry::Backoff,
    settings::{KafkaSettings, WorkerSettings},
    stage::{Item, Rejection, Stage, Verdict},
};

/// Why a worker ended other than by request.
#[derive(Debug, thiserror::Error)]
#[error("{stage} stopped: {cause}")]
pub struct WorkerError {
    stage: &'static str,
    cause: Cause,
}

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(transparent)]
    Kafka(#[from] KafkaFault),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Stage(#[from] Verdictless),
    #[error(transparent)]
    Poisoned(#[from] Poisoned),
    #[error("its consumer thread panicked")]
    Panicked,
}

/// What a worker is made of.
pub struct Worker<S, O> {
    /// Judges.
    pub stage: S,
    /// Takes what the stage emits.
    pub outlet: O,
    /// What the stage reads.
    pub input: Topic,
    /// Consumer group, before the configured prefix: who shares the work, and whose offsets these are.
    pub group: String,
    /// Writes dead letters.
    pub producer: Producer,
    /// How to reach the log.
    pub kafka: KafkaSettings,
    /// Batches, budget, patience.
    pub settings: WorkerSettings,
    /// Measures.
    pub metrics: WorkerMetrics,
    /// Reports.
    pub health: Health,
}

impl<S, O> Worker<S, O>
where
    S: Stage,
    O: Outlet<S::Output>,
{
    /// Works until cancelled, then drains. An error means that an operator is needed.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), WorkerError> {
        let stage = self.stage.name();
        self.work(cancel).await.map_err(|cause| WorkerError { stage, cause })
    }

    async fn work(self, cancel: CancellationToken) -> Result<(), Cause> {
        let name = self.stage.name();
        let metrics = self.metrics.stage(name);
        let (hand_on, batches) = channel(1);
        let (tell, progress) = std::sync::mpsc::channel();
        let desk = Desk::new(self.settings.clone(), progress);
        let consumer = Consumer::connect(
            &self.kafka,
            &self.input,
            &self.group,
            desk,
            hand_on,
            self.health.clone(),
            metrics.clone(),
        )?;
        // Ends the consumer thread when the task below fails.
        let cancel = cancel.child_token();
        let _end_with_the_task = cancel.clone().drop_guard();
        let thread = tokio::task::spawn_blocking(move || consumer.run(&cancel));
        let mut task = Task {
            poison: Poison::new(self.settings.poison_run, self.settings.poison_ratio),
            stage: self.stage,
            outlet: self.outlet,
            input: self.input,
            producer: self.producer,
            health: self.health,
            metrics,
            tell,
            open: None,
        };
        task.run(batches).await?;
        thread.await.map_err(|_| Cause::Panicked)?.map_err(Cause::Kafka)
    }
}

/// The asynchronous half.
struct Task<S, O> {
    stage: S,
    outlet: O,
    input: Topic,
    producer: Producer,
    health: Health,
    metrics: StageMetrics,
    poison: Poison,
    tell: std::sync::mpsc::Sender<Progress>,
    open: Option<Open>,
}

/// Judged and not settled.
struct Open {
    lease: Lease,
    since: Instant,
    positions: Vec<RawPosition>,
    load: Load,
}

/// What came of a batch, before any of it took effect.
struct Judged<O> {
    outputs: Vec<Output<O>>,
    letters: Vec<DeadLetter>,
}

impl<S, O> Task<S, O>
where
    S: Stage,
    O: Outlet<S::Output>,
{
    async fn run(&mut self, mut batches: Receiver<Batch<S::Input>>) -> Result<(), Cause> {
        while let Some(batch) = batches.recv().await {
            let (lease, load) = (batch.lease.clone(), batch.load());
            let started = Instant::now();
            self.metrics.batch_rows.observe(load.rows as f64);
            let positions = batch.deliveries.iter().map(|delivery| delivery.position).collect();
            tokio::select! {
                biased;
                // The partitions are someone else's now; so is the batch.
                () = lease.ended.cancelled() => continue,
                done = self.process(batch) => done?,
            }
            self.metrics.batch_seconds.observe(started.elapsed().as_secs_f64());
            if !self.note_judged(&lease, positions, load) {
                break;
            }
            if batches.is_empty() || self.patience_is_over() {
                tokio::select! {
                    biased;
                    () = lease.ended.cancelled() => {}
                    done = self.settle() => done?,
                }
            }
        }
        Ok(())
    }

    /// False when the consumer is gone.
    fn note_judged(&mut self, lease: &Lease, positions: Vec<RawPosition>, load: Load) -> bool {
        // What was open under a former lease is another's now, who gets it again.
        if let Some(open) = self.open.as_mut().filter(|open| open.lease.epoch == lease.epoch) {
            open.positions.extend(positions);
            open.load += load;
        } else {
            let (lease, since) = (lease.clone(), Instant::now());
            self.open = Some(Open { lease, since, positions, load });
        }
        self.tell.send(Progress { epoch: lease.epoch, step: Step::Judged(load) }).is_ok()
    }

    fn patience_is_over(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.since.elapsed() >= self.stage.patience())
    }

    /// Completes and settles everything that is open.
    async fn settle(&mut self) -> Result<(), Cause> {
        Judge { stage: &mut self.stage, health: &self.health, metrics: &self.metrics }
            .complete()
            .await?;
        if let Some(Open { lease, positions, load, .. }) = self.open.take() {
            let step = Step::Settled { positions, judged: load };
            // Without a consumer the next receive ends the work.
            let _ = self.tell.send(Progress { epoch: lease.epoch, step });
        }
        Ok(())
    }

    async fn process(&mut self, batch: Batch<S::Input>) -> Result<(), Cause> {
        let mut judge =
            Judge { stage: &mut self.stage, health: &self.health, metrics: &self.metrics };
        if let Some(partitions) = &batch.assigned {
            judge.assigned(partitions).await?;
        }
        let (items, leftovers) = sort(batch.deliveries);
        let verdicts = judge.verdicts(&items).await?;
        let judged = self.conclude(items, leftovers, verdicts)?;
        self.until_safe(&judged).await
    }

    /// Sorts verdicts into outputs and dead letters; counts them; heeds the poison policy.
    fn conclude(
        &mut self,
        items: Vec<Item<S::Input>>,
        leftovers: Vec<Leftover>,
        verdicts: Vec<Verdict<S::Output>>,
    ) -> Result<Judged<S::Output>, Cause> {
        let stage = self.stage.name();
        let now = clock::now();
        let place = |position| Place { stage, topic: &self.input, position, at: now };
        let mut judged = Judged { outputs: Vec::with_capacity(items.len()), letters: Vec::new() };
        let mut items = items.into_iter().zip(verdicts);
        for leftover in leftovers {
            match leftover {
                Leftover::Unreadable(position, unreadable, payload) => {
                    let Rejection { reason, detail } = unreadable.rejection();
                    self.poison.note(position.partition, Some(detail))?;
                    self.metrics.rejected(*reason);
                    judged.letters.push(place(position).unreadable(unreadable, payload));
                }
                Leftover::Readable { payload, traceparent } => {
                    let Some((item, verdict)) = items.next() else { break };
                    let partition = item.position.partition;
                    match verdict {
                        Verdict::Emit(value) => {
                            self.poison.note(partition, None)?;
                            self.metrics.emitted.inc();
                            judged.outputs.push(Output { value, partition, traceparent });
                        }
                        Verdict::Drop(why) => {
                            self.poison.note(partition, None)?;
                            self.metrics.dropped(why);
                        }
                        Verdict::Reject(rejection) => {
                            self.poison.note(partition, Some(&rejection.detail))?;
                            self.metrics.rejected(rejection.reason);
                            let trace = traceparent.as_deref();
                            let place = place(item.position);
                            judged.letters.push(place.rejected(
                                rejection,
                                &item.event,
                                trace,
                                payload,
                            ));
                        }
                    }
                }
            }
        }
        Ok(judged)
    }

    /// Publishes dead letters and outputs until Kafka has them, for as long as that takes.
    async fn until_safe(&self, judged: &Judged<S::Output>) -> Result<(), Cause> {
        let mut backoff = Backoff::default();
        loop {
            match self.publish(judged).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_transient() => {
                    self.metrics.retries.inc();
                    if self.health.not_ready("kafka does not acknowledge") {
                        tracing::warn!(stage = self.stage.name(), "{error}");
                    }
                    tokio::time::sleep(backoff.next_pause()).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn publish(&self, judged: &Judged<S::Output>) -> Result<(), PublishError> {
        if !judged.letters.is_empty() {
            self.producer.publish_dead(&judged.letters).await?;
        }
        if !judged.outputs.is_empty() {
            self.outlet.emit(&judged.outputs).await?;
        }
        Ok(())
    }
}

/// What is left of a delivery once its event has gone to the stage.
enum Leftover {
    Readable { payload: Vec<u8>, traceparent: Option<String> },
    Unreadable(RawPosition, crate::delivery::Unreadable, Vec<u8>),
}

fn sort<E: Event>(deliveries: Vec<Delivery<E>>) -> (Vec<Item<E>>, Vec<Leftover>) {
    let mut items = Vec::with_capacity(deliveries.len());
    let mut leftovers = Vec::with_capacity(deliveries.len());
    for Delivery { position, event, payload, .. } in deliveries {
        match event {
            Ok(Read { event, traceparent }) => {
                items.push(Item { event, position });
                leftovers.push(Leftover::Readable { payload, traceparent });
            }
            Err(unreadable) => {
                leftovers.push(Leftover::Unreadable(position, unreadable, payload));
            }
        }
    }
    (items, leftovers)
}
