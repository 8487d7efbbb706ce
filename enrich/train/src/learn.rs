//! Softmax regression over hashed features by `AdaGrad` (Duchi, Hazan and Singer 2011), one row at a
//! time.

use std::collections::HashMap;

use echolot_enrich::{
    sentiment::linear::index,
    text::{FeatureReader, FeatureSink},
};
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};

use crate::{corpus::Row, recipe::Recipe};

/// Weights in training: negative and positive, against neutral.
pub(crate) struct Model {
    pub(crate) bits: u32,
    pub(crate) weights: Vec<[f32; 2]>,
    squares: Vec<[f32; 2]>,
    /// Priors of each source and language; not served.
    biases: HashMap<(String, String), ([f32; 2], [f32; 2])>,
}

/// Features of a text, by index.
#[derive(Default)]
pub(crate) struct Features {
    bits: u32,
    pub(crate) grams: Vec<usize>,
    pub(crate) words: Vec<usize>,
}

impl FeatureSink for Features {
    fn grams(&mut self, hashes: &[u64]) {
        self.grams.extend(hashes.iter().map(|&hash| index(hash, self.bits)));
    }
    fn words(&mut self, hashes: &[u64]) {
        self.words.extend(hashes.iter().map(|&hash| index(hash, self.bits)));
    }
}

impl Features {
    pub(crate) fn new(bits: u32) -> Self {
        Self { bits, ..Self::default() }
    }

    pub(crate) fn read(&mut self, reader: &mut FeatureReader, text: &str) {
        self.grams.clear();
        self.words.clear();
        reader.read(text, self);
    }

    fn groups(&self) -> [(&[usize], f32); 2] {
        [&self.grams, &self.words]
            .map(|group| (group.as_slice(), 1.0 / (group.len().max(1) as f32).sqrt()))
    }
}

impl Model {
    pub(crate) fn new(bits: u32) -> Self {
        let zero = vec![[0.0; 2]; 1 << bits];
        Self { bits, weights: zero.clone(), squares: zero, biases: HashMap::new() }
    }

    /// Sums for negative and positive, against neutral.
    pub(crate) fn sums(&self, features: &Features) -> [f32; 2] {
        let mut sums = [0.0; 2];
        for (group, scale) in features.groups() {
            let mut sum = [0.0_f32; 2];
            for &at in group {
                sum[0] += self.weights[at][0];
                sum[1] += self.weights[at][1];
            }
            sums[0] += sum[0] * scale;
            sums[1] += sum[1] * scale;
        }
        sums
    }

    /// Rounds the weights to whole multiples of one step, the largest few cut off; gives the
    /// multiples and the step.
    pub(crate) fn quantised(&mut self) -> (Vec<[i8; 2]>, f32) {
        /// Share of the seen weights that are cut off.
        const CUT: f64 = 1e-5;
        let mut sizes: Vec<f32> =
            self.weights.iter().flatten().map(|weight| weight.abs()).filter(|w| *w > 0.0).collect();
        sizes.sort_by(f32::total_cmp);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a length"
        )]
        let at = ((1.0 - CUT) * sizes.len() as f64) as usize;
        let most = sizes.get(at).or(sizes.last()).copied().unwrap_or(1.0);
        let step = most / 127.0;
        #[expect(clippy::cast_possible_truncation, reason = "clamped to the range of i8")]
        let round = |weight: f32| (weight / step).round().clamp(-127.0, 127.0) as i8;
        let pairs: Vec<[i8; 2]> = self.weights.iter().map(|pair| pair.map(round)).collect();
        for (weights, pair) in self.weights.iter_mut().zip(&pairs) {
            *weights = pair.map(|whole| f32::from(whole) * step);
        }
        (pairs, step)
    }

    pub(crate) fn learn(
        &mut self,
        rows: &[Row],
        recipe: &Recipe,
        mut after: impl FnMut(&Self, usize),
    ) {
        let mut reader = FeatureReader::default();
        let mut features = Features::new(self.bits);
        let mut order: Vec<usize> = (0..rows.len()).collect();
        let mut draw = StdRng::seed_from_u64(recipe.seed);
        for epoch in 0..recipe.epochs {
            order.shuffle(&mut draw);
            let rate = recipe.rate * (1.0 - epoch as f32 / recipe.epochs as f32);
            for &at in &order {
                let row = &rows[at];
                features.read(&mut reader, &row.text);
                self.step(row, &features, recipe, rate);
            }
            after(self, epoch + 1);
        }
    }

    fn step(&mut self, row: &Row, features: &Features, recipe: &Recipe, rate: f32) {
        let sums = self.sums(features);
        let weight = recipe.weight(row);
        let mut slope = [0.0; 2];
        // Priors differ by source: a bias of its own takes them up, so that words need not.
        let key = (row.source.clone(), row.language.clone());
        let bias = self.biases.entry(key).or_default();
        if let (Some(gold), true) = (row.gold, weight > 0.0) {
            let logits = [sums[0] + bias.0[0], sums[1] + bias.0[1]];
            let shares = softmax(logits, row.has_neutral);
            for (class, slope) in [0, 2].into_iter().zip(&mut slope) {
                *slope += weight * (shares[class] - f32::from(u8::from(class == gold)));
            }
            for ((bias, square), slope) in bias.0.iter_mut().zip(&mut bias.1).zip(slope) {
                *square += slope * slope;
                *bias -= 0.1 * slope / (1.0 + *square).sqrt();
            }
        }
        if let Some(teacher) = row.teacher {
            let shares = softmax(sums, true);
            for (class, slope) in [0, 2].into_iter().zip(&mut slope) {
                *slope += recipe.teacher_weight * (shares[class] - teacher[class]);
            }
        }
        if row.teacher.is_none() && weight <= 0.0 {
            return;
        }
        for (group, scale) in features.groups() {
            for &at in group {
                let (weights, squares) = (&mut self.weights[at], &mut self.squares[at]);
                for class in 0..2 {
                    let slope = slope[class] * scale + recipe.shrink * weights[class];
                    squares[class] += slope * slope;
                    weights[class] -= rate * slope / (recipe.calm + squares[class]).sqrt();
                }
            }
        }
    }
}

/// Shares of negative, neutral, positive; without neutral, of the two others.
pub(crate) fn softmax(sums: [f32; 2], neutral: bool) -> [f32; 3] {
    let most = sums[0].max(sums[1]).max(if neutral { 0.0 } else { f32::NEG_INFINITY });
    let parts =
        [(sums[0] - most).exp(), if neutral { (-most).exp() } else { 0.0 }, (sums[1] - most).exp()];
    let all: f32 = parts.iter().sum();
    parts.map(|part| part / all)
}
