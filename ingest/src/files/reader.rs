//! The records of one file, in any format, as observations or rejections.

use std::{
    io::{self, BufReader},
    sync::Arc,
};

use bytes::Bytes;
use echolot_pipeline::stage::Rejection;
use echolot_schemas::{SourceName, dead_letter::Reason, submission::Submission};
use memchr::memchr_iter;

use crate::{
    files::{
        columns::{Field, Meaning},
        input::{self, Input},
        lines::{ArrayReader, Gathered, LineReader, Part},
        record::{Ignored, Parser},
        table::{Row, TableReader},
    },
    rejected::{Place, Rejected},
    source::Observation,
    submission::malformed,
};

/// How much of a file is looked at to tell its format.
const SNIFFED_BYTES: usize = 16 * 1024;

/// How a file holds its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// One JSON object per line.
    Lines,
    /// One JSON array of objects.
    Array,
    /// Rows under a header; cells end at this byte.
    Table(u8),
}

/// A file that cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error(
        "has no column for `{field}`; name one with --map {field}=COLUMN. Its columns: {columns}"
    )]
    NoColumn { field: &'static str, columns: String },
    #[error("has two columns for `{field}`; choose one with --map {field}=COLUMN")]
    TwoColumns { field: &'static str },
    #[error("begins with a header longer than {0} bytes; is it a table?")]
    Header(usize),
}

/// Reads one file from its beginning to its end.
pub(crate) struct FileReader {
    file: Arc<str>,
    limit: usize,
    records: Records,
    pub(crate) ignored: Ignored,
}

enum Records {
    Lines(LineReader),
    Array(ArrayReader),
    Table { reader: Box<TableReader>, header: Vec<Option<Meaning>> },
}

/// A record with its place: in one piece, or with the reason why it is none.
struct Raw {
    place: Place,
    content: Content,
    fault: Option<Rejection>,
}

enum Content {
    Json(Vec<u8>),
    Row(Row),
}

impl FileReader {
    /// Reads on from `input`; `file` names it in places.
    pub(crate) fn new(
        file: Arc<str>,
        input: Input,
        format: Option<FileFormat>,
        limit: usize,
        parser: &Parser,
    ) -> Result<Self, OpenError> {
        let (head, input) = input::peeked(input, SNIFFED_BYTES, |head| head.contains(&b'\n'))?;
        let input: Input = Box::new(BufReader::new(input));
        let mut ignored = Ignored::default();
        let records = match format.unwrap_or_else(|| sniff(&head)) {
            FileFormat::Lines => Records::Lines(LineReader { input, limit, line: 0 }),
            FileFormat::Array => Records::Array(ArrayReader::new(input, limit)?),
            FileFormat::Table(delimiter) => {
                let mut reader = Box::new(TableReader::new(input, delimiter, limit));
                let row = reader.next()?.unwrap_or_default();
                if row.oversized {
                    return Err(OpenError::Header(limit));
                }
                let header = header(&row, parser, &mut ignored)?;
                Records::Table { reader, header }
            }
        };
        Ok(Self { file, limit, records, ignored })
    }

    /// Passes over the next record; false at the end.
    pub(crate) fn skip(&mut self) -> io::Result<bool> {
        Ok(self.raw()?.is_some())
    }

    /// The next record and the bytes it holds; none at the end.
    pub(crate) fn next(
        &mut self,
        parser: &Parser,
    ) -> io::Result<Option<(Result<Observation, Rejected>, usize)>> {
        let Some(Raw { place, content, fault }) = self.raw()? else { return Ok(None) };
        let read = match (fault, &content, &self.records) {
            (Some(fault), ..) => Err(fault),
            (None, Content::Json(json), _) => parser.json(json, &mut self.ignored),
            (None, Content::Row(row), Records::Table { header, .. }) => {
                parser.row(header, row.cells())
            }
            (None, Content::Row(row), _) => parser.row(&[], row.cells()),
        };
        let original = Bytes::from(match content {
            Content::Json(bytes) => bytes,
            Content::Row(row) => row.original,
        });
        let held = original.len();
        Ok(Some((judged(place, original, read), held)))
    }

    fn raw(&mut self) -> io::Result<Option<Raw>> {
        let (file, limit) = (Some(Arc::clone(&self.file)), self.limit);
        let raw = match &mut self.records {
            Records::Lines(reader) => reader.next()?.map(|(line, gathered)| {
                let fault = gathered.is_cut().then(|| too_long(&gathered, limit));
                Raw { place: Place::Line { file, line }, content: json(gathered), fault }
            }),
            Records::Array(reader) => reader.next()?.map(|(item, part)| {
                let (gathered, fault) = match part {
                    Part::BrokenOff(rest) => {
                        (rest, Some(malformed("the array breaks off here, without `]`")))
                    }
                    Part::Trailing(rest) => {
                        (rest, Some(malformed("stands behind the array's `]`")))
                    }
                    Part::Element(element) if element.is_cut() => {
                        let fault = too_long(&element, limit);
                        (element, Some(fault))
                    }
                    Part::Element(element) => (element, None),
                };
                Raw { place: Place::Item { file, item }, content: json(gathered), fault }
            }),
            Records::Table { reader, .. } => reader.next()?.map(|row| {
                let fault = row.oversized.then(|| Rejection {
                    reason: Reason::Invalid,
                    detail: format!(
                        "row is longer than ingest.files.line_limit = {limit} bytes; is a quote left open?"
                    ),
                });
                let place = Place::Line { file, line: row.line };
                Raw { place, content: Content::Row(row), fault }
            }),
        };
        Ok(raw)
    }
}

fn judged(
    place: Place,
    original: Bytes,
    read: Result<(SourceName, Submission), Rejection>,
) -> Result<Observation, Rejected> {
    match read {
        Ok((source, submission)) => {
            Ok(Observation { place, ..Observation::new(&source, submission, original) })
        }
        Err(rejection) => Err(Rejected::new(place, rejection, original)),
    }
}

fn json(gathered: Gathered) -> Content {
    Content::Json(gathered.bytes)
}

fn too_long(gathered: &Gathered, limit: usize) -> Rejection {
    let detail = format!("is {} bytes, at most ingest.files.line_limit = {limit}", gathered.length);
    Rejection { reason: Reason::Invalid, detail }
}

/// `{` begins NDJSON and `[` an array; anything else is a table, whose header shows what ends cells.
fn sniff(head: &[u8]) -> FileFormat {
    let head = head.trim_ascii_start();
    match head.first() {
        None | Some(b'{') => FileFormat::Lines,
        Some(b'[') => FileFormat::Array,
        Some(_) => {
            let header = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let count = |delimiter: &u8| memchr_iter(*delimiter, header).count();
            // The last of equals wins: a comma, where there is no delimiter at all.
            let best = [b'|', b';', b'\t', b','].into_iter().max_by_key(count);
            FileFormat::Table(best.unwrap_or(b','))
        }
    }
}

fn header(
    row: &Row,
    parser: &Parser,
    ignored: &mut Ignored,
) -> Result<Vec<Option<Meaning>>, OpenError> {
    let names: Vec<_> =
        row.cells().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
    let meanings: Vec<_> = names.iter().map(|name| parser.columns.meaning(name.trim())).collect();
    for (at, meaning) in meanings.iter().enumerate() {
        match meaning {
            None => ignored.note(&names[at]),
            Some((field, _)) if meanings[..at].contains(meaning) => {
                return Err(OpenError::TwoColumns { field: field.name() });
            }
            Some(_) => {}
        }
    }
    let holds = |field| meanings.iter().flatten().any(|(held, _)| *held == field);
    let missing = [
        (Field::Id, holds(Field::Id)),
        (Field::Text, holds(Field::Text) || holds(Field::Title) || holds(Field::Deleted)),
        (Field::PublishedAt, holds(Field::PublishedAt) || holds(Field::Deleted)),
    ];
    for (field, held) in missing {
        if !held {
            let columns = names.join(", ").chars().take(500).collect();
            return Err(OpenError::NoColumn { field: field.name(), columns });
        }
    }
    Ok(meanings)
}
