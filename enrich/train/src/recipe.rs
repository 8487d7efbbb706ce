//! `recipe.toml`: everything that decides what comes out, beside the data.

use std::collections::HashMap;

use serde::Deserialize;

use crate::corpus::Row;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipe {
    /// Version of the weights.
    pub(crate) version: String,
    pub(crate) seed: u64,
    /// Bits of an index into the weights.
    pub(crate) bits: u32,
    pub(crate) epochs: usize,
    /// First rate; it falls to nothing.
    pub(crate) rate: f32,
    /// Added to the sum of squares: keeps rare features from jumping.
    pub(crate) calm: f32,
    /// Pull of seen weights towards zero.
    pub(crate) shrink: f32,
    pub(crate) teacher_weight: f32,
    /// From this probability of the best class on an answer is certain.
    pub(crate) certain_from: f32,
    /// By source; 1 where none is named.
    pub(crate) source_weights: HashMap<String, f32>,
    pub(crate) language: Language,
}

/// `[language]`: the detector.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Language {
    /// Version of the weights.
    pub(crate) version: String,
    /// Bits of an index into the weights.
    pub(crate) bits: u32,
    pub(crate) epochs: usize,
    /// First rate; it falls to nothing.
    pub(crate) rate: f32,
    /// Texts of each language at most.
    pub(crate) most_texts: usize,
}

impl Recipe {
    pub(crate) fn weight(&self, row: &Row) -> f32 {
        self.source_weights.get(&row.source).copied().unwrap_or(1.0)
    }
}
