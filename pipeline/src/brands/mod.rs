//! The brands that stages look for, kept up to date with their files. The queries themselves are
//! `echolot_brands`, which reads no file; here are the files, the watching, and mentions as queries
//! see them, for whichever stage asks: ingest to keep matches only, enrich for the verdict.
//!
//! ```text
//! brands/*.toml ─▶ BrandFiles ─▶ BrandSet ─▶ LiveBrands ─▶ Keep (ingest), Enricher: one set a batch
//!                     ▲                          │
//!                BrandWatch: every 2 s and on SIGHUP; a broken file changes nothing
//! ```

mod files;
mod live;
mod metrics;
mod owned;
mod set;
mod watch;

pub use files::BrandFiles;
pub use live::LiveBrands;
pub use metrics::BrandMetrics;
pub use owned::Pseudonymise;
pub use set::{BrandSet, seen};
pub use watch::BrandWatch;

use owned::OwnPseudonyms;
use std::{io, path::PathBuf};

use echolot_brands::{
    book::{BookErrors, MAX_FILE_BYTES},
    matcher::CompileError,
};

/// Most brand files.
pub const MAX_FILES: usize = 10_000;
/// Most bytes of all brand files together.
pub const MAX_BYTES: usize = 64 << 20;

/// Brands that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BrandsError {
    /// Not a path with wildcards.
    #[error("{pattern} is no path: {error}")]
    Pattern {
        /// As configured.
        pattern: String,
        /// What is wrong with it.
        error: glob::PatternError,
    },
    /// A path or pattern without any file.
    #[error("{0}: there is no such file; write one, or correct the path")]
    NoFile(String),
    /// A folder that cannot be listed.
    #[error("cannot list brand files: {0}")]
    List(#[from] glob::GlobError),
    /// A file that cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// More than [`MAX_FILES`] or [`MAX_BYTES`].
    #[error(
        "{files} brand files of {bytes} bytes are more than {MAX_FILES} files or {MAX_BYTES} \
         bytes (a file: {MAX_FILE_BYTES}); match fewer"
    )]
    TooMuch {
        /// How many files.
        files: usize,
        /// Bytes of those read.
        bytes: usize,
    },
    /// Everything wrong in every file.
    #[error("{0}")]
    Book(#[from] BookErrors),
    /// The queries together are too large.
    #[error(transparent)]
    Compile(#[from] CompileError),
}

impl BrandsError {
    /// For a terminal or a log: errors in queries with a mark below the place.
    pub fn render(&self) -> String {
        match self {
            Self::Book(errors) => errors.render(),
            other => other.to_string(),
        }
    }
}
