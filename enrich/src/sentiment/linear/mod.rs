//! The built-in scorer: a linear model over hashed features, in whole numbers.
//!
//! ```text
//! text ─▶ FeatureReader ─▶ sum of i8 pairs of n-grams  ÷ √count ─┐
//!                          sum of i8 pairs of words    ÷ √count ─┴▶ (+ bias) ÷ temperature ─▶ softmax
//! ```
//!
//! The sums are integers, so the order of work and the number of threads cannot change a score.
//! Neutral has the sum zero; bias and temperature are the language's. In a language that the model
//! was not trained on, the same weights are read with the calibration of all languages together:
//! emoji and signs speak, most words are unknown.

mod weights;

use std::fmt;

use echolot_schemas::enriched::{Distribution, ModelRef};

pub use weights::{Calibration, Header, Weights, WeightsError, index};

use super::{ScoreInput, Scorer, ScorerFault};
use crate::{
    model::model_ref,
    text::{FeatureReader, FeatureSink, warm},
};

/// Trained by `enrich/train`; its card is `enrich/models/sentiment.md`.
const WEIGHTS: &[u8] = include_bytes!("../../../models/sentiment.bin");
const NAME: &str = "enrich/models/sentiment.bin";

/// The built-in scorer, `linear-multilingual`.
pub struct LinearScorer {
    model: ModelRef,
    weights: Weights,
}

impl fmt::Debug for LinearScorer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinearScorer").field("model", &self.model).finish_non_exhaustive()
    }
}

impl LinearScorer {
    /// Reads the weights that the binary carries.
    pub fn new() -> Result<Self, WeightsError> {
        let weights = Weights::read(NAME, WEIGHTS)?;
        let model = model_ref("linear-multilingual", &weights.header.version, &[WEIGHTS]);
        Ok(Self { model, weights })
    }

    fn distribution(&self, input: &ScoreInput<'_>, reader: &mut FeatureReader) -> Distribution {
        let mut sums =
            Sums { weights: &self.weights, grams: Sum::default(), words: Sum::default() };
        reader.read(input.text, &mut sums);
        let header = &self.weights.header;
        let calibration = header.languages.get(input.language).unwrap_or(&header.others);
        let logit = |class: usize| {
            let sum = sums.grams.value(class) * header.scale[0]
                + sums.words.value(class) * header.scale[1];
            (sum + calibration.bias[class]) / calibration.temperature
        };
        softmax(logit(0), logit(1))
    }
}

impl Scorer for LinearScorer {
    fn model(&self) -> &ModelRef {
        &self.model
    }

    fn certain_from(&self) -> f32 {
        self.weights.header.certain_from
    }

    fn score(&self, texts: &[ScoreInput<'_>]) -> Result<Vec<Distribution>, ScorerFault> {
        let mut reader = FeatureReader::default();
        Ok(texts.iter().map(|input| self.distribution(input, &mut reader)).collect())
    }
}

/// Probabilities where neutral has the logit zero.
fn softmax(negative: f32, positive: f32) -> Distribution {
    let most = negative.max(positive).max(0.0);
    let (negative, neutral, positive) =
        ((negative - most).exp(), (-most).exp(), (positive - most).exp());
    let all = negative + neutral + positive;
    Distribution { negative: negative / all, neutral: neutral / all, positive: positive / all }
}

#[derive(Default)]
struct Sum {
    pair: [i32; 2],
    count: usize,
}

impl Sum {
    fn add(&mut self, weights: &Weights, hashes: &[u64]) {
        warm(hashes, |hash| weights.pair(hash)[0]);
        for &hash in hashes {
            // A text is bounded far below 2^24 features, so a sum stays within 2^31.
            for (sum, weight) in self.pair.iter_mut().zip(weights.pair(hash)) {
                *sum += i32::from(weight.cast_signed());
            }
        }
        self.count += hashes.len();
    }

    fn value(&self, class: usize) -> f32 {
        self.pair[class] as f32 / (self.count.max(1) as f32).sqrt()
    }
}

struct Sums<'a> {
    weights: &'a Weights,
    grams: Sum,
    words: Sum,
}

impl FeatureSink for Sums<'_> {
    fn grams(&mut self, hashes: &[u64]) {
        self.grams.add(self.weights, hashes);
    }

    fn words(&mut self, hashes: &[u64]) {
        self.words.add(self.weights, hashes);
    }
}
