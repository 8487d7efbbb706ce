//! One file as a source.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use echolot_schemas::{SourceName, cursor::CursorRecord};

use crate::{
    files::{
        input,
        position::{self, Position},
        reader::{FileFormat, FileReader},
        record::Parser,
    },
    keep::KeepRule,
    source::{Page, Source, SourceFault},
};

/// Where records come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Standard input. Cannot be resumed.
    Stdin,
    /// A file.
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("stdin"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// How files are read.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// Reads the records.
    pub parser: Parser,
    /// The format; told by the content when none.
    pub format: Option<FileFormat>,
    /// Longest record, in bytes.
    pub line_limit: usize,
    /// Most records in a page.
    pub page_records: usize,
    /// Most bytes in a page.
    pub page_bytes: usize,
    /// Read a file from its beginning, however far it is done.
    pub again: bool,
    /// Which mentions enter the log.
    pub keep: KeepRule,
}

/// How far a file is read; ahead of what is safe by at most two pages.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Bytes read of the file as it lies there, compressed or not.
    pub bytes_read: u64,
    /// Its length; none for standard input.
    pub bytes_total: Option<u64>,
    /// Records read, those passed over included.
    pub records: u64,
}

/// Shared with the thread that reads.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    bytes_read: Arc<AtomicU64>,
    bytes_total: Option<u64>,
    records: AtomicU64,
}

impl Gauge {
    pub(crate) fn progress(&self) -> Progress {
        Progress {
            bytes_read: self.bytes_read.load(Ordering::Relaxed),
            bytes_total: self.bytes_total,
            records: self.records.load(Ordering::Relaxed),
        }
    }
}

/// A file that is read page by page, on a thread where it may block.
pub struct FileSource {
    name: SourceName,
    origin: Origin,
    cursor_name: Option<String>,
    options: Arc<ReadOptions>,
    gauge: Arc<Gauge>,
    state: State,
    ignored: Vec<String>,
    done_before: Option<u64>,
}

enum State {
    Unopened,
    Reading(Box<Reading>),
    Broken(SourceFault),
    Ended,
}

struct Reading {
    origin: String,
    reader: FileReader,
    options: Arc<ReadOptions>,
    gauge: Arc<Gauge>,
    position: Position,
}

impl FileSource {
    /// The file as a source called `name` in metrics.
    pub fn new(
        name: SourceName,
        origin: Origin,
        options: Arc<ReadOptions>,
    ) -> Result<Self, SourceFault> {
        let (cursor_name, bytes_total) = match &origin {
            Origin::Stdin => (None, None),
            Origin::File(path) => {
                let (name, length) = identity(path).map_err(|error| {
                    SourceFault::Fatal(format!("{origin} cannot be read: {error}"))
                })?;
                (Some(name), Some(length))
            }
        };
        let gauge = Arc::new(Gauge { bytes_total, ..Gauge::default() });
        Ok(Self {
            name,
            origin,
            cursor_name,
            options,
            gauge,
            state: State::Unopened,
            ignored: Vec::new(),
            done_before: None,
        })
    }

    pub(crate) fn gauge(&self) -> Arc<Gauge> {
        Arc::clone(&self.gauge)
    }

    /// Names of fields that nothing was made of, once the file has ended.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// How many records it had when it was finished before, if it was; then it is not read.
    pub fn done_before(&self) -> Option<u64> {
        self.done_before
    }

    fn end(&mut self, reading: Reading, state: State) {
        self.ignored = reading.reader.ignored.into_names();
        self.state = state;
    }
}

fn identity(path: &Path) -> std::io::Result<(String, u64)> {
    Ok((position::cursor_name(path)?, fs::metadata(path)?.len()))
}

impl Source for FileSource {
    fn name(&self) -> &SourceName {
        &self.name
    }

    fn cursor_name(&self) -> Option<&str> {
        self.cursor_name.as_deref()
    }

