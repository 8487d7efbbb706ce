//! Coverage of sources into the store: `ingest.coverage` as it is, newest state of each source.
//!
//! The topic is compacted and small. What is read twice is written twice with the same version, and
//! the table keeps one: a restart needs no place of its own to remember.

use std::{collections::BTreeMap, time::Duration};

use clickhouse::Row;
use echolot_pipeline::{KafkaFault, reader::LogReader, retry::Backoff, settings::KafkaSettings};
use echolot_schemas::{
    SourceName, Timestamp,
    coverage::{Gap, SourceCoverage},
    topics,
};
use echolot_store::{Action, Store, StoreError};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

/// Between two looks at the topic.
const PERIOD: Duration = Duration::from_secs(2);
/// Nothing is ever committed in its name.
const GROUP: &str = "sink-coverage";

/// Projects the coverage ledger.
#[derive(Debug)]
pub struct CoverageProjection {
    /// How to reach the log.
    pub kafka: KafkaSettings,
    /// The store; its published tables must exist.
    pub store: Store,
}

/// How far the topic is stored, and the client that read it.
#[derive(Default)]
struct Place {
    next: i64,
    /// None before the first turn, and after a fault of the log.
    reader: Option<LogReader>,
}

/// What went wrong in one turn.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Log(#[from] KafkaFault),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, Row, Serialize)]
struct CoverageRow<'a> {
    source: &'a str,
    at: i64,
    state: &'static str,
    detail: &'a str,
    last_success: Option<i64>,
    newest: Option<i64>,
    lag_seconds: Option<f64>,
    accepted: u64,
    rejected: u64,
    lost: u64,
}

#[derive(Debug, Row, Serialize)]
struct GapRow<'a> {
    source: &'a str,
    from_time: i64,
    to_time: Option<i64>,
    why: &'static str,
    caught_up: bool,
    at: i64,
}

impl CoverageProjection {
    /// Follows the topic until `cancel`. Neither log nor store out of reach ends it.
    pub async fn run(&self, cancel: CancellationToken) {
        let (mut place, mut backoff) = (Place::default(), Backoff::default());
        loop {
            let pause = match self.turn(&mut place).await {
                Ok(()) => {
                    backoff = Backoff::default();
                    PERIOD
                }
                Err(failed) => {
                    tracing::warn!("coverage of sources waits to be stored: {failed}");
                    backoff.next_pause().max(PERIOD)
                }
            };
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Stores what was written since `place`, and moves it. A fault leaves it where it was.
    async fn turn(&self, place: &mut Place) -> Result<(), Failed> {
        let (kafka, from, kept) = (self.kafka.clone(), place.next, place.reader.take());
        let read = move || {
            let reader = kept.map_or_else(|| LogReader::connect(&kafka, GROUP), Ok)?;
            let (newest, next) = read(&reader, from)?;
            Ok::<_, KafkaFault>((reader, newest, next))
        };
        let (reader, newest, next) = tokio::task::spawn_blocking(read)
            .await
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        place.reader = Some(reader);
        if !newest.is_empty() {
            let published = self.store.published();
            let rows: Vec<CoverageRow<'_>> = newest.values().map(CoverageRow::of).collect();
            let table = format!("{published}.source_coverage");
            self.store.insert::<CoverageRow<'_>>(Action::Insert, &table, rows.into_iter()).await?;
            let table = format!("{published}.source_gaps");
            let gaps: Vec<GapRow<'_>> = newest.values().flat_map(GapRow::all).collect();
            self.store.insert::<GapRow<'_>>(Action::Insert, &table, gaps.into_iter()).await?;
        }
        place.next = next;
        Ok(())
    }
}

/// The newest coverage of each source at `from` and behind it, and where to go on. What a source
/// wrote before says nothing that its newest record does not.
fn read(
    reader: &LogReader,
    from: i64,
) -> Result<(BTreeMap<SourceName, SourceCoverage>, i64), KafkaFault> {
    let mut newest = BTreeMap::new();
    let extents = reader.extents(&topics::COVERAGE)?;
    let Some(extent) = extents.first() else { return Ok((newest, from)) };
    let begin = from.max(extent.low);
    if extent.high > begin {
        reader.read_from(&topics::COVERAGE, 0, begin, extent.high, |record| {
            // What another version wrote is that version's to read.
            let read = record.payload.map(serde_json::from_slice::<SourceCoverage>);
            if let Some(Ok(coverage)) = read {
                newest.insert(coverage.source.clone(), coverage);
            }
        })?;
    }
    Ok((newest, extent.high))
}

impl<'a> CoverageRow<'a> {
    fn of(coverage: &'a SourceCoverage) -> Self {
        Self {
            source: coverage.source.as_str(),
            at: coverage.at.as_millis(),
            state: coverage.state.as_str(),
            detail: coverage.detail.as_deref().unwrap_or_default(),
            last_success: coverage.last_success.map(Timestamp::as_millis),
            newest: coverage.newest.map(Timestamp::as_millis),
            lag_seconds: coverage.lag_millis.map(|millis| millis as f64 / 1000.0),
            accepted: coverage.accepted,
            rejected: coverage.rejected,
            lost: coverage.lost,
        }
    }
}

impl<'a> GapRow<'a> {
    fn all(coverage: &'a SourceCoverage) -> Vec<Self> {
        coverage.gaps.iter().map(|gap| Self::of(coverage, gap)).collect()
    }

    fn of(coverage: &'a SourceCoverage, gap: &Gap) -> Self {
        Self {
            source: coverage.source.as_str(),
            from_time: gap.from.as_millis(),
            to_time: gap.to.map(Timestamp::as_millis),
            why: gap.why.as_str(),
            caught_up: gap.caught_up,
            at: coverage.at.as_millis(),
        }
    }
}
