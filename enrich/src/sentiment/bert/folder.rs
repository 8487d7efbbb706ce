//! A model's folder.
//!
//! | file | what |
//! |---|---|
//! | `config.json` | Hugging Face's: `model_type`, sizes, `id2label` |
//! | `tokenizer.json` | of the `tokenizers` library |
//! | `model.safetensors` or `model.ot` | weights by Hugging Face's names; a matrix may be `i8` with a factor for each row in `NAME.scale` |
//! | `echolot.toml` | optional, [`Manifest`]: name, version, pooling, calibration |
//! | `SHA256SUMS` | optional: checked at every start |

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::{Path, PathBuf},
};

use echolot_schemas::enriched::{Distribution, ModelRef};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::model::model_ref;

/// Weights are hundreds of megabytes at most; anything larger is another kind of model.
const LARGEST_FILE: u64 = 4 << 30;

/// A folder that no model can be had from. Each says which file and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Not there, or not readable.
    #[error("{path}: {error}; {mend}")]
    Missing {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        error: io::Error,
        /// What to do.
        mend: &'static str,
    },
    /// Not the file that the checksums were made of.
    #[error(
        "{path} is not the file that SHA256SUMS names; fetch the folder again, or run `sha256sum` there if the change is yours"
    )]
    Checksum {
        /// Which file.
        path: PathBuf,
    },
    /// There, but not what it must be.
    #[error("{path}: {problem}")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What is wrong and what was expected.
        problem: String,
    },
}

/// `echolot.toml`: what Hugging Face's files do not say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Manifest {
    /// Name of the model in every score; the folder's name unless set.
    pub id: String,
    /// Its version.
    pub version: String,
    /// What the head reads: the first token, as Hugging Face's classifiers do, or the mean of all.
    pub pooling: Pooling,
    /// Most tokens of a text, 8 to what the model has places for; the rest is cut off.
    pub longest: usize,
    /// Logits are divided by it.
    pub temperature: f32,
    /// Added to the logits of negative, neutral and positive, by language; others add nothing.
    pub bias: BTreeMap<String, [f32; 3]>,
    /// Below this probability of the best class the model calls itself uncertain.
    pub certain_from: f32,
}

impl Default for Manifest {
    fn default() -> Self {
        Self {
            id: String::new(),
            version: "1".to_owned(),
            pooling: Pooling::First,
            longest: 128,
            temperature: 1.0,
            bias: BTreeMap::new(),
            certain_from: 0.5,
        }
    }
}

/// What the head reads.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// The first token.
    First,
    /// The mean of all tokens.
    Mean,
}

/// The part of `config.json` that decides here; rust-bert reads the rest.
#[derive(Debug, Deserialize)]
struct Config {
    model_type: String,
    #[serde(default)]
    id2label: HashMap<String, String>,
    pad_token_id: Option<i64>,
    max_position_embeddings: usize,
}

/// A folder that was read and found consistent.
#[derive(Debug)]
pub struct ModelFolder {
    /// Where it is.
    pub path: PathBuf,
    /// Name, version and hash.
    pub model: ModelRef,
    /// What `echolot.toml` says.
    pub manifest: Manifest,
    /// `bert`, `roberta`, `xlm-roberta` or `distilbert`.
    pub model_type: String,
    /// Token that fills short texts.
    pub padding: i64,
    /// Which output is negative, neutral and positive; a model of two classes has no neutral.
    outputs: [Option<usize>; 3],
}

impl ModelFolder {
    /// Reads everything but the weights' numbers.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let sums = checked(path)?;
        let config_path = path.join("config.json");
        let config = read(&config_path)?;
        let malformed =
            |problem: String| FolderError::Malformed { path: config_path.clone(), problem };
        let parsed: Config =
            serde_json::from_slice(&config).map_err(|error| malformed(error.to_string()))?;
        if !["bert", "roberta", "xlm-roberta", "distilbert"].contains(&parsed.model_type.as_str()) {
            return Err(malformed(format!(
                "model_type {:?} is none of bert, roberta, xlm-roberta, distilbert",
                parsed.model_type
            )));
        }
        let outputs = outputs(&parsed.id2label).map_err(malformed)?;
        // RoBERTa counts places from behind the padding.
        let places = parsed
            .max_position_embeddings
            .saturating_sub(if parsed.model_type.contains("roberta") { 2 } else { 0 });
        let manifest = manifest(path, places)?;
        let id = if manifest.id.is_empty() {
            path.file_name().unwrap_or_default().to_string_lossy().into_owned()
        } else {
            manifest.id.clone()
        };
        let model = model_ref(&id, &manifest.version, &[&sums]);
        let padding = parsed.pad_token_id.unwrap_or(match parsed.model_type.as_str() {
            "roberta" | "xlm-roberta" => 1,
            _ => 0,
        });
        let path = path.to_owned();
        Ok(Self { path, model, manifest, model_type: parsed.model_type, padding, outputs })
    }

    /// The weights, whichever format they are in.
    pub fn weights(&self) -> PathBuf {
        weights_of(&self.path)
    }

    /// What libtorch says of the weights, with the file's name.
    pub fn fault(&self, problem: &str) -> FolderError {
        // libtorch adds its own stack; the first line says it.
        let problem = problem.lines().next().unwrap_or_default().to_owned();
        FolderError::Malformed { path: self.weights(), problem }
    }

    /// Calibrated probabilities from the outputs of the network.
    pub fn distribution(&self, logits: &[f32], language: &str) -> Distribution {
        let bias = self.manifest.bias.get(language).copied().unwrap_or_default();
        let value = |class: usize| {
            let output = self.outputs[class].and_then(|at| logits.get(at));
            output.map_or(f32::NEG_INFINITY, |logit| {
                (logit + bias[class]) / self.manifest.temperature
            })
        };
        let values = [value(0), value(1), value(2)];
        let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let [negative, neutral, positive] = values.map(|value| (value - most).exp());
        let all = negative + neutral + positive;
        Distribution { negative: negative / all, neutral: neutral / all, positive: positive / all }
    }
}

