//! Coverage of sources into the store: `ingest.coverage` as it is, newest state of each source.
//!
//! The topic is compacted and small. What is read twice is written twice with the same version, and
//! the table keeps one: a restart needs no place of its own to remember.

use std::time::Duration;

use clickhouse::Row;
use echolot_pipeline::{KafkaFault, reader::LogReader, retry::Backoff, settings::KafkaSettings};
use echolot_schemas::{
    Timestamp,
    coverage::{Gap, SourceCoverage},
    topics,
};
use echolot_store::{Action, Store, StoreError};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

/// Between two looks at the topic.
const PERIOD: Duration = Duration::from_secs(2);

/// Projects the coverage ledger.
#[derive(Debug)]
pub struct CoverageProjection {
    /// How to reach the log.
    pub kafka: KafkaSettings,
    /// The store; its published tables must exist.
    pub store: Store,
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
        let (mut next, mut backoff) = (0, Backoff::default());
        loop {
            let pause = match self.turn(next).await {
                Ok(reached) => {
                    next = reached;
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

    /// Stores what stands at `from` and behind it; returns where to go on.
    async fn turn(&self, from: i64) -> Result<i64, Failed> {
        let kafka = self.kafka.clone();
        let (written, reached) = tokio::task::spawn_blocking(move || read(&kafka, from))
            .await
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        if !written.is_empty() {
            let published = self.store.published();
            let rows: Vec<CoverageRow<'_>> = written.iter().map(CoverageRow::of).collect();
            let table = format!("{published}.source_coverage");
            self.store.insert::<CoverageRow<'_>>(Action::Insert, &table, rows.into_iter()).await?;
            let table = format!("{published}.source_gaps");
            let gaps: Vec<GapRow<'_>> = written.iter().flat_map(GapRow::all).collect();
            self.store.insert::<GapRow<'_>>(Action::Insert, &table, gaps.into_iter()).await?;
        }
        Ok(reached)
    }
}

fn read(kafka: &KafkaSettings, from: i64) -> Result<(Vec<SourceCoverage>, i64), KafkaFault> {
    let reader = LogReader::connect(kafka, "sink-coverage")?;
    let extents = reader.extents(&topics::COVERAGE)?;
    let Some(extent) = extents.first() else { return Ok((Vec::new(), from)) };
    let begin = from.max(extent.low);
    let mut written = Vec::new();
    if extent.high > begin {
        reader.read_from(&topics::COVERAGE, 0, begin, extent.high, |record| {
            // What another version wrote is that version's to read.
            written.extend(record.payload.and_then(|json| serde_json::from_slice(json).ok()));
        })?;
    }
    Ok((written, extent.high))
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
