//! The loop around every pull source: page, publish, acknowledge, and only then the cursor.
//!
//! ```text
//!  cursor ──▶ source.resume ──▶ next_page ──▶ observe ──▶ mentions.raw ──┐
//!                                   ▲  │ reject                         │ acknowledged
//!                                   │  └────────────▶ mentions.dead ────┤
//!                                   └────────── save cursor ◀───────────┘
//! ```
//!
//! A crash anywhere repeats at most the pages whose cursor was not saved; their events have the
//! same ids, so nothing is counted twice.

use std::time::{Duration, Instant};

use echolot_pipeline::{clock::Clock, retry::Backoff};
use echolot_schemas::{SourceName, cursor::CursorRecord};
use tokio_util::sync::CancellationToken;

use crate::{
    coverage::{CoverageBook, Failure},
    keep::KeepRule,
    log::{Cursors, LogFault, Publish},
    metrics::IngestMetrics,
    observe::Observer,
    source::{Page, Source, SourceFault},
};

/// Pauses between attempts at a source: its servers are others' and not to be hammered.
const SOURCE_FIRST: Duration = Duration::from_millis(500);
const SOURCE_LONGEST: Duration = Duration::from_mins(2);

/// Why a collector came to its end without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The source has no more.
    Exhausted,
    /// It was told to stop.
    Cancelled,
}

/// Why a collector gave up. The source stays where its cursor is.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The source will not answer any more.
    #[error("source {name}: {fault}")]
    Source {
        /// Which source.
        name: String,
        /// What it said.
        fault: SourceFault,
    },
    /// The log will not take any more.
    #[error("source {name}: the log failed for good: {reason}")]
    Log {
        /// Which source.
        name: String,
        /// What it said.
        reason: String,
    },
}

/// What a page came to, told after its cursor was saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Events acknowledged by the log.
    pub accepted: u64,
    /// Dead letters acknowledged by the log.
    pub rejected: u64,
    /// Mentions of no brand, left out because the source keeps matches only.
    pub filtered: u64,
}

impl std::ops::AddAssign for Collected {
    fn add_assign(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.rejected += other.rejected;
        self.filtered += other.filtered;
    }
}

/// Everything a collector needs besides its source. Cheap to clone, one for all sources.
#[derive(Clone, Debug)]
pub struct Collector<P, C> {
    /// The log's way in.
    pub log: P,
    /// Where sources go on.
    pub cursors: C,
    /// Makes events.
    pub observer: Observer,
    /// What is measured.
    pub metrics: IngestMetrics,
    /// What is known of each source.
    pub coverage: CoverageBook,
    /// What time it is.
    pub clock: Clock,
}

/// Why a run stops early.
enum Stop {
    Cancelled,
    Failed(CollectError),
}

/// What made an attempt fail, seen from the retry loop.
enum Fault {
    Source(SourceFault),
    Log(LogFault),
}

/// One source on its way through a collector.
struct Run<'a, P, C> {
    collector: &'a Collector<P, C>,
    name: SourceName,
    cursor_name: Option<String>,
    cancel: &'a CancellationToken,
}

impl<P: Publish, C: Cursors> Collector<P, C> {
    /// Runs `source` until it has no more, cannot go on, or `cancel` asks to stop; a page in hand
    /// is brought home first, unless the log does not answer.
    ///
    /// `on_page` is told about every page once it is safe.
    pub async fn run<S: Source>(
        &self,
        source: &mut S,
        cancel: &CancellationToken,
        on_page: impl FnMut(Collected) + Send,
    ) -> Result<Ended, CollectError> {
        let run = Run {
            collector: self,
            name: source.name().clone(),
            cursor_name: source.cursor_name().map(str::to_owned),
            cancel,
        };
        match run.drive(source, on_page).await {
            Ok(()) => Ok(Ended::Exhausted),
            Err(Stop::Cancelled) => Ok(Ended::Cancelled),
            Err(Stop::Failed(error)) => Err(error),
        }
    }
}

