//! `echolot backfill FILE…`: files into the log, resumable, with a progress bar.

use std::{fmt::Write as _, process::ExitCode};

use anyhow::bail;
use clap::{Args, ValueEnum};
use echolot_ingest::{
    collector::{Collected, Collector},
    coverage::CoverageBook,
    files::{BackfillOptions, FileFormat, FileOutcome, FileReport, Origin, expand, read_options},
    keep::KeepRule,
    observe::Observer,
};
use echolot_pipeline::{admin, clock::Clock, cursors::CursorStore, producer::Producer};
use echolot_schemas::SourceName;
use indicatif::ProgressBar;

use crate::{
    engines::Engines,
    process::Process,
    progress::{self, Unit},
    roles,
    settings::Settings,
    tools::{log_engine, print},
};

#[derive(Debug, Args)]
pub(crate) struct BackfillArgs {
    /// Files or patterns: NDJSON, JSON array, CSV or TSV, plain, .gz or .zst; - for standard input.
    #[arg(required = true)]
    files: Vec<String>,
    /// Source of every record, whatever the records say.
    #[arg(long)]
    source: Option<SourceName>,
    /// Which column or field holds what: `--map published_at=created_at`. May be repeated.
    #[arg(long = "map", value_name = "FIELD=COLUMN")]
    maps: Vec<String>,
    /// Format, where it is not to be told from the content.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Reads finished files again; harmless, since every mention keeps its id.
    #[arg(long)]
    again: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// One JSON object per line.
    Ndjson,
    /// One JSON array of objects.
    Json,
    /// Rows under a header, comma-separated.
    Csv,
    /// Rows under a header, tab-separated.
    Tsv,
}

impl From<Format> for FileFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Ndjson => Self::Lines,
            Format::Json => Self::Array,
            Format::Csv => Self::Table(b','),
            Format::Tsv => Self::Table(b'\t'),
        }
    }
}

pub(crate) async fn run(mut settings: Settings, args: BackfillArgs) -> anyhow::Result<ExitCode> {
    let origins = expand(&args.files)?;
    let engines = Engines::reach(&mut settings, log_engine).await?;
    let outcome = backfill(settings, origins, args).await;
    engines.stop().await;
    outcome
}

async fn backfill(
    settings: Settings,
    origins: Vec<Origin>,
    args: BackfillArgs,
) -> anyhow::Result<ExitCode> {
    let process = Process::new(settings)?;
    process.stop_on_signals()?;
    let options = BackfillOptions {
        source: args.source,
        maps: args.maps,
        format: args.format.map(FileFormat::from),
        again: args.again,
    };
    let reports = read_files(&process, &origins, &options).await?;
    for report in &reports {
        print(tell(report));
    }
    let rejected: u64 = reports.iter().map(|report| report.collected.rejected).sum();
    if rejected > 0 {
        print(format!("{rejected} rejected: see `echolot dead-letters list --stage ingest`"));
    }
    let complete = |report: &FileReport| {
        matches!(report.outcome, FileOutcome::Finished | FileOutcome::FinishedBefore(_))
    };
    let all_well = rejected == 0 && reports.len() == origins.len() && reports.iter().all(complete);
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Reads files into the log, with a bar over their bytes.
pub(crate) async fn read_files(
    process: &Process,
    origins: &[Origin],
    options: &BackfillOptions,
) -> anyhow::Result<Vec<FileReport>> {
    let settings = &process.settings;
    admin::ensure_topics(&settings.kafka).await?;
    let producer = process.producer("backfill.producer")?;
    let collector: Collector<Producer, CursorStore> = Collector {
        log: producer.clone(),
        cursors: CursorStore::new(settings.kafka.clone(), producer),
        observer: observer(settings)?,
        metrics: process.metrics.ingest.clone(),
        coverage: CoverageBook::default(),
        clock: Clock::system(),
    };
    let read = read_options(&settings.ingest.files, options)?;
    let bar = progress::bar("backfill", 0, Unit::Bytes);
    let shown = bar.clone();
    let reports = collector
        .backfill(origins, read, &process.cancel, move |_, reading, collected| {
            show(&shown, reading.bytes_read, reading.bytes_total, collected);
        })
        .await;
    bar.finish_and_clear();
    Ok(reports?)
}

/// One that knows the brands, where files keep matches only.
fn observer(settings: &Settings) -> anyhow::Result<Observer> {
    let observer = Observer::new(settings.author_key()?, &settings.privacy, &settings.ingest);
    if settings.ingest.files.keep == KeepRule::All {
        return Ok(observer);
    }
    let (_, brands) = roles::brands(settings)?;
    Ok(observer.with_brands(brands))
}

fn show(bar: &ProgressBar, read: u64, total: Option<u64>, collected: Collected) {
    bar.set_length(total.unwrap_or(read));
    bar.set_position(read);
    bar.set_message(format!("{} mentions", collected.accepted));
}

fn tell(report: &FileReport) -> String {
    let FileReport { origin, outcome, collected, .. } = report;
    let mut counts = format!("{} accepted, {} rejected", collected.accepted, collected.rejected);
    if collected.filtered > 0 {
        let _ = write!(counts, ", {} about no brand and left out", collected.filtered);
    }
    match outcome {
        FileOutcome::Finished => format!("{origin}: {counts}"),
        FileOutcome::FinishedBefore(records) => format!(
            "{origin}: nothing to do, its {records} records were read before (--again reads it anew)"
        ),
        FileOutcome::Cancelled => {
            format!("{origin}: {counts}, then interrupted; the same command goes on from there")
        }
        FileOutcome::Failed(why) => format!("{origin}: {counts}, then failed: {why}"),
    }
}

/// Reads one file that must be right: the shipped sample.
pub(crate) async fn read_sample(process: &Process, origin: Origin) -> anyhow::Result<Collected> {
    let reports = read_files(process, &[origin], &BackfillOptions::default()).await?;
    let mut collected = Collected::default();
    for report in reports {
        if let FileOutcome::Failed(why) = report.outcome {
            bail!("{}: {why}", report.origin);
        }
        collected += report.collected;
    }
    Ok(collected)
}
