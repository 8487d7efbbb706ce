//! Language detection: softmax regression over the same features, with `AdaGrad`.
//!
//! Every text teaches twice: whole, and as one or two words of it, since short texts are the hard
//! ones. Every hundredth text is kept for the temperature.

use std::collections::HashMap;

use anyhow::Result;
use echolot_enrich::{
    language::linear::{Header, LANGUAGES, write},
    text::FeatureReader,
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};

use crate::{corpus::Row, learn::Features, recipe::Language};

const COUNT: usize = LANGUAGES.len();
/// How often a text of a language with few texts is shown at most in an epoch.
const MOST_REPEATS: usize = 4;
type Lane = [f32; COUNT];

struct Model {
    weights: Vec<Lane>,
    squares: Vec<f32>,
}

impl Model {
    fn sums(&self, features: &Features) -> (Lane, f32) {
        let places = || features.grams.iter().chain(&features.words);
        let worth = 1.0 / (places().count().max(1) as f32).sqrt();
        let mut sums = [0.0; COUNT];
        for &at in places() {
            for (sum, weight) in sums.iter_mut().zip(&self.weights[at]) {
                *sum += weight;
            }
        }
        (sums.map(|sum| sum * worth), worth)
    }

    fn step(&mut self, features: &Features, gold: usize, rate: f32) {
        let (sums, worth) = self.sums(features);
        let mut slope = shares(&sums, 1.0);
        slope[gold] -= 1.0;
        let size = slope.iter().map(|slope| slope * slope).sum::<f32>() * worth * worth;
        for &at in features.grams.iter().chain(&features.words) {
            // One sum of squares for all languages of a feature: a third of the memory, and the
            // classes of a softmax move together.
            self.squares[at] += size;
            let step = rate * worth / (0.1 + self.squares[at]).sqrt();
            for (weight, slope) in self.weights[at].iter_mut().zip(&slope) {
                *weight -= step * slope;
            }
        }
    }
}

fn shares(sums: &Lane, temperature: f32) -> Lane {
    let most = sums.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let parts = sums.map(|sum| ((sum - most) / temperature).exp());
    let all: f32 = parts.iter().sum();
    parts.map(|part| part / all)
}

/// Trains, and gives the file of weights.
pub(crate) fn train(rows: &[Row], recipe: &Language, seed: u64) -> Result<Vec<u8>> {
    let mut draw = StdRng::seed_from_u64(seed);
    let mut by_language: HashMap<usize, Vec<&str>> = HashMap::new();
    for row in rows {
        if let Some(gold) = LANGUAGES.iter().position(|code| *code == row.language) {
            by_language.entry(gold).or_default().push(&row.text);
        }
    }
    let (mut learned, mut kept) = (Vec::new(), Vec::new());
    for gold in 0..COUNT {
        let mut texts = by_language.remove(&gold).unwrap_or_default();
        texts.shuffle(&mut draw);
        texts.truncate(recipe.most_texts);
        let keep = texts.len() / 100;
        kept.extend(texts.drain(..keep).map(|text| (text, gold)));
        // Languages with few texts are shown again, so that none is favoured for having many.
        let again = texts.iter().cycle().take(recipe.most_texts.min(texts.len() * MOST_REPEATS));
        learned.extend(again.map(|text| (*text, gold)));
    }
    let mut model = Model {
        weights: vec![[0.0; COUNT]; 1 << recipe.bits],
        squares: vec![0.0; 1 << recipe.bits],
    };
    let mut reader = FeatureReader::default();
    let mut features = Features::new(recipe.bits);
    for epoch in 0..recipe.epochs {
        learned.shuffle(&mut draw);
        let rate = recipe.rate * (1.0 - epoch as f32 / recipe.epochs as f32);
        for (text, gold) in &learned {
            features.read(&mut reader, text);
            model.step(&features, *gold, rate);
            features.read(&mut reader, &excerpt(text, &mut draw));
            model.step(&features, *gold, rate);
        }
        let right = kept
            .iter()
            .filter(|(text, gold)| best(&model, &mut features, &mut reader, text) == *gold);
        eprintln!(
            "language, epoch {}: {} of {} kept texts right",
            epoch + 1,
            right.count(),
            kept.len()
        );
    }
    let most = model.weights.iter().flatten().fold(0.0_f32, |most, weight| most.max(weight.abs()));
    let scale = most / 127.0;
    #[expect(clippy::cast_possible_truncation, reason = "at most 127 in size")]
    let whole: Vec<i8> =
        model.weights.iter().flatten().map(|weight| (weight / scale).round() as i8).collect();
    let excerpts: Vec<(Lane, usize)> = kept
        .iter()
        .map(|(text, gold)| {
            features.read(&mut reader, &excerpt(text, &mut draw));
            (model.sums(&features).0, *gold)
        })
        .collect();
    let header = Header {
        version: recipe.version.clone(),
        bits: recipe.bits,
        scale,
        temperature: temperature(&excerpts),
        languages: LANGUAGES.map(str::to_owned).to_vec(),
        sha256: String::new(),
    };
    Ok(write(header, &whole)?)
}

fn best(model: &Model, features: &mut Features, reader: &mut FeatureReader, text: &str) -> usize {
    features.read(reader, text);
    let sums = model.sums(features).0;
    (0..COUNT).max_by(|a, b| sums[*a].total_cmp(&sums[*b])).unwrap_or(0)
}

/// One or two neighbouring words.
fn excerpt(text: &str, draw: &mut StdRng) -> String {
    let words: Vec<&str> = text.split_whitespace().filter(|word| is_word(word)).collect();
    if words.is_empty() {
        return text.to_owned();
    }
    let start = draw.random_range(0..words.len());
    let count = draw.random_range(1..=2);
    words[start..].iter().take(count).copied().collect::<Vec<_>>().join(" ")
}

fn is_word(word: &str) -> bool {
    word.chars().any(char::is_alphabetic) && !word.starts_with(['@', '#']) && word != "http"
}

/// The temperature of least log loss on a grid.
fn temperature(scored: &[(Lane, usize)]) -> f32 {
    let loss = |temperature: f32| -> f32 {
        scored.iter().map(|(sums, gold)| -shares(sums, temperature)[*gold].max(1e-9).ln()).sum()
    };
    let grid = (1..=40_u8).map(|tenth| 0.1 * f32::from(tenth));
    grid.min_by(|a, b| loss(*a).total_cmp(&loss(*b))).unwrap_or(1.0)
}
