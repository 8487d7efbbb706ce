//! The networks of rust-bert behind one call.

use rust_bert::{
    Config,
    bert::{BertConfig, BertEmbeddings, BertForSequenceClassification, BertModel},
    distilbert::{DistilBertConfig, DistilBertModelClassifier},
    roberta::RobertaForSequenceClassification,
};
use tch::{
    Device, Kind, Tensor,
    nn::{self, Module, VarStore},
};

use super::folder::{FolderError, ModelFolder, Pooling};

/// Token ids (B, T) and their mask to logits (B, C).
pub(super) enum Network {
    /// An encoder and a linear head on the mean of its states: ours.
    Mean(BertModel<BertEmbeddings>, nn::Linear),
    Bert(BertForSequenceClassification),
    Roberta(RobertaForSequenceClassification),
    DistilBert(DistilBertModelClassifier),
}

impl Network {
    /// Builds the network that the folder's configuration describes and gives it the weights.
    pub(super) fn load(folder: &ModelFolder) -> Result<Self, FolderError> {
        let mut store = VarStore::new(Device::Cpu);
        let root = store.root();
        let config_file = folder.path.join("config.json");
        let fault = |error: &dyn std::fmt::Display| folder.fault(&error.to_string());
        let network = match (folder.model_type.as_str(), folder.manifest.pooling) {
            ("distilbert", _) => {
                let config = DistilBertConfig::from_file(&config_file);
                Self::DistilBert(
                    DistilBertModelClassifier::new(&root, &config).map_err(|e| fault(&e))?,
                )
            }
            ("bert", Pooling::Mean) => {
                let config = BertConfig::from_file(&config_file);
                let classes = config.id2label.as_ref().map_or(0, std::collections::HashMap::len);
                let classes = i64::try_from(classes).map_err(|e| fault(&e))?;
                let encoder = BertModel::new_with_optional_pooler(&root / "bert", &config, false);
                let head = nn::linear(
                    &root / "classifier",
                    config.hidden_size,
                    classes,
                    nn::LinearConfig::default(),
                );
                Self::Mean(encoder, head)
            }
            ("bert", Pooling::First) => {
                let config = BertConfig::from_file(&config_file);
                Self::Bert(
                    BertForSequenceClassification::new(&root, &config).map_err(|e| fault(&e))?,
                )
            }
            (_, _) => {
                let config = BertConfig::from_file(&config_file);
                Self::Roberta(
                    RobertaForSequenceClassification::new(&root, &config).map_err(|e| fault(&e))?,
                )
            }
        };
        fill(&mut store, folder)?;
        Ok(network)
    }

    /// Logits of texts of different lengths; what `padding` fills is masked.
    pub(super) fn logits(&self, batch: &[&[i64]], padding: i64) -> Result<Tensor, String> {
        let width = batch.iter().map(|ids| ids.len()).max().unwrap_or(0);
        let mut ids = Vec::with_capacity(batch.len() * width);
        let mut there = Vec::with_capacity(batch.len() * width);
        for row in batch {
            let missing = width - row.len();
            ids.extend(row.iter().copied().chain(std::iter::repeat_n(padding, missing)));
            there.extend(std::iter::repeat_n(1_i64, row.len()));
            there.extend(std::iter::repeat_n(0_i64, missing));
        }
        let shape = [size(batch.len())?, size(width)?];
        let ids = Tensor::from_slice(&ids).reshape(shape);
        let mask = Tensor::from_slice(&there).reshape(shape);
        match self {
            Self::Mean(encoder, head) => {
                let states = encoder
                    .forward_t(Some(&ids), Some(&mask), None, None, None, None, None, false)
                    .map_err(|error| error.to_string())?
                    .hidden_state;
                let weights = mask.to_kind(Kind::Float).unsqueeze(-1);
                let sum = (states * &weights).sum_dim_intlist(1, false, Kind::Float);
                let mean = sum / weights.sum_dim_intlist(1, false, Kind::Float);
                Ok(head.forward(&mean))
            }
            Self::Bert(model) => {
                Ok(model.forward_t(Some(&ids), Some(&mask), None, None, None, false).logits)
            }
            Self::Roberta(model) => {
                Ok(model.forward_t(Some(&ids), Some(&mask), None, None, None, false).logits)
            }
            Self::DistilBert(model) => model
                .forward_t(Some(&ids), Some(&mask), None, false)
                .map(|output| output.logits)
                .map_err(|error| error.to_string()),
        }
    }
}

fn size(length: usize) -> Result<i64, String> {
    i64::try_from(length).map_err(|error| error.to_string())
}

/// Copies every weight that the network has from the file. One that is missing or has another shape
/// stops it; weights that the network does not use (a pooler, a language head) are left out.
fn fill(store: &mut VarStore, folder: &ModelFolder) -> Result<(), FolderError> {
    let path = folder.weights();
    let fault = |problem: String| FolderError::Malformed { path: path.clone(), problem };
    let safe = path.extension().is_some_and(|extension| extension == "safetensors");
    let found = if safe { Tensor::read_safetensors(&path) } else { Tensor::load_multi(&path) };
    let found: std::collections::HashMap<String, Tensor> =
        found.map_err(|error| folder.fault(&error.to_string()))?.into_iter().collect();
    for (name, mut variable) in store.variables() {
        let source = found.get(&name).ok_or_else(|| {
            fault(format!("has no weight {name:?}; does config.json belong to this file?"))
        })?;
        if source.size() != variable.size() {
            return Err(fault(format!(
                "weight {name:?} has the shape {:?}, config.json asks for {:?}",
                source.size(),
                variable.size()
            )));
        }
        let plain = match found.get(&format!("{name}.scale")) {
            Some(scale) => source.to_kind(Kind::Float) * scale.to_kind(Kind::Float).unsqueeze(-1),
            None => source.to_kind(Kind::Float),
        };
        tch::no_grad(|| variable.f_copy_(&plain))
            .map_err(|error| folder.fault(&error.to_string()))?;
    }
    store.freeze();
    Ok(())
}
