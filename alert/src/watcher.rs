//! The watcher: new minutes from the store, through every brand's detector, into notes.
//!
//! Its state is a function of the store: whoever takes over, after a crash or from another process,
//! reads history again and tells only what is not noted yet.

use std::time::{Duration, Instant};

use echolot_pipeline::{
    health::Health, producer::Producer, retry::Backoff, settings::KafkaSettings,
};
use echolot_store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    AlertSettings, Brands, Change, Kind, Rule,
    coverage::Coverage,
    history,
    metrics::AlertMetrics,
    notes::{NoteError, Notes},
    why::{self, Why},
};

/// Minutes of history that are read at once.
const CHUNK: i64 = 7 * 1440;
/// Minutes that the clock may go back before history is read anew.
const CLOCK_BACK: i64 = 5;

/// Everything that the role needs.
pub struct Watcher {
    /// The store.
    pub store: Store,
    /// Writes to `alerts`.
    pub producer: Producer,
    /// Where `alerts` is read.
    pub kafka: KafkaSettings,
    /// `[alert]`.
    pub settings: AlertSettings,
    /// Brands and their rules.
    pub rules: Vec<(String, Rule)>,
    /// Metrics.
    pub metrics: AlertMetrics,
    /// Readiness.
    pub health: Health,
    /// Whether this process leads.
    pub leads: watch::Receiver<bool>,
    /// Seconds since 1970, from the system's clock.
    pub clock: fn() -> i64,
}

impl Watcher {
    /// Watches until cancelled; waits while another process leads.
    pub async fn run(mut self, cancel: CancellationToken) -> Result<(), NoteError> {
        let mut backoff = Backoff::default();
        loop {
            self.health.ready();
            let mut leads = self.leads.clone();
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                led = leads.wait_for(|leads| *leads) => if led.is_err() { return Ok(()) },
            }
            tracing::info!("this process watches");
            self.metrics.leader.set(1);
            let ended = tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                ended = self.lead() => ended,
                _ = leads.wait_for(|leads| !*leads) => {
                    tracing::info!("another process watches");
                    Ok(())
                }
            };
            self.metrics.leader.set(0);
            self.metrics.clear();
            match ended {
                Ok(()) => backoff = Backoff::default(),
                Err(error) if error.is_transient() => {
                    if self.health.not_ready("waiting for the store or the log") {
                        tracing::warn!("watching is interrupted: {error}");
                    }
                    tokio::time::sleep(backoff.next_pause()).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns when the clock went back: what was judged is not over yet.
    async fn lead(&mut self) -> Result<(), NoteError> {
        let (store, producer) = (self.store.clone(), self.producer.clone());
        let mut notes = Notes::load(store, producer, &self.kafka).await?;
        let mut brands = Brands::new(self.rules.iter().cloned(), &self.settings);
        let mut judged = self.start().await?;
        let first = judged + 1;
        let mut coverage = Coverage::load(&self.store, (first, self.last_minute())).await?;
        let mut caught_up = false;
        loop {
            let started = Instant::now();
            let until = self.last_minute();
            if until + CLOCK_BACK < judged {
                tracing::warn!(
                    minutes = judged - until,
                    "the clock went back: history is read anew"
                );
                return Ok(());
            }
            if judged < until {
                if until % 60 == 0 {
                    coverage = Coverage::load(&self.store, (first, until)).await?;
                } else {
                    coverage.refresh(&self.store, until).await?;
                }
                brands.cover(|brand| coverage.of(brand));
            }
            while judged < until {
                let to = until.min(judged + CHUNK);
                let minutes = history::minutes(&self.store, None, judged + 1, to + 1).await?;
                // Weeks of many brands take seconds: others on this thread go on meanwhile.
                for (brand, change) in tokio::task::block_in_place(|| brands.feed(&minutes, to)) {
                    self.tell(&mut notes, &brand, change).await?;
                }
                judged = to;
            }
            if !caught_up {
                let open = |brand: &str, kind| brands.is_open(brand, kind);
                for (brand, closing) in notes.memory.orphans(judged, open) {
                    self.note(&mut notes, &brand, closing).await?;
                }
                caught_up = true;
            }
            for (brand, detector) in brands.detectors() {
                self.metrics.show(brand, detector);
            }
            self.metrics.judged.set((judged + 1) * 60);
            self.metrics.tick.observe(started.elapsed().as_secs_f64());
            self.health.ready();
            tokio::time::sleep(self.settings.tick).await;
        }
    }

    /// The last minute that is over and had time to fill up.
    fn last_minute(&self) -> i64 {
        let lateness = i64::try_from(self.settings.lateness.as_secs()).unwrap_or(i64::MAX);
        (self.now_seconds() - lateness).div_euclid(60) - 1
    }

    fn now_seconds(&self) -> i64 {
        (self.clock)()
    }

    /// The minute before the first one to read. A mention from the future moves nothing.
    async fn start(&self) -> Result<i64, NoteError> {
        let span = i64::try_from(self.settings.history.as_secs() / 60).unwrap_or(i64::MAX);
        loop {
            if let Some((first, last)) = history::extent(&self.store).await? {
                let last = last.min(self.last_minute());
                return Ok(first.max(last - span).min(last) - 1);
            }
            self.health.ready();
            tokio::time::sleep(self.settings.tick.max(Duration::from_secs(1))).await;
        }
    }

    async fn tell(
        &self,
        notes: &mut Notes,
        brand: &str,
        mut change: Change,
    ) -> Result<(), NoteError> {
        let near = self.rules.iter().find(|(name, _)| name == brand);
        let near = near.map_or(0, |(_, rule)| i64::from(rule.refractory_minutes));
        change.opened_at = notes.memory.opening(brand, &change, near);
        if notes.memory.holds(brand, &change) {
            return Ok(());
        }
        self.note(notes, brand, change).await
    }

    async fn note(&self, notes: &mut Notes, brand: &str, change: Change) -> Result<(), NoteError> {
        let why = if change.kind == Kind::Silence {
            Why::default()
        } else {
            why::ask(&self.store, brand, change.from, change.at).await?
        };
        tracing::info!(
            brand,
            kind = change.kind.as_str(),
            phase = change.phase.as_str(),
            severity = change.severity.as_str(),
            observed = change.evidence.observed,
            expected = change.evidence.expected,
            chance = change.evidence.chance,
            "incident"
        );
        notes.tell(brand, &change, why).await?;
        self.metrics.told(&change);
        Ok(())
    }
}
