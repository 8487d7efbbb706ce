//! Language: the one seat of every detector.

mod evidence;
mod hinted;

use std::sync::Arc;

use echolot_schemas::enriched::ModelRef;

pub use hinted::{DetectorError, HintedWhichlang, LANGUAGES};

use crate::settings::EnrichSettings;

/// The configured detector.
pub fn detector(settings: &EnrichSettings) -> Result<Arc<dyn LanguageDetector>, DetectorError> {
    Ok(Arc::new(HintedWhichlang::new(&settings.languages, settings.language_confidence)?))
}

/// The code for "unsure" (ISO 639-2).
pub const UNDETERMINED: &str = "und";

/// A text to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DetectInput<'a> {
    /// Normalised by [`crate::text::normalise`].
    pub text: &'a str,
    /// What the source declares (BCP 47): a hint, not the truth.
    pub hint: Option<&'a str>,
}

/// What a detector says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detected {
    /// ISO 639-1 code, or [`UNDETERMINED`].
    pub code: &'static str,
    /// Probability that `code` is right, 0 to 1; for `und`, that no known language is likely.
    pub confidence: f32,
}

/// A model of language.
///
/// Called from several threads at once. Judging a text alone gives the same as judging it in a
/// batch. It may panic: the enricher calls it on its own threads.
pub trait LanguageDetector: Send + Sync + 'static {
    /// Its name, version and hash.
    fn model(&self) -> &ModelRef;

    /// One answer for each text, in order.
    fn detect(&self, texts: &[DetectInput<'_>]) -> Vec<Detected>;
}
