//! The scorers, by name.

use std::sync::Arc;

#[cfg(feature = "bert")]
use super::bert::{BertScorer, FolderError};
use super::{
    Scorer,
    lexicon::{LexiconError, LexiconScorer},
    linear::{LinearScorer, WeightsError},
};
use crate::EnrichSettings;
#[cfg(feature = "bert")]
use crate::settings::BertSettings;

/// Names that `enrich.scorer` may have.
pub const SCORERS: [&str; 3] = ["linear", "lexicon", "bert"];

/// A scorer that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// No such name.
    #[error("{0:?} is no scorer; there are {known}", known = SCORERS.join(" "))]
    Unknown(String),
    /// The deep tier was left out when this binary was built.
    #[error(
        "this binary was built without the deep tier; `make run-bert` builds one that has it, or set enrich.scorer to linear"
    )]
    WithoutBert,
    /// The deep tier's folder.
    #[cfg(feature = "bert")]
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The weights in the binary.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The word lists in the binary.
    #[error(transparent)]
    Lexicon(#[from] LexiconError),
}

/// Loads the scorer of this name; the deep tier is the one that `settings` describe.
pub fn scorer(name: &str, settings: &EnrichSettings) -> Result<Arc<dyn Scorer>, CatalogueError> {
    match name {
        "linear" => Ok(Arc::new(LinearScorer::new()?)),
        "lexicon" => Ok(Arc::new(LexiconScorer::new()?)),
        "bert" => bert(settings),
        unknown => Err(CatalogueError::Unknown(unknown.chars().take(40).collect())),
    }
}

#[cfg(feature = "bert")]
fn bert(settings: &EnrichSettings) -> Result<Arc<dyn Scorer>, CatalogueError> {
    let BertSettings { folder, threads } = &settings.bert;
    Ok(Arc::new(BertScorer::open(folder, *threads)?))
}

#[cfg(not(feature = "bert"))]
fn bert(_settings: &EnrichSettings) -> Result<Arc<dyn Scorer>, CatalogueError> {
    Err(CatalogueError::WithoutBert)
}