impl<P: Publish, C: Cursors> Run<'_, P, C> {
    async fn drive<S: Source>(
        &self,
        source: &mut S,
        mut on_page: impl FnMut(Collected) + Send,
    ) -> Result<(), Stop> {
        self.resume(source).await?;
        let mut page = self.next_page(source).await?;
        while let Some(current) = page {
            let rule = source.keep();
            // The next page is fetched while this one is made safe. A fault of the source must
            // not cut that short, so it is looked at only afterwards.
            let settle = async {
                on_page(self.settle(current, rule).await?);
                Ok(())
            };
            let fetch = async { Ok(self.next_page(source).await) };
            let ((), next) = tokio::try_join!(settle, fetch)?;
            page = next?;
        }
        Ok(())
    }

    async fn resume<S: Source>(&self, source: &mut S) -> Result<(), Stop> {
        let cursor = match &self.cursor_name {
            None => None,
            Some(name) => self.log_retried(|| self.collector.cursors.load(name)).await?,
        };
        let mut backoff = Backoff::between(SOURCE_FIRST, SOURCE_LONGEST);
        loop {
            match self.unless_cancelled(source.resume(cursor.clone())).await? {
                Ok(()) => return Ok(()),
                Err(fault) => self.wait_out(Fault::Source(fault), &mut backoff).await?,
            }
        }
    }

    async fn next_page<S: Source>(&self, source: &mut S) -> Result<Option<Page>, Stop> {
        let mut backoff = Backoff::between(SOURCE_FIRST, SOURCE_LONGEST);
        loop {
            match self.unless_cancelled(source.next_page()).await? {
                Ok(page) => return Ok(page),
                Err(fault) => self.wait_out(Fault::Source(fault), &mut backoff).await?,
            }
        }
    }

    /// Makes a page safe: events, requests to forget, dead letters, then the cursor.
    async fn settle(&self, mut page: Page, rule: KeepRule) -> Result<Collected, Stop> {
        let Collector { log, cursors, metrics, .. } = self.collector;
        let cursor = page.cursor.take();
        let judged = self.collector.judge(&self.name, page, rule);
        if !judged.events.is_empty() {
            let started = Instant::now();
            self.log_retried(|| log.publish(&judged.events, None)).await?;
            metrics.publish_seconds.observe(started.elapsed().as_secs_f64());
        }
        if !judged.purges.is_empty() {
            self.log_retried(|| log.publish_purges(&judged.purges)).await?;
        }
        if !judged.letters.is_empty() {
            self.log_retried(|| log.publish_dead(&judged.letters)).await?;
        }
        if let (Some(name), Some(position)) = (&self.cursor_name, cursor) {
            let record = CursorRecord { position, saved_at: judged.at };
            self.log_retried(|| cursors.save(name, &record)).await?;
        }
        Ok(self.collector.note(&self.name, &judged))
    }

    async fn log_retried<T, F>(&self, mut attempt: impl FnMut() -> F) -> Result<T, Stop>
    where
        F: Future<Output = Result<T, LogFault>>,
    {
        let mut backoff = Backoff::default();
        loop {
            match attempt().await {
                Ok(value) => return Ok(value),
                Err(fault) => self.wait_out(Fault::Log(fault), &mut backoff).await?,
            }
        }
    }

    /// Waits after a fault that may pass; stops the run when it will not.
    async fn wait_out(&self, fault: Fault, backoff: &mut Backoff) -> Result<(), Stop> {
        if let Fault::Source(fault) = &fault {
            let (at, failure) = (self.collector.clock.now(), Failure::from(fault));
            if fault.passes() {
                self.collector.coverage.failed(&self.name, at, &failure);
            } else {
                self.collector.coverage.stopped(&self.name, at, &failure);
            }
        }
        let (kind, judged) = match fault {
            Fault::Source(SourceFault::Transient { detail, retry_after }) => {
                ("transient", Ok((detail, retry_after)))
            }
            Fault::Source(SourceFault::RateLimited { detail, retry_after }) => {
                ("rate_limited", Ok((detail, retry_after)))
            }
            Fault::Source(fault) => {
                let name = self.name.to_string();
                (fault.kind(), Err(CollectError::Source { name, fault }))
            }
            Fault::Log(LogFault::Unavailable(detail)) => ("log", Ok((detail, None))),
            Fault::Log(LogFault::Fatal(reason)) => {
                ("log", Err(CollectError::Log { name: self.name.to_string(), reason }))
            }
        };
        self.collector.metrics.fault(&self.name, kind);
        let (detail, retry_after) = judged.map_err(Stop::Failed)?;
        let pause = backoff.next_pause().max(retry_after.unwrap_or(Duration::ZERO));
        tracing::warn!(source = %self.name, pause_ms = pause.as_millis(), "source waits: {detail}");
        self.unless_cancelled(tokio::time::sleep(pause)).await
    }

    async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T, Stop> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Stop::Cancelled),
            value = work => Ok(value),
        }
    }
}
