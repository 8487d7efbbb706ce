//! `echolot audit`: reads the log and the store and proves that the one is the projection of the
//! other: every raw event is accounted for once, and every count equals a recount.

mod judge;
mod log;
mod report;

use std::{
    collections::HashMap,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args;
use echolot_pipeline::reader::{Extent, LogReader};
use echolot_schemas::{MentionId, topics};
use echolot_sink::{
    State,
    audit::{DifferingKey, Finding, StoreAudit},
    generations,
};
use echolot_store::Store;

use crate::{
    engines::Engines,
    progress::{self, Goal},
    roles,
    settings::Settings,
    tools::{log_engine, print},
};
use judge::Judged;
use log::{DeadPositions, PartitionLog};
use report::Report;

/// Examples shown of each kind of fault.
const EXAMPLES: usize = 10;

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
    /// How long to wait for the roles to work off what the log holds now.
    #[arg(long, default_value = "60s", value_parser = parse_duration)]
    wait: Duration,
    /// Which generation of the store; the promoted one where left out.
    #[arg(long)]
    generation: Option<u32>,
}

fn parse_duration(text: &str) -> Result<Duration, humantime::DurationError> {
    humantime::parse_duration(text)
}

pub(crate) async fn run(mut settings: Settings, args: AuditArgs) -> anyhow::Result<ExitCode> {
    let engines = Engines::reach(&mut settings, log_engine).await?;
    let outcome = audit(&settings, &args).await;
    engines.stop().await;
    let report = outcome?;
    print(if args.json { report.to_json()? } else { report.to_table() });
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn audit(settings: &Settings, args: &AuditArgs) -> anyhow::Result<Report> {
    let store = Store::new(&settings.clickhouse)?;
    let generation = match args.generation {
        Some(generation) => generation,
        None => generations::promoted(&store)
            .await?
            .context("the store has no generation yet: start the sink, or run `echolot migrate`")?,
    };
    let raw = blocking(settings, "audit", |reader| Ok(reader.extents(&topics::RAW)?)).await?;
    let pending = settle(settings, generation, &raw, args.wait).await?;
    let mut report = Report::new(pending);
    let dead = blocking(settings, "audit", |reader| DeadPositions::read(&reader)).await?;
    let audit = StoreAudit::new(&store, generation);
    for (partition, extent) in (0..).zip(raw) {
        let mut log = blocking(settings, "audit", move |reader| {
            PartitionLog::read(&reader, partition, extent)
        })
        .await?;
        let number = u16::try_from(partition).context("more partitions than the store can hold")?;
        for offset in audit.unmatched(number).await? {
            log.unmatched.insert(i64::try_from(offset)?);
        }
        let stored = stored(&audit, partition).await?;
        report.add(Judged::of(&log, &dead, stored));
        report.doubled(&audit.doubled(number, EXAMPLES).await?);
        report.differing(&differing(&audit, number).await?);
    }
    Ok(report)
}

/// Waits until enrich and sink have worked off what the log holds now; how much they have not.
async fn settle(
    settings: &Settings,
    generation: u32,
    raw: &[Extent],
    patience: Duration,
) -> anyhow::Result<u64> {
    let deadline = Instant::now() + patience;
    let enriching = Goal::new(topics::RAW, roles::ENRICH_GROUP, raw);
    let open = wait_for(settings, enriching, deadline).await?;
    if open > 0 {
        return Ok(open);
    }
    let enriched =
        blocking(settings, "audit", |reader| Ok(reader.extents(&topics::ENRICHED)?)).await?;
    let storing = Goal::new(topics::ENRICHED, roles::sink_group(generation), &enriched);
    wait_for(settings, storing, deadline).await
}

async fn wait_for(settings: &Settings, goal: Goal, deadline: Instant) -> anyhow::Result<u64> {
    let group = goal.group().to_owned();
    blocking(settings, &group, move |reader| {
        loop {
            let open = goal.open(&reader)?;
            if open == 0 || Instant::now() >= deadline {
                return Ok(open);
            }
            std::thread::sleep(progress::LOOK);
        }
    })
    .await
}

/// Runs `read` with a reader of the log, beside the asynchronous runtime.
async fn blocking<T: Send + 'static>(
    settings: &Settings,
    group: &str,
    read: impl FnOnce(LogReader) -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    let (kafka, group) = (settings.kafka.clone(), group.to_owned());
    tokio::task::spawn_blocking(move || read(LogReader::connect(&kafka, &group)?)).await?
}

/// What the store holds of a raw partition, hidden rows included.
async fn stored(
    audit: &StoreAudit<'_>,
    partition: i32,
) -> anyhow::Result<HashMap<MentionId, (i64, State)>> {
    let mut rows = audit.mentions(u16::try_from(partition)?)?;
    let mut stored = HashMap::new();
    while let Some(row) = rows.next().await? {
        let offset = i64::try_from(row.raw_offset)?;
        let latest = stored.entry(row.id).or_insert((offset, row.state));
        if offset > latest.0 {
            *latest = (offset, row.state);
        }
    }
    Ok(stored)
}

/// Counts that differ from a recount. While mentions flow, a count may be caught between insert and
/// recomputation, so what differs is looked at again.
async fn differing(
    audit: &StoreAudit<'_>,
    partition: u16,
) -> anyhow::Result<Finding<DifferingKey>> {
    for _ in 0..3 {
        let found = audit.differing(partition, EXAMPLES).await?;
        if found.count == 0 {
            return Ok(found);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(audit.differing(partition, EXAMPLES).await?)
}
