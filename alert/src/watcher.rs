//! The watcher: new minutes from the store, through every brand's detector, into notes.
//!
//! Its state is a function of the store: whoever takes over, after a crash or from another process,
//! reads history again and tells only what is not noted yet.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use echolot_pipeline::{health::Health, producer::Producer, retry::Backoff};
use echolot_store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    AlertSettings, Change, Detector, Kind, Minute, Rule, history,
    metrics::AlertMetrics,
    notes::{NoteError, Notes},
    why::{self, Why},
};

/// Minutes without any mention of any brand after which sources count as down.
const DOWN_AFTER: i64 = 60;
/// Minutes of history that are read at once.
const CHUNK: i64 = 7 * 1440;

/// Detectors of all brands, fed from the same store.
pub struct Brands {
    detectors: HashMap<String, Detector>,
    heard: Option<i64>,
}

impl Brands {
    /// A detector for each brand and its rule.
    pub fn new(rules: impl IntoIterator<Item = (String, Rule)>, settings: &AlertSettings) -> Self {
        let zone = settings.zone();
        let detectors = rules
            .into_iter()
            .map(|(brand, rule)| (brand, Detector::new(rule, zone.clone())))
            .collect();
        Self { detectors, heard: None }
    }

    /// Takes the minutes up to `to`, in order, and tells what changed, in order. Where no brand at
    /// all is spoken of for an hour, sources are taken to be down: nothing is learned, nothing is
    /// called silence.
    pub fn feed(&mut self, minutes: &[(String, Minute)], to: i64) -> Vec<(String, Change)> {
        let mut changes = Vec::new();
        for (brand, minute) in minutes {
            self.quiet(minute.at - 1, &mut changes);
            self.heard = Some(minute.at);
            if let Some(detector) = self.detectors.get_mut(brand) {
                let new = detector.observe(minute);
                changes.extend(new.into_iter().map(|change| (brand.clone(), change)));
            }
        }
        self.quiet(to, &mut changes);
        // Brands go on one after the other within a gap: by time again, then by name.
        changes.sort_by(|a, b| (a.1.at, &a.0).cmp(&(b.1.at, &b.0)));
        changes
    }

    fn quiet(&mut self, to: i64, changes: &mut Vec<(String, Change)>) {
        let Some(heard) = self.heard else { return };
        if to - heard <= DOWN_AFTER {
            return;
        }
        for (brand, detector) in &mut self.detectors {
            for (until, covered) in [(heard + DOWN_AFTER, true), (to, false)] {
                let new = detector.advance(until, covered);
                changes.extend(new.into_iter().map(|change| (brand.clone(), change)));
            }
        }
    }

    /// Lets every brand that nothing was heard of go on to a minute that sources covered.
    fn catch_up(&mut self, to: i64) -> Vec<(String, Change)> {
        let covered = self.heard.map_or(to, |heard| to.min(heard + DOWN_AFTER));
        let mut changes = Vec::new();
        for (brand, detector) in &mut self.detectors {
            let new = detector.advance(covered, true);
            changes.extend(new.into_iter().map(|change| (brand.clone(), change)));
        }
        changes
    }
}

/// Everything that the role needs.
pub struct Watcher {
    /// The store.
    pub store: Store,
    /// Writes to `alerts`.
    pub producer: Producer,
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

    async fn lead(&mut self) -> Result<(), NoteError> {
        let mut notes = Notes::load(&self.store).await?;
        let mut brands = Brands::new(self.rules.iter().cloned(), &self.settings);
        let mut judged = self.start().await?;
        loop {
            let started = Instant::now();
            let lateness = i64::try_from(self.settings.lateness.as_secs()).unwrap_or(i64::MAX);
            let until = (self.now_seconds() - lateness).div_euclid(60) - 1;
            while judged < until {
                let to = until.min(judged + CHUNK);
                let minutes = history::minutes(&self.store, None, judged + 1, to + 1).await?;
                let mut changes = brands.feed(&minutes, to);
                changes.extend(brands.catch_up(to));
                for (brand, change) in changes {
                    self.tell(&mut notes, &brand, change).await?;
                }
                judged = to;
            }
            for (brand, detector) in &brands.detectors {
                self.metrics.show(brand, &detector.standing());
            }
            self.metrics.judged.set((judged + 1) * 60);
            self.metrics.tick.observe(started.elapsed().as_secs_f64());
            self.health.ready();
            tokio::time::sleep(self.settings.tick).await;
        }
    }

    fn now_seconds(&self) -> i64 {
        (self.clock)()
    }

    /// The minute before the first one to read.
    async fn start(&self) -> Result<i64, NoteError> {
        let span = i64::try_from(self.settings.history.as_secs() / 60).unwrap_or(i64::MAX);
        loop {
            if let Some((first, last)) = history::extent(&self.store).await? {
                return Ok(first.max(last - span) - 1);
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
        change.opened_at = notes.opening(brand, &change, near);
        if notes.holds(brand, &change) {
            return Ok(());
        }
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
        notes.tell((&self.store, &self.producer), brand, &change, why).await?;
        self.metrics.told(&change);
        Ok(())
    }
}
