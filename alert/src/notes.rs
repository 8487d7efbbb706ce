//! What was told of incidents: the table `incidents` and the topic `alerts`.

use std::collections::{HashMap, HashSet};

use clickhouse::Row;
use echolot_pipeline::producer::{Producer, PublishError};
use echolot_schemas::topics;
use echolot_store::{Action, Store, StoreError};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Change, Kind, Phase, incident_id, why::Why};

/// The step of a closing, after all others.
const CLOSED: u32 = u32::MAX;

/// Something could not be told.
#[derive(Debug, thiserror::Error)]
pub enum NoteError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log.
    #[error(transparent)]
    Log(#[from] PublishError),
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
            Self::Json { .. } => false,
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

#[derive(Row, Serialize)]
struct NewRow<'a> {
    #[serde(with = "clickhouse::serde::uuid")]
    incident: Uuid,
    step: u32,
    brand: &'a str,
    kind: &'a str,
    phase: &'a str,
    severity: &'a str,
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
    why: &'a str,
}

#[derive(Row, Deserialize)]
struct Noted {
    #[serde(with = "clickhouse::serde::uuid")]
    incident: Uuid,
    step: u32,
    brand: String,
    kind: String,
    opened_at: i64,
    at: i64,
}

/// What is noted already.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    steps: HashSet<(Uuid, u32)>,
    /// Opening and last change, by brand and kind.
    spans: HashMap<(String, Kind), Vec<(i64, i64)>>,
}

impl Notes {
    /// Reads the table.
    pub(crate) async fn load(store: &Store) -> Result<Self, StoreError> {
        let sql = format!(
            "SELECT incident, step, brand, kind, intDiv(toUnixTimestamp(opened_at), 60)::Int64 AS \
             opened_at, intDiv(toUnixTimestamp(at), 60)::Int64 AS at \
             FROM {}.incidents FINAL ORDER BY opened_at, step",
            store.published()
        );
        let mut notes = Self::default();
        for noted in store.fetch::<Noted>(Action::Read, &sql).await? {
            let known = Kind::ALL.into_iter().find(|kind| kind.as_str() == noted.kind);
            if let Some(kind) = known {
                notes.remember(&noted.brand, kind, noted.opened_at, noted.at);
            }
            notes.steps.insert((noted.incident, noted.step));
        }
        Ok(notes)
    }

    fn remember(&mut self, brand: &str, kind: Kind, opened_at: i64, at: i64) {
        let spans = self.spans.entry((brand.to_owned(), kind)).or_default();
        match spans.iter_mut().find(|(opened, _)| *opened == opened_at) {
            Some((_, last)) => *last = (*last).max(at),
            None => spans.push((opened_at, at)),
        }
    }

    /// The opening minute under which a change is told. Mentions that came late may move an opening
    /// when history is read again: what overlaps a noted incident, or begins within `near` minutes
    /// of one, is that one.
    pub(crate) fn opening(&self, brand: &str, change: &Change, near: i64) -> i64 {
        let spans = self.spans.get(&(brand.to_owned(), change.kind));
        let same = |(opened, last): &&(i64, i64)| {
            (opened - near..=(*last).max(opened + near)).contains(&change.opened_at)
        };
        spans
            .and_then(|spans| spans.iter().rev().find(same))
            .map_or(change.opened_at, |(opened, _)| *opened)
    }

    /// Whether a change was told before.
    pub(crate) fn holds(&self, brand: &str, change: &Change) -> bool {
        let incident = incident_id(brand, change.kind, change.opened_at);
        self.steps.contains(&(incident, step(change)))
    }

    /// Tells a change: first on the topic, then in the table. Dying between the two tells it again,
    /// under the same key and with the same content.
    pub(crate) async fn tell(
        &mut self,
        (store, producer): (&Store, &Producer),
        brand: &str,
        change: &Change,
        why: Why,
    ) -> Result<(), NoteError> {
        let json = |source| NoteError::Json { brand: brand.to_owned(), source };
        let incident = incident_id(brand, change.kind, change.opened_at);
        let reasons = serde_json::to_string(&why).map_err(json)?;
        let told = Told { incident, brand: brand.to_owned(), change: change.clone(), why };
        let payload = serde_json::to_vec(&told).map_err(json)?;
        let key = incident.to_string();
        producer.publish_bytes(&topics::ALERTS, None, Some(key.as_bytes()), &payload, &[]).await?;
        let seconds = |minute: i64| u32::try_from(minute * 60).unwrap_or_default();
        let evidence = &change.evidence;
        let row = NewRow {
            incident,
            step: step(change),
            brand,
            kind: change.kind.as_str(),
            phase: change.phase.as_str(),
            severity: change.severity.as_str(),
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
            why: &reasons,
        };
        let table = format!("{}.incidents", store.published());
        store.insert::<NewRow<'_>>(Action::Note, &table, std::iter::once(row)).await?;
        self.steps.insert((incident, step(change)));
        self.remember(brand, change.kind, change.opened_at, change.at);
        Ok(())
    }
}

fn step(change: &Change) -> u32 {
    if change.phase == Phase::Closed { CLOSED } else { change.step }
}