/// Which output is which polarity. Hugging Face's models say `negative`, `LABEL_0`, `POS`, `1 star`.
fn outputs(labels: &HashMap<String, String>) -> Result<[Option<usize>; 3], String> {
    let mut found = [None; 3];
    for (at, label) in labels {
        let Ok(at) = at.parse::<usize>() else { continue };
        let class = match label.to_lowercase().as_str() {
            "negative" | "neg" => 0,
            "neutral" | "neu" => 1,
            "positive" | "pos" => 2,
            _ => continue,
        };
        found[class] = Some(at);
    }
    if found[0].is_none() || found[2].is_none() {
        let mut labels: Vec<String> = labels.values().cloned().collect();
        labels.sort();
        return Err(format!(
            "id2label must name an output negative and one positive (neutral may be missing), but it has {labels:?}; rename them there"
        ));
    }
    Ok(found)
}

fn manifest(folder: &Path, places: usize) -> Result<Manifest, FolderError> {
    let path = folder.join("echolot.toml");
    if !path.exists() {
        let manifest = Manifest::default();
        return Ok(Manifest { longest: manifest.longest.min(places), ..manifest });
    }
    let text = String::from_utf8_lossy(&read(&path)?).into_owned();
    let malformed = |problem: String| FolderError::Malformed { path: path.clone(), problem };
    let manifest: Manifest = toml::from_str(&text).map_err(|error| malformed(error.to_string()))?;
    if !(8..=places).contains(&manifest.longest) {
        return Err(malformed(format!("longest = {} must be 8 to {places}", manifest.longest)));
    }
    if !(manifest.temperature > 0.0 && manifest.temperature.is_finite()) {
        return Err(malformed(format!("temperature = {} must be above 0", manifest.temperature)));
    }
    Ok(manifest)
}

fn weights_of(folder: &Path) -> PathBuf {
    let ours = folder.join("model.safetensors");
    let theirs = folder.join("model.ot");
    if !ours.exists() && theirs.exists() { theirs } else { ours }
}

/// Hashes every file that decides, in order, and compares with `SHA256SUMS` where there is one. The
/// answer is what the model's own hash is made of.
fn checked(folder: &Path) -> Result<Vec<u8>, FolderError> {
    let list = folder.join("SHA256SUMS");
    let sums = if list.exists() {
        String::from_utf8_lossy(&read(&list)?).into_owned()
    } else {
        String::new()
    };
    let named: HashMap<&str, &str> = sums
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(sum, name)| (name.trim(), sum))
        .collect();
    let mut out = Vec::new();
    let manifest = folder.join("echolot.toml");
    let mut files =
        vec![folder.join("config.json"), folder.join("tokenizer.json"), weights_of(folder)];
    files.extend(manifest.exists().then_some(manifest));
    for path in files {
        let sum = hex::encode(Sha256::digest(read(&path)?));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if named.get(name.as_ref()).is_some_and(|expected| *expected != sum) {
            return Err(FolderError::Checksum { path });
        }
        out.extend_from_slice(sum.as_bytes());
    }
    Ok(out)
}

fn read(path: &Path) -> Result<Vec<u8>, FolderError> {
    let missing = |error| FolderError::Missing {
        path: path.to_owned(),
        error,
        mend: "enrich.bert.folder must hold config.json, tokenizer.json and model.safetensors (or model.ot)",
    };
    let size = fs::metadata(path).map_err(missing)?.len();
    if size > LARGEST_FILE {
        return Err(FolderError::Malformed {
            path: path.to_owned(),
            problem: format!("{size} bytes; at most {LARGEST_FILE} are read"),
        });
    }
    fs::read(path).map_err(missing)
}
