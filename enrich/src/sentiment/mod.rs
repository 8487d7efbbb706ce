//! Sentiment: the one seat of every scorer.

#[cfg(feature = "bert")]
pub mod bert;
mod catalogue;
pub mod lexicon;
pub mod linear;

use echolot_schemas::enriched::{Distribution, ModelRef};

pub use catalogue::{CatalogueError, SCORERS, scorer};

/// A text to score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScoreInput<'a> {
    /// Normalised by [`crate::text::normalise`].
    pub text: &'a str,
    /// ISO 639-1 code, or `und`.
    pub language: &'a str,
}

/// What keeps a scorer from answering. It is never about one text: a text that a scorer cannot
/// judge is a neutral one, and one that it crashes on is found by the enricher.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScorerFault {
    /// May pass; the batch is tried again.
    #[error("{model}: {problem}; trying again")]
    Unavailable {
        /// Which model.
        model: String,
        /// What happened.
        problem: String,
    },
    /// Will not pass without an operator.
    #[error("{model}: {problem}")]
    Broken {
        /// Which model.
        model: String,
        /// What happened and how to mend it.
        problem: String,
    },
}

/// A model of sentiment.
///
/// Called from several threads at once, each with its own batch. Scoring a text alone gives the
/// same as scoring it in a batch. It may take long and even panic: the enricher calls it on its
/// own threads, with a limit on the time.
pub trait Scorer: Send + Sync + 'static {
    /// Its name, version and hash.
    fn model(&self) -> &ModelRef;

    /// From this probability of the most probable polarity on, the model calls itself certain.
    fn certain_from(&self) -> f32 {
        0.0
    }

    /// One distribution for each text, in order.
    fn score(&self, texts: &[ScoreInput<'_>]) -> Result<Vec<Distribution>, ScorerFault>;
}
