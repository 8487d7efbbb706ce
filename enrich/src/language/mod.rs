//! Language: the one seat of every detector.

mod evidence;
mod hinted;
pub mod linear;

use std::sync::Arc;

use echolot_schemas::enriched::ModelRef;

pub use hinted::{DetectorError, HintedWhichlang, LANGUAGES};

use crate::settings::EnrichSettings;

/// Names that `enrich.detector` may have.
pub const DETECTORS: [&str; 2] = ["linear", "whichlang"];

/// A detector that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DetectorFault {
    /// No such name.
    #[error("{0:?} is no detector; there are {known}", known = DETECTORS.join(" "))]
    Name(String),
    /// The built-in detector.
    #[error(transparent)]
    Linear(#[from] linear::LinearError),
    /// whichlang with hints.
    #[error(transparent)]
    Whichlang(#[from] DetectorError),
}

/// The configured detector.
pub fn detector(settings: &EnrichSettings) -> Result<Arc<dyn LanguageDetector>, DetectorFault> {
    let (listed, least) = (&settings.languages, settings.language_confidence);
    match settings.detector.as_str() {
        "linear" => Ok(Arc::new(linear::LinearDetector::new(listed, least)?)),
        "whichlang" => Ok(Arc::new(HintedWhichlang::new(listed, least)?)),
        name => Err(DetectorFault::Name(name.chars().take(40).collect())),
    }
}

/// Languages that the detector of this name tells apart; none where there is no such detector.
pub fn languages(detector: &str) -> Vec<&'static str> {
    match detector {
        "linear" => linear::LANGUAGES.to_vec(),
        "whichlang" => LANGUAGES.iter().map(|language| language.code).collect(),
        _ => Vec::new(),
    }
}

/// `de`, `de-AT` and `DE_ch` declare `de`.
fn declares(hint: &str, code: &str) -> bool {
    let primary = hint.split(['-', '_']).next().unwrap_or_default();
    primary.eq_ignore_ascii_case(code)
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