    fn keep(&self) -> KeepRule {
        self.options.keep
    }

    async fn resume(&mut self, cursor: Option<CursorRecord>) -> Result<(), SourceFault> {
        let fatal = |detail: String| SourceFault::Fatal(format!("{}: {detail}", self.origin));
        let position: Position = match cursor.filter(|_| !self.options.again) {
            None => Position::default(),
            Some(cursor) => cursor.position.parse().map_err(|error| fatal(format!("{error}")))?,
        };
        if position.finished {
            self.done_before = Some(position.records);
            self.state = State::Ended;
            return Ok(());
        }
        let (origin, options) = (self.origin.clone(), Arc::clone(&self.options));
        let gauge = Arc::clone(&self.gauge);
        let opened = blocking(move || Reading::open(&origin, options, gauge, position)).await;
        self.state = State::Reading(Box::new(opened.map_err(fatal)?));
        Ok(())
    }

    async fn next_page(&mut self) -> Result<Option<Page>, SourceFault> {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Unopened => Err(SourceFault::Fatal(format!("{} is not opened", self.origin))),
            State::Ended => Ok(None),
            State::Broken(fault) => {
                self.state = State::Broken(fault.clone());
                Err(fault)
            }
            State::Reading(mut reading) => {
                let (reading, page, fault) = blocking(move || {
                    let (page, fault) = reading.page();
                    (*reading, page, fault)
                })
                .await;
                match fault {
                    Some(fault) => self.end(reading, State::Broken(fault)),
                    None if reading.position.finished => self.end(reading, State::Ended),
                    None => self.state = State::Reading(Box::new(reading)),
                }
                Ok(Some(page))
            }
        }
    }
}

impl Reading {
    fn open(
        origin: &Origin,
        options: Arc<ReadOptions>,
        gauge: Arc<Gauge>,
        position: Position,
    ) -> Result<Self, String> {
        let input = match origin {
            Origin::Stdin => input::stdin(&gauge.bytes_read),
            Origin::File(path) => input::open(path, &gauge.bytes_read),
        };
        let input = input.map_err(|error| format!("cannot be read: {error}"))?;
        let (file, limit) = (origin.to_string().into(), options.line_limit);
        let mut reader = FileReader::new(file, input, options.format, limit, &options.parser)
            .map_err(|error| error.to_string())?;
        for _ in 0..position.records {
            if !reader.skip().map_err(|error| format!("cannot be read: {error}"))? {
                return Err("is shorter than its cursor says; --again reads it anew".to_owned());
            }
            gauge.records.fetch_add(1, Ordering::Relaxed);
        }
        Ok(Self { origin: origin.to_string(), reader, options, gauge, position })
    }

    /// A full page, or the last one. A fault ends the file behind the page that came with it.
    fn page(&mut self) -> (Page, Option<SourceFault>) {
        let mut page = Page::default();
        let (mut records, mut bytes, mut fault) = (0, 0, None);
        while records < self.options.page_records && bytes < self.options.page_bytes {
            match self.reader.next(&self.options.parser) {
                Ok(Some((judged, held))) => {
                    match judged {
                        Ok(observation) => page.observations.push(observation),
                        Err(rejected) => page.rejected.push(rejected),
                    }
                    records += 1;
                    bytes += held;
                }
                Ok(None) => {
                    self.position.finished = true;
                    break;
                }
                Err(error) => {
                    let (origin, good) = (&self.origin, self.position.records + records as u64);
                    fault = Some(SourceFault::Fatal(format!(
                        "{origin} is damaged or ends early behind record {good}: {error}; everything before is taken"
                    )));
                    break;
                }
            }
        }
        self.position.records += records as u64;
        self.gauge.records.store(self.position.records, Ordering::Relaxed);
        page.cursor = Some(self.position.to_string());
        (page, fault)
    }
}

/// Runs what blocks on a thread made for it.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}
