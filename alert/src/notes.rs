//! What was told of incidents: the table `incidents` and the topic `alerts`.

use clickhouse::Row;
use echolot_pipeline::{
    KafkaFault,
    producer::{Producer, PublishError},
    reader::LogReader,
    settings::KafkaSettings,
};
use echolot_schemas::topics;
use echolot_store::{Action, Store, StoreError};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Change, Evidence, Kind, Phase, Severity, incident_id, memory::Memory, why::Why};

/// Something could not be told.
#[derive(Debug, thiserror::Error)]
pub enum NoteError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log.
    #[error(transparent)]
    Log(#[from] PublishError),
    /// Reading the log.
    #[error(transparent)]
    Read(#[from] KafkaFault),
    /// Reading the log panicked.
    #[error("reading the topic alerts panicked: {0}")]
    Panicked(tokio::task::JoinError),
    /// A change that is no JSON.
    #[error("a change of an incident of {brand} cannot be written: {source}")]
    Json {
        /// Which brand.
        brand: String,
        /// Why.
        source: serde_json::Error,
    },
}

impl NoteError {
    /// True when trying again may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::Log(error) => error.is_transient(),
            Self::Read(error) => error.is_transient(),
            Self::Panicked(_) | Self::Json { .. } => false,
        }
    }
}

/// A record on the topic `alerts`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// Incident id.
    pub incident: Uuid,
    /// Brand.
    pub brand: String,
    /// What happened.
    #[serde(flatten)]
    pub change: Change,
    /// What stands out.
    pub why: Why,
}

impl Told {
    fn json(&self, source: serde_json::Error) -> NoteError {
        NoteError::Json { brand: self.brand.clone(), source }
    }
}

#[derive(Row, Serialize, Deserialize)]
struct NoteRow {
    #[serde(with = "clickhouse::serde::uuid")]
    incident: Uuid,
    step: u32,
    brand: String,
    kind: String,
    phase: String,
    severity: String,
    at: u32,
    opened_at: u32,
    started_at: u32,
    window_minutes: u32,
    observed: f64,
    expected: f64,
    chance: f64,
    share: f64,
    usual_share: f64,
    authors: u32,
    peak: f64,
    why: String,
}

impl NoteRow {
    fn new(told: &Told, why: String) -> Self {
        let seconds = |minute: i64| u32::try_from(minute * 60).unwrap_or_default();
        let (change, evidence) = (&told.change, &told.change.evidence);
        Self {
            incident: told.incident,
            step: change.row_step(),
            brand: told.brand.clone(),
            kind: change.kind.as_str().to_owned(),
            phase: change.phase.as_str().to_owned(),
            severity: change.severity.as_str().to_owned(),
            at: seconds(change.at),
            opened_at: seconds(change.opened_at),
            started_at: seconds(change.from),
            window_minutes: evidence.window,
            observed: evidence.observed,
            expected: evidence.expected,
            chance: evidence.chance,
            share: evidence.share,
            usual_share: evidence.usual_share,
            authors: evidence.authors,
            peak: change.peak,
            why,
        }
    }

    /// The change in it; none for a kind, phase or severity of another build.
    fn change(self) -> Option<(Uuid, String, Change)> {
        let minute = |seconds: u32| i64::from(seconds / 60);
        let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == self.kind)?;
        let phase = Phase::ALL.into_iter().find(|phase| phase.as_str() == self.phase)?;
        let severity = Severity::ALL.into_iter().find(|one| one.as_str() == self.severity)?;
        let evidence = Evidence {
            window: self.window_minutes,
            observed: self.observed,
            expected: self.expected,
            chance: self.chance,
            share: self.share,
            usual_share: self.usual_share,
            mentions: 0,
            authors: self.authors,
        };
        let change = Change {
            kind,
            phase,
            at: minute(self.at),
            opened_at: minute(self.opened_at),
            from: minute(self.started_at),
            step: if phase == Phase::Closed { 0 } else { self.step },
            severity,
            evidence,
            peak: self.peak,
        };
        Some((self.incident, self.brand, change))
    }
}

/// What was told, and the ways to tell more.
pub(crate) struct Notes {
    store: Store,
    producer: Producer,
    pub(crate) memory: Memory,
}

impl Notes {
    /// Reads the table and the topic. What a process told on the topic and did not live to note in the
    /// table is noted now, as it was told.
    pub(crate) async fn load(
        store: Store,
        producer: Producer,
        kafka: &KafkaSettings,
    ) -> Result<Self, NoteError> {
        let mut notes = Self { store, producer, memory: Memory::default() };
        for (incident, brand, change) in notes.table().await? {
            notes.memory.remember(incident, &brand, &change);
        }
        let kafka = kafka.clone();
        let read = tokio::task::spawn_blocking(move || topic(&kafka));
        let mut half_told = read.await.map_err(NoteError::Panicked)??;
        half_told.retain(|told| !notes.memory.has(told.incident, &told.change));
        for told in half_told {
            tracing::info!(brand = told.brand, "an incident on the topic is noted in the table");
            notes.note(&told).await?;
        }
        Ok(notes)
    }

    async fn table(&self) -> Result<Vec<(Uuid, String, Change)>, StoreError> {
        let sql = format!(
            "SELECT incident, step, brand, kind, phase, severity, toUnixTimestamp(at) AS at, \
             toUnixTimestamp(opened_at) AS opened_at, toUnixTimestamp(started_at) AS started_at, \
             window_minutes, observed, expected, chance, share, usual_share, authors, peak, \
             '' AS why FROM {}.incidents FINAL ORDER BY opened_at, step",
            self.store.published()
        );
        let rows = self.store.fetch::<NoteRow>(Action::Read, &sql).await?;
        Ok(rows.into_iter().filter_map(NoteRow::change).collect())
    }

    /// Tells a change: first on the topic, then in the table. Dying between the two, it is noted in
    /// the table by whoever leads next.
    pub(crate) async fn tell(
        &mut self,
        brand: &str,
        change: &Change,
        why: Why,
    ) -> Result<(), NoteError> {
        let incident = incident_id(brand, change.kind, change.opened_at);
        let told = Told { incident, brand: brand.to_owned(), change: change.clone(), why };
        let payload = serde_json::to_vec(&told).map_err(|source| told.json(source))?;
        let key = incident.to_string();
        let topic = &topics::ALERTS;
        self.producer.publish_bytes(topic, None, Some(key.as_bytes()), &payload, &[]).await?;
        self.note(&told).await
    }

    async fn note(&mut self, told: &Told) -> Result<(), NoteError> {
        let why = serde_json::to_string(&told.why).map_err(|source| told.json(source))?;
        let row = NoteRow::new(told, why);
        let table = format!("{}.incidents", self.store.published());
        self.store.insert::<NoteRow>(Action::Note, &table, std::iter::once(row)).await?;
        self.memory.remember(told.incident, &told.brand, &told.change);
        Ok(())
    }
}

/// What stands on the topic, in its order. What is none of ours is left alone.
fn topic(kafka: &KafkaSettings) -> Result<Vec<Told>, KafkaFault> {
    let mut found = Vec::new();
    LogReader::connect(kafka, "alert-notes")?.read_all(&topics::ALERTS, |record| {
        let Some(payload) = record.payload else { return };
        match serde_json::from_slice(payload) {
            Ok(told) => found.push(told),
            Err(error) => {
                tracing::warn!(offset = record.position.offset, "no incident on alerts: {error}");
            }
        }
    })?;
    Ok(found)
}
