//! The deep tier: a transformer with a classifier on top, run by rust-bert on libtorch.
//!
//! ```text
//! texts ─▶ tokens, cut at `longest` ─▶ batches of equal width ─▶ encoder with its padding masked
//!                                                                  ─▶ head ─▶ (+ bias) ÷ temperature ─▶ softmax
//! ```
//!
//! A model is a folder ([`folder`]): ours, or any BERT, XLM-R or `DistilBERT` classifier in Hugging Face's
//! layout. Which output means what is read from its `id2label`. The padding is masked and the widths
//! are sorted here, since rust-bert's own pipelines do neither: there a text scores otherwise in a batch
//! than alone.

pub mod folder;
mod network;
mod tokens;

use std::{
    fmt,
    path::Path,
    sync::{Mutex, PoisonError},
};

use echolot_schemas::enriched::{Distribution, ModelRef};
use tch::{Kind, Tensor};

pub use folder::{FolderError, ModelFolder};

use self::{network::Network, tokens::Tokens};
use super::{ScoreInput, Scorer, ScorerFault};

/// Most texts that go through the network together: enough to fill a core's vector units.
const BATCH: usize = 32;

/// A model from a folder.
pub struct BertScorer {
    folder: ModelFolder,
    tokens: Tokens,
    /// Tensors may move between threads but not be read by two at once.
    network: Mutex<Network>,
}

impl fmt::Debug for BertScorer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BertScorer").field("model", &self.folder.model).finish_non_exhaustive()
    }
}

impl BertScorer {
    /// Reads the folder at `path`: checks every file against its checksum, loads the weights, and
    /// scores one text, so that a model that cannot answer is found at the start. Its matrices are
    /// multiplied on `threads` threads; the number holds for the whole process.
    pub fn open(path: &Path, threads: u16) -> Result<Self, FolderError> {
        let folder = ModelFolder::open(path)?;
        let tokens = Tokens::read(&folder)?;
        tch::set_num_threads(i32::from(threads.max(1)));
        let network = Mutex::new(Network::load(&folder)?);
        let scorer = Self { folder, tokens, network };
        scorer.distributions(&[ScoreInput { text: "ok", language: "und" }])?;
        Ok(scorer)
    }

    fn distributions(&self, texts: &[ScoreInput<'_>]) -> Result<Vec<Distribution>, FolderError> {
        let ids = self.tokens.ids(texts.iter().map(|input| input.text))?;
        let mut order: Vec<usize> = (0..ids.len()).collect();
        // Texts of one length share a batch; what padding is left is masked.
        order.sort_by_key(|&at| ids[at].len());
        let neutral = Distribution { negative: 0.0, neutral: 1.0, positive: 0.0 };
        let mut out = vec![neutral; texts.len()];
        for chosen in order.chunks(BATCH) {
            let batch: Vec<&[i64]> = chosen.iter().map(|&at| ids[at].as_slice()).collect();
            let logits = {
                let network = self.network.lock().unwrap_or_else(PoisonError::into_inner);
                tch::no_grad(|| network.logits(&batch, self.folder.padding))
            }
            .map_err(|problem| self.folder.fault(&problem))?;
            for (&at, logits) in chosen.iter().zip(rows(&logits, &self.folder)?) {
                out[at] = self.folder.distribution(&logits, texts[at].language);
            }
        }
        Ok(out)
    }
}

/// One row of outputs for each text.
fn rows(logits: &Tensor, folder: &ModelFolder) -> Result<Vec<Vec<f32>>, FolderError> {
    Vec::<Vec<f32>>::try_from(logits.to_kind(Kind::Float))
        .map_err(|error| folder.fault(&error.to_string()))
}

impl Scorer for BertScorer {
    fn model(&self) -> &ModelRef {
        &self.folder.model
    }

    fn certain_from(&self) -> f32 {
        self.folder.manifest.certain_from
    }

    fn score(&self, texts: &[ScoreInput<'_>]) -> Result<Vec<Distribution>, ScorerFault> {
        self.distributions(texts).map_err(|error| ScorerFault::Broken {
            model: self.folder.model.id.clone(),
            problem: error.to_string(),
        })
    }
}
