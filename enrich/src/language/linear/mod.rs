//! The built-in detector: a linear model over the same hashed features as the sentiment scorer's.
//!
//! ```text
//! first 400 characters ─▶ FeatureReader ─▶ sum of i8 by language ÷ √count ÷ temperature ─┐
//!        the source's hint: + 2 for the declared language; not on the list: - 2 ─────────┴▶ softmax
//! ```
//!
//! Every trained language competes, also those that the list does not allow: a Czech text is then
//! rather `und` than German. Below the configured confidence the answer is `und`; so it is where a
//! text has no letters. Swiss German is `de`; a text in two languages is the one that has more of
//! it; code counts as what its words are.

mod weights;

use echolot_schemas::enriched::ModelRef;
pub use weights::{Header, MOST_LANGUAGES, WeightsError, write};

use self::weights::Weights;
use super::{DetectInput, Detected, LanguageDetector, UNDETERMINED};
use crate::{
    model::model_ref,
    text::{FeatureReader, FeatureSink, RUN, warm},
};

/// Trained by `enrich/train`; its card is `enrich/models/language.md`.
const WEIGHTS: &[u8] = include_bytes!("../../../models/language.bin");
const NAME: &str = "enrich/models/language.bin";

/// Characters of a text that are read.
const LEAD: usize = 400;
/// Logits for the language that the source declares.
const HINT: f32 = 2.0;
/// Logits against languages that the list does not name.
const NOT_LISTED: f32 = 2.0;

/// Languages that the model was trained on.
pub const LANGUAGES: [&str; 20] = [
    "ar", "bg", "bs", "de", "en", "es", "fr", "hi", "hr", "hu", "it", "nl", "pl", "pt", "ru", "sk",
    "sl", "sq", "sr", "sv",
];

/// The built-in detector, `linear-language`.
#[derive(Debug)]
pub struct LinearDetector {
    model: ModelRef,
    weights: Weights<{ LANGUAGES.len() }>,
    allowed: [bool; LANGUAGES.len()],
    least: f32,
}

/// A detector that cannot be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinearError {
    /// A code that is not in [`LANGUAGES`].
    #[error("language {0:?} is unknown to this detector; it knows {known}", known = LANGUAGES.join(" "))]
    Unknown(String),
    /// The weights in the binary.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// Weights of other languages than this code expects.
    #[error("{NAME} holds the languages {0:?}; train it anew (enrich/train/README.md)")]
    Languages(Vec<String>),
}

impl LinearDetector {
    /// A detector that answers with one of `listed` when at least `least` sure, else `und`.
    pub fn new(listed: &[String], least: f32) -> Result<Self, LinearError> {
        let weights = Weights::read(NAME, WEIGHTS)?;
        if weights.header.languages != LANGUAGES {
            return Err(LinearError::Languages(weights.header.languages));
        }
        if let Some(unknown) = listed.iter().find(|code| !LANGUAGES.contains(&code.as_str())) {
            return Err(LinearError::Unknown(unknown.chars().take(40).collect()));
        }
        let allowed = LANGUAGES.map(|code| listed.iter().any(|listed| listed == code));
        let parameters = format!("{LEAD} {HINT} {NOT_LISTED} {allowed:?} {least}");
        let parts = [WEIGHTS, parameters.as_bytes()];
        let model = model_ref("linear-language", &weights.header.version, &parts);
        Ok(Self { model, weights, allowed, least })
    }

    fn judge(&self, input: &DetectInput<'_>, reader: &mut FeatureReader) -> Detected {
        if !input.text.chars().take(LEAD).any(char::is_alphabetic) {
            return Detected { code: UNDETERMINED, confidence: 0.0 };
        }
        let end = input.text.char_indices().nth(LEAD).map_or(input.text.len(), |(at, _)| at);
        let mut sums = Sums { weights: &self.weights, by_language: [0; LANGUAGES.len()], count: 0 };
        reader.read(&input.text[..end], &mut sums);
        let header = &self.weights.header;
        let worth = header.scale / (sums.count.max(1) as f32).sqrt() / header.temperature;
        let mut logits = [0.0; LANGUAGES.len()];
        for (at, logit) in logits.iter_mut().enumerate() {
            *logit = sums.by_language[at] as f32 * worth;
            if !self.allowed[at] {
                *logit -= NOT_LISTED;
            }
            if input.hint.is_some_and(|hint| super::declares(hint, LANGUAGES[at])) {
                *logit += HINT;
            }
        }
        let listed = (0..LANGUAGES.len()).filter(|at| self.allowed[*at]);
        let Some(best) = listed.max_by(|a, b| logits[*a].total_cmp(&logits[*b])) else {
            return Detected { code: UNDETERMINED, confidence: 0.0 };
        };
        let all: f32 = logits.iter().map(|logit| (logit - logits[best]).exp()).sum();
        let confidence = all.recip();
        if confidence >= self.least {
            Detected { code: LANGUAGES[best], confidence }
        } else {
            Detected { code: UNDETERMINED, confidence: 1.0 - confidence }
        }
    }
}

impl LanguageDetector for LinearDetector {
    fn model(&self) -> &ModelRef {
        &self.model
    }

    fn detect(&self, texts: &[DetectInput<'_>]) -> Vec<Detected> {
        let mut reader = FeatureReader::default();
        texts.iter().map(|input| self.judge(input, &mut reader)).collect()
    }
}

struct Sums<'a> {
    weights: &'a Weights<{ LANGUAGES.len() }>,
    by_language: [i32; LANGUAGES.len()],
    count: usize,
}

impl Sums<'_> {
    fn add(&mut self, hashes: &[u64]) {
        warm(hashes, |hash| self.weights.row(hash)[0]);
        // A run of i8 is within i16, of which the processor adds twice as many at once.
        const { assert!(RUN <= 256) };
        let mut run = [0_i16; LANGUAGES.len()];
        for &hash in hashes {
            for (sum, weight) in run.iter_mut().zip(self.weights.row(hash)) {
                *sum += i16::from(weight.cast_signed());
            }
        }
        for (sum, run) in self.by_language.iter_mut().zip(run) {
            *sum += i32::from(run);
        }
        self.count += hashes.len();
    }
}

impl FeatureSink for Sums<'_> {
    fn grams(&mut self, hashes: &[u64]) {
        self.add(hashes);
    }

    fn words(&mut self, hashes: &[u64]) {
        self.add(hashes);
    }
}
