//! The scorers that the binary carries, by name.

use std::sync::Arc;

use super::{
    Scorer,
    lexicon::{LexiconError, LexiconScorer},
    linear::{LinearScorer, WeightsError},
};

/// Names that `enrich.scorer` may have.
pub const SCORERS: [&str; 2] = ["linear", "lexicon"];

/// A scorer that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// No such name.
    #[error("{0:?} is no scorer; there are {known}", known = SCORERS.join(" "))]
    Unknown(String),
    /// The weights in the binary.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The word lists in the binary.
    #[error(transparent)]
    Lexicon(#[from] LexiconError),
}

/// Loads the scorer of this name.
pub fn scorer(name: &str) -> Result<Arc<dyn Scorer>, CatalogueError> {
    match name {
        "linear" => Ok(Arc::new(LinearScorer::new()?)),
        "lexicon" => Ok(Arc::new(LexiconScorer::new()?)),
        unknown => Err(CatalogueError::Unknown(unknown.chars().take(40).collect())),
    }
}
