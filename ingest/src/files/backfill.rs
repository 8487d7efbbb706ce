//! `echolot backfill FILE…`: files one after the other through the collector.

use std::{path::PathBuf, sync::Arc};

use bytesize::ByteSize;
use echolot_schemas::SourceName;
use tokio_util::sync::CancellationToken;

use crate::{
    collector::{CollectError, Collected, Collector, Ended},
    files::{
        columns::{Columns, MapError},
        reader::FileFormat,
        record::Parser,
        source::{FileSource, Origin, Progress, ReadOptions},
        zone::{TimeZoneRule, UnknownZone},
    },
    log::{Cursors, Publish},
    settings::FilesSettings,
};

/// What the command line says.
#[derive(Clone, Debug, Default)]
pub struct BackfillOptions {
    /// `--source`: the source of every record, whatever it says itself.
    pub source: Option<SourceName>,
    /// `--map field=column`, any number of times.
    pub maps: Vec<String>,
    /// `--format`; told by each file's content when none.
    pub format: Option<FileFormat>,
    /// `--again`: read files that are finished, or partly done, from their beginning.
    pub again: bool,
}

/// A backfill that cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum BackfillError {
    /// A `--map` that cannot be followed.
    #[error(transparent)]
    Map(#[from] MapError),
    /// `ingest.files.time_zone`.
    #[error("ingest.files.time_zone: {0}")]
    Zone(#[from] UnknownZone),
    /// `ingest.files.source`.
    #[error("ingest.files.source: {0}")]
    Source(#[from] echolot_schemas::InvalidName),
    /// A pattern that cannot be read.
    #[error("{pattern:?} is no file pattern: {problem}")]
    Pattern {
        /// As given.
        pattern: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A pattern that no file matches.
    #[error("no file matches {0:?}")]
    NoFile(String),
    /// The log will not take any more.
    #[error(transparent)]
    Log(CollectError),
}

/// How a file ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileOutcome {
    /// Read to its end.
    Finished,
    /// Finished by a run before, with so many records; nothing was done. `--again` reads it anew.
    FinishedBefore(u64),
    /// Stopped by the operator; the next run goes on behind what is safe.
    Cancelled,
    /// Could not be read, or not to its end.
    Failed(String),
}

/// What became of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    /// Which one.
    pub origin: Origin,
    /// How it ended.
    pub outcome: FileOutcome,
    /// What this run put into the log.
    pub collected: Collected,
    /// Names of fields that nothing was made of.
    pub ignored: Vec<String>,
}

/// Every file that `patterns` name, in their order and sorted within each; `-` is standard input.
pub fn expand(patterns: &[String]) -> Result<Vec<Origin>, BackfillError> {
    let mut origins = Vec::new();
    for pattern in patterns {
        if pattern == "-" {
            origins.push(Origin::Stdin);
            continue;
        }
        // A file's real name goes before its meaning as a pattern.
        let plain = PathBuf::from(pattern);
        if plain.is_file() {
            origins.push(Origin::File(plain));
            continue;
        }
        let problem =
            |problem: String| BackfillError::Pattern { pattern: pattern.clone(), problem };
        let before = origins.len();
        for path in glob::glob(pattern).map_err(|error| problem(error.to_string()))? {
            let path = path.map_err(|error| problem(error.to_string()))?;
            if path.is_file() {
                origins.push(Origin::File(path));
            }
        }
        if origins.len() == before {
            return Err(BackfillError::NoFile(pattern.clone()));
        }
    }
    Ok(origins)
}

/// How files are read by these settings and this command line.
pub fn read_options(
    settings: &FilesSettings,
    options: &BackfillOptions,
) -> Result<ReadOptions, BackfillError> {
    let bytes = |size: ByteSize| usize::try_from(size.as_u64()).unwrap_or(usize::MAX);
    Ok(ReadOptions {
        parser: Parser {
            columns: Columns::new(options.maps.iter().map(String::as_str))?,
            zone: TimeZoneRule::parse(&settings.time_zone)?,
            source: options.source.clone(),
            fallback: SourceName::new(settings.source.as_str())?,
        },
        format: options.format,
        line_limit: bytes(settings.line_limit),
        page_records: settings.page_records,
        page_bytes: bytes(settings.page_bytes),
        again: options.again,
        keep: settings.keep,
    })
}

impl<P: Publish, C: Cursors> Collector<P, C> {
    /// Backfills files one after the other. One that cannot be read does not stop the others.
    ///
    /// `on_page` is told the file, how far it is read and what is safe, after every page.
    pub async fn backfill(
        &self,
        origins: &[Origin],
        options: ReadOptions,
        cancel: &CancellationToken,
        mut on_page: impl FnMut(&Origin, Progress, Collected) + Send,
    ) -> Result<Vec<FileReport>, BackfillError> {
        let options = Arc::new(options);
        let mut reports = Vec::new();
        for origin in origins {
            let report = self.backfill_one(origin, &options, cancel, &mut on_page).await?;
            let stop = report.outcome == FileOutcome::Cancelled;
            reports.push(report);
            if stop {
                break;
            }
        }
        Ok(reports)
    }

    async fn backfill_one(
        &self,
        origin: &Origin,
        options: &Arc<ReadOptions>,
        cancel: &CancellationToken,
        on_page: &mut (impl FnMut(&Origin, Progress, Collected) + Send),
    ) -> Result<FileReport, BackfillError> {
        let parser = &options.parser;
        let name = parser.source.as_ref().unwrap_or(&parser.fallback).clone();
        let mut collected = Collected::default();
        let report = |outcome, collected, ignored| FileReport {
            origin: origin.clone(),
            outcome,
            collected,
            ignored,
        };
        let mut file = match FileSource::new(name, origin.clone(), Arc::clone(options)) {
            Ok(file) => file,
            Err(fault) => {
                return Ok(report(FileOutcome::Failed(fault.to_string()), collected, Vec::new()));
            }
        };
        let gauge = file.gauge();
        let ended = self
            .run(&mut file, cancel, |page| {
                collected += page;
                on_page(origin, gauge.progress(), collected);
            })
            .await;
        let outcome = match ended {
            Ok(Ended::Cancelled) => FileOutcome::Cancelled,
            Ok(Ended::Exhausted) => {
                file.done_before().map_or(FileOutcome::Finished, FileOutcome::FinishedBefore)
            }
            Err(CollectError::Source { fault, .. }) => FileOutcome::Failed(fault.to_string()),
            Err(error @ CollectError::Log { .. }) => return Err(BackfillError::Log(error)),
        };
        let ignored = file.ignored().to_vec();
        if !ignored.is_empty() {
            tracing::warn!(file = %origin, fields = ignored.join(", "), "unknown fields are ignored");
        }
        Ok(report(outcome, collected, ignored))
    }
}
