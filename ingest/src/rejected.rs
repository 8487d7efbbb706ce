//! What a source said that is no mention: kept with its place and the reason.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use echolot_pipeline::{dead_letters::DeadLetter, stage::Rejection};
use echolot_schemas::{SourceName, Timestamp};

/// The stage named in dead letters.
pub const STAGE: &str = "ingest";
/// Header of a dead letter that names the source.
pub const SOURCE_HEADER: &str = "ingest_source";
/// Header of a dead letter that says where at the source it stood.
pub const PLACE_HEADER: &str = "ingest_place";
/// Most characters kept of a reason: a parser may quote all that it read.
const DETAIL_CHARS: usize = 500;
/// Most bytes kept of a rejected original: four of the longest texts.
pub const ORIGINAL_BYTES: usize = 256 * 1024;

/// Where at its source something stood, so that a person finds it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Line of a request body or a file, counted from 1.
    Line {
        /// The file, if it was one.
        file: Option<Arc<str>>,
        /// The line.
        line: u64,
    },
    /// Element of a JSON array, counted from 1.
    Item {
        /// The file, if it was one.
        file: Option<Arc<str>>,
        /// The element.
        item: u64,
    },
    /// The id that the source itself uses.
    NativeId(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { file: Some(file), line } => write!(f, "{file}:{line}"),
            Self::Line { file: None, line } => write!(f, "line {line}"),
            Self::Item { file: Some(file), item } => write!(f, "{file}, item {item}"),
            Self::Item { file: None, item } => write!(f, "item {item}"),
            Self::NativeId(id) => write!(f, "{id:.200}"),
        }
    }
}

/// Something a source said that is no mention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Where it stood.
    pub place: Place,
    /// Why it was refused.
    pub rejection: Rejection,
    /// What it said, byte for byte, at most [`ORIGINAL_BYTES`].
    pub original: Bytes,
}

impl Rejected {
    /// Keeps what may be kept of `original`; a cut is told in the detail.
    pub fn new(place: Place, mut rejection: Rejection, mut original: Bytes) -> Self {
        if let Some((cut, _)) = rejection.detail.char_indices().nth(DETAIL_CHARS) {
            rejection.detail.truncate(cut);
            rejection.detail.push('…');
        }
        let whole = original.len();
        if whole > ORIGINAL_BYTES {
            original.truncate(ORIGINAL_BYTES);
            let Rejection { detail, .. } = &mut rejection;
            *detail = format!("{detail} (the first {ORIGINAL_BYTES} of {whole} bytes are kept)");
        }
        Self { place, rejection, original }
    }

    /// The dead letter that tells of it.
    pub fn into_dead_letter(self, source: &SourceName, at: Timestamp) -> DeadLetter {
        DeadLetter {
            stage: STAGE.to_owned(),
            rejection: self.rejection,
            origin: None,
            key: None,
            payload: self.original.to_vec(),
            headers: vec![
                (SOURCE_HEADER.to_owned(), source.as_str().as_bytes().to_vec()),
                (PLACE_HEADER.to_owned(), self.place.to_string().into_bytes()),
            ],
            at,
        }
    }
}
