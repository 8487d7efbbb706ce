//! A log in memory that can be told to fail, and the settings that all tests share.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use echolot_ingest::{
    collector::Collector,
    coverage::CoverageBook,
    log::{CoverageLog, Cursors, LogFault, Publish, PurgeLog},
    metrics::IngestMetrics,
    observe::Observer,
    privacy::AuthorKey,
    purge::Found,
    settings::{IngestSettings, PrivacySettings},
};
use echolot_pipeline::{clock::Clock, dead_letters::DeadLetter, settings::Secret};
use echolot_schemas::{
    Mention, RawEvent, SourceName, Timestamp, coverage::SourceCoverage, cursor::CursorRecord,
    purge::PurgeRequest,
};
use prometheus::Registry;
use secrecy::SecretString;
use serde::Deserialize;

/// What the time is in every test: 2026-06-02T00:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_780_358_400_000);

#[derive(Deserialize)]
pub(crate) struct Settings {
    pub(crate) ingest: IngestSettings,
    pub(crate) privacy: PrivacySettings,
}

/// The shipped settings with a key, so that nothing is written to disk.
pub(crate) fn settings() -> Settings {
    let mut settings: Settings = toml::from_str(include_str!("../../default.toml")).unwrap();
    settings.privacy.author_key = secret("0123456789abcdef");
    settings
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::from(SecretString::from(text))
}

pub(crate) fn observer(settings: &Settings) -> Observer {
    let key = AuthorKey::read(&settings.privacy.author_key).unwrap();
    Observer::new(key, &settings.privacy, &settings.ingest)
}

pub(crate) fn source(name: &str) -> SourceName {
    SourceName::new(name).unwrap()
}

pub(crate) fn clock() -> Clock {
    Clock::stopped_at(NOW)
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) events: Vec<RawEvent>,
    pub(crate) letters: Vec<DeadLetter>,
    pub(crate) purges: Vec<PurgeRequest>,
    pub(crate) cursors: HashMap<String, String>,
    /// What happened, in order: `publish 2`, `dead 1`, `save 5`.
    pub(crate) journal: Vec<String>,
    pub(crate) traceparents: Vec<Option<String>>,
    /// Answers to the next publications; when there are none, all goes well.
    pub(crate) faults: VecDeque<LogFault>,
    pub(crate) saturated: bool,
    /// Every write to the coverage topic.
    pub(crate) coverage: Vec<SourceCoverage>,
    /// How long a publication takes.
    pub(crate) delay: Duration,
}

#[derive(Clone, Default)]
pub(crate) struct MemoryLog(Arc<Mutex<State>>);

impl MemoryLog {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn mentions(&self) -> Vec<Mention> {
        let observed = |event: &RawEvent| match event {
            RawEvent::Observed(observed) => Some(observed.mention.clone()),
            RawEvent::Deleted(_) => None,
        };
        self.state().events.iter().filter_map(observed).collect()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.mentions().into_iter().map(|mention| mention.text).collect()
    }
}

impl Publish for MemoryLog {
    async fn publish(
        &self,
        events: &[RawEvent],
        traceparent: Option<&str>,
    ) -> Result<(), LogFault> {
        let delay = self.state().delay;
        tokio::time::sleep(delay).await;
        let mut state = self.state();
        if let Some(fault) = state.faults.pop_front() {
            state.journal.push("fault".to_owned());
            return Err(fault);
        }
        state.journal.push(format!("publish {}", events.len()));
        state.events.extend_from_slice(events);
        state.traceparents.push(traceparent.map(str::to_owned));
        Ok(())
    }

    async fn publish_dead(&self, letters: &[DeadLetter]) -> Result<(), LogFault> {
        let mut state = self.state();
        state.journal.push(format!("dead {}", letters.len()));
        state.letters.extend_from_slice(letters);
        Ok(())
    }

    async fn publish_purges(&self, requests: &[PurgeRequest]) -> Result<(), LogFault> {
        let mut state = self.state();
        state.journal.push(format!("purge {}", requests.len()));
        state.purges.extend_from_slice(requests);
        Ok(())
    }

    fn is_saturated(&self) -> bool {
        self.state().saturated
    }
}

impl Cursors for MemoryLog {
    async fn load(&self, name: &str) -> Result<Option<CursorRecord>, LogFault> {
        let position = self.state().cursors.get(name).cloned();
        Ok(position.map(|position| CursorRecord { position, saved_at: NOW }))
    }

    async fn save(&self, name: &str, record: &CursorRecord) -> Result<(), LogFault> {
        let mut state = self.state();
        state.journal.push(format!("save {}", record.position));
        state.cursors.insert(name.to_owned(), record.position.clone());
        Ok(())
    }
}

impl CoverageLog for MemoryLog {
    async fn read_coverage(&self) -> Result<HashMap<SourceName, SourceCoverage>, LogFault> {
        let all = self.state().coverage.clone().into_iter();
        Ok(all.map(|coverage| (coverage.source.clone(), coverage)).collect())
    }

    async fn write_coverage(&self, coverage: &[SourceCoverage]) -> Result<(), LogFault> {
        self.state().coverage.extend_from_slice(coverage);
        Ok(())
    }
}

impl PurgeLog for MemoryLog {
    async fn pending_purges(&self) -> Result<Vec<PurgeRequest>, LogFault> {
        Ok(self.state().purges.clone())
    }

    async fn find_mentions(&self, mut found: Found) -> Result<Found, LogFault> {
        for event in &self.state().events {
            // As the real log does: no observation is read that cannot be of one of them.
            match event {
                RawEvent::Observed(seen)
                    if !found.may_concern(&serde_json::to_vec(seen).unwrap()) => {}
                event => found.note(event),
            }
        }
        Ok(found)
    }

    async fn finish_purges(&self, requests: &[PurgeRequest]) -> Result<(), LogFault> {
        let mut state = self.state();
        state.journal.push(format!("finish {}", requests.len()));
        state.purges.retain(|pending| !requests.contains(pending));
        Ok(())
    }
}

pub(crate) fn metrics() -> IngestMetrics {
    IngestMetrics::new(&Registry::new(), ["forum"]).unwrap()
}

pub(crate) fn collector(log: &MemoryLog) -> Collector<MemoryLog, MemoryLog> {
    Collector {
        log: log.clone(),
        cursors: log.clone(),
        observer: observer(&settings()),
        metrics: metrics(),
        coverage: CoverageBook::default(),
        clock: clock(),
    }
}
