//! Offers mentions: at a steady rate, or as fast as they are taken and counted.
//!
//! ```text
//!  pacer ── batches, each with the moment it is due ──▶ sending tasks ──▶ POST /v1/mentions
//!    ▲                                                        │
//!    └── what is counted (flood)                    log of what was offered when
//! ```

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{posts::Posts, sender::Sender};

/// How often a steady load offers a batch.
const TICK: Duration = Duration::from_millis(25);
/// Batches that a steady load may be behind before the pacer itself waits: some seconds of them.
const BEHIND: usize = 1024;

/// How fast mentions are offered.
pub(crate) enum Pace {
    /// So many mentions a second, in a batch every 25 ms, whatever becomes of the ones before.
    Steady {
        /// Mentions a second.
        per_second: u64,
    },
    /// As fast as they are taken, but never more than `ahead` before what is `counted`: without a
    /// bound the load would take the cores from what it measures, and measure a growing backlog.
    Flood {
        /// Mentions in a batch.
        batch: u64,
        /// Most mentions offered and not yet counted.
        ahead: u64,
        /// Mentions counted so far.
        counted: watch::Receiver<u64>,
    },
}

/// A batch on its way.
#[derive(Clone, Copy)]
struct Batch {
    first: u64,
    mentions: u64,
    due: Instant,
}

/// A batch that ingest accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accepted {
    /// When it was due to be sent. Counting from here hides no delay: a batch that had to wait
    /// for its sender was late for the one who waits for its count.
    pub(crate) due: Instant,
    /// Mentions in it.
    pub(crate) mentions: u64,
}

/// What a load needs.
#[derive(Clone)]
pub(crate) struct Feed {
    pub(crate) sender: Sender,
    pub(crate) posts: Arc<Posts>,
    /// Requests at the same time.
    pub(crate) connections: usize,
}

/// A running load.
pub(crate) struct Load {
    offered: Arc<AtomicU64>,
    accepted: Arc<Mutex<Vec<Accepted>>>,
    cancel: CancellationToken,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Load {
    /// Starts to offer mentions of `source`, at most `limit` where that is set.
    pub(crate) fn start(feed: &Feed, source: &str, pace: Pace, limit: Option<u64>) -> Self {
        let offered = Arc::new(AtomicU64::new(0));
        let accepted = Arc::new(Mutex::new(Vec::new()));
        let cancel = CancellationToken::new();
        let room = match pace {
            Pace::Steady { .. } => BEHIND,
            Pace::Flood { .. } => 1,
        };
        let (batches, queue) = mpsc::channel(room);
        let queue = Arc::new(tokio::sync::Mutex::new(queue));
        let mut tasks = JoinSet::new();
        for _ in 0..feed.connections {
            tasks.spawn(send_all(
                feed.clone(),
                source.to_owned(),
                Arc::clone(&queue),
                Arc::clone(&accepted),
            ));
        }
        let pacer = Pacer { batches, offered: Arc::clone(&offered), limit };
        let stop = cancel.clone();
        tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = pacer.run(pace) => {}
            }
            Ok(())
        });
        Self { offered, accepted, cancel, tasks }
    }

    /// Mentions given to senders so far; not all of them may be accepted yet.
    pub(crate) fn offered(&self) -> u64 {
        self.offered.load(Ordering::Relaxed)
    }

    /// Waits until all of a limited load was accepted.
    ///
    /// # Errors
    /// The first refusal.
    pub(crate) async fn finish(mut self) -> anyhow::Result<Vec<Accepted>> {
        while let Some(ended) = self.tasks.join_next().await {
            ended.context("a sender panicked")??;
        }
        Ok(std::mem::take(&mut *self.accepted.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Offers nothing more and waits until all that was offered is accepted.
    ///
    /// # Errors
    /// The first refusal.
    pub(crate) async fn stop(self) -> anyhow::Result<Vec<Accepted>> {
        self.cancel.cancel();
        self.finish().await
    }

    /// Goes on for this long; ends early with an error when a batch is refused.
    pub(crate) async fn run_for(&mut self, time: Duration) -> anyhow::Result<()> {
        let end = tokio::time::sleep(time);
        tokio::pin!(end);
        loop {
            tokio::select! {
                () = &mut end => return Ok(()),
                Some(ended) = self.tasks.join_next() => ended.context("a sender panicked")??,
            }
        }
    }
}

/// Mentions in a load's log.
pub(crate) fn total(accepted: &[Accepted]) -> u64 {
    accepted.iter().map(|batch| batch.mentions).sum()
}

struct Pacer {
    batches: mpsc::Sender<Batch>,
    offered: Arc<AtomicU64>,
    limit: Option<u64>,
}

impl Pacer {
    async fn run(self, pace: Pace) {
        match pace {
            Pace::Steady { per_second } => self.steady(per_second).await,
            Pace::Flood { batch, ahead, counted } => self.flood(batch, ahead, counted).await,
        }
    }

    async fn steady(self, per_second: u64) {
        let started = Instant::now();
        let mut ticks = tokio::time::interval(TICK);
        loop {
            ticks.tick().await;
            let due = Instant::now();
            let wanted = (due - started).as_secs_f64() * per_second as f64;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a count of mentions that fits the time of a run"
            )]
            let missing = (wanted as u64).saturating_sub(self.offered.load(Ordering::Relaxed));
            if missing > 0 && !self.offer(missing, due).await {
                return;
            }
        }
    }

    async fn flood(self, batch: u64, ahead: u64, mut counted: watch::Receiver<u64>) {
        loop {
            let offered = self.offered.load(Ordering::Relaxed);
            if self.limit.is_some_and(|limit| offered >= limit) {
                return; // before it waits for counts that may never come
            }
            let room = |counted: &u64| offered + batch <= counted + ahead;
            if counted.wait_for(room).await.is_err() {
                return; // nobody counts any more
            }
            if !self.offer(batch, Instant::now()).await {
                return;
            }
        }
    }

    /// False once the limit is reached, or nobody sends any more.
    async fn offer(&self, mentions: u64, due: Instant) -> bool {
        let first = self.offered.load(Ordering::Relaxed);
        let left = self.limit.map_or(mentions, |limit| limit.saturating_sub(first));
        let mentions = mentions.min(left);
        if mentions == 0 {
            return false;
        }
        let Ok(place) = self.batches.reserve().await else { return false };
        place.send(Batch { first, mentions, due });
        self.offered.fetch_add(mentions, Ordering::Relaxed);
        true
    }
}

async fn send_all(
    feed: Feed,
    source: String,
    queue: Arc<tokio::sync::Mutex<mpsc::Receiver<Batch>>>,
    accepted: Arc<Mutex<Vec<Accepted>>>,
) -> anyhow::Result<()> {
    loop {
        let Some(Batch { first, mentions, due }) = queue.lock().await.recv().await else {
            return Ok(());
        };
        let body = feed.posts.body(first, mentions, &feed.sender.now());
        feed.sender
            .push(&source, body)
            .await
            .with_context(|| format!("pushing {mentions} mentions of {source}"))?;
        accepted.lock().unwrap_or_else(PoisonError::into_inner).push(Accepted { due, mentions });
    }
}
