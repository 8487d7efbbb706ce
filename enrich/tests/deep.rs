//! The deep tier on real libtorch, with tiny random networks made here.
#![cfg(feature = "bert")]
#![expect(clippy::unwrap_used, reason = "a test may fail here")]

use std::{collections::HashMap, fs, path::Path};

use echolot_enrich::sentiment::{
    ScoreInput, Scorer as _,
    bert::{BertScorer, FolderError},
};
use rust_bert::{
    bert::{BertConfig, BertForSequenceClassification},
    distilbert::{DistilBertConfig, DistilBertModelClassifier},
    roberta::RobertaForSequenceClassification,
};
use sha2::{Digest, Sha256};
use tch::{Device, Kind, Tensor, nn::VarStore};
use tempfile::TempDir;
use tokenizers::{
    Tokenizer, models::wordlevel::WordLevel, pre_tokenizers::whitespace::Whitespace,
    processors::template::TemplateProcessing,
};

const WORDS: [&str; 12] =
    ["<s>", "<pad>", "</s>", "<unk>", "gut", "schlecht", "nicht", "zug", "der", "ist", "sehr", "!"];
const LABELS: [&str; 3] = ["positive", "negative", "neutral"];

fn config(kind: &str) -> String {
    let labels: HashMap<String, &str> =
        (0..).zip(LABELS).map(|(at, label): (usize, _)| (at.to_string(), label)).collect();
    let labels = serde_json::to_string(&labels).unwrap();
    if kind == "distilbert" {
        return format!(
            r#"{{"model_type":"distilbert","activation":"gelu","attention_dropout":0.1,"dim":64,
            "dropout":0.1,"hidden_dim":128,"initializer_range":0.02,"max_position_embeddings":66,
            "n_heads":2,"n_layers":2,"pad_token_id":1,"vocab_size":12,"qa_dropout":0.1,
            "seq_classif_dropout":0.1,"sinusoidal_pos_embds":false,"tie_weights_":true,"id2label":{labels}}}"#
        );
    }
    format!(
        r#"{{"model_type":"{kind}","hidden_act":"gelu","attention_probs_dropout_prob":0.1,
        "hidden_dropout_prob":0.1,"hidden_size":64,"initializer_range":0.02,"intermediate_size":128,
        "max_position_embeddings":66,"num_attention_heads":2,"num_hidden_layers":2,
        "type_vocab_size":2,"vocab_size":12,"pad_token_id":1,"id2label":{labels}}}"#
    )
}

/// Random weights, large enough for two texts to differ.
fn folder(kind: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("config.json"), config(kind)).unwrap();
    let vocabulary = (0..).zip(WORDS).map(|(at, word)| (word.to_owned(), at)).collect();
    let words = WordLevel::builder().vocab(vocabulary).unk_token("<unk>".into()).build().unwrap();
    let mut tokenizer = Tokenizer::new(words);
    tokenizer.with_pre_tokenizer(Some(Whitespace {}));
    let ends = TemplateProcessing::builder()
        .try_single("<s> $A </s>")
        .unwrap()
        .special_tokens(vec![("<s>", 0), ("</s>", 2)])
        .build()
        .unwrap();
    tokenizer.with_post_processor(Some(ends));
    tokenizer.save(path.join("tokenizer.json"), false).unwrap();

    tch::manual_seed(7);
    let store = VarStore::new(Device::Cpu);
    let config = path.join("config.json");
    match kind {
        "bert" => drop(
            BertForSequenceClassification::new(store.root(), &read::<BertConfig>(&config)).unwrap(),
        ),
        "distilbert" => drop(
            DistilBertModelClassifier::new(store.root(), &read::<DistilBertConfig>(&config))
                .unwrap(),
        ),
        _ => drop(
            RobertaForSequenceClassification::new(store.root(), &read::<BertConfig>(&config))
                .unwrap(),
        ),
    }
    for (_, mut variable) in store.variables() {
        let noise = variable.randn_like() * 0.2;
        tch::no_grad(|| variable.f_add_(&noise).map(drop)).unwrap();
    }
    store.save(path.join("model.safetensors")).unwrap();
    folder
}

fn read<C: rust_bert::Config>(path: &Path) -> C {
    C::from_file(path)
}

fn scores(scorer: &BertScorer, texts: &[&str]) -> Vec<[f32; 3]> {
    let inputs: Vec<ScoreInput<'_>> =
        texts.iter().map(|text| ScoreInput { text, language: "de" }).collect();
    let found = scorer.score(&inputs).unwrap();
    found.iter().map(|d| [d.negative, d.neutral, d.positive]).collect()
}

const TEXTS: [&str; 5] = [
    "gut",
    "der zug ist nicht gut ! ! ! der zug ist sehr schlecht",
    "",
    "der zug ist sehr gut",
    "unbekannte worte ohne ende ist der zug gut der zug schlecht nicht sehr gut !",
];

#[test]
fn a_text_scores_alone_as_it_does_in_a_batch() {
    for kind in ["bert", "xlm-roberta", "distilbert"] {
        let folder = folder(kind);
        let scorer = BertScorer::open(folder.path(), 1).unwrap();
        let together = scores(&scorer, &TEXTS);
        for (text, together) in TEXTS.iter().zip(&together) {
            let alone = scores(&scorer, &[text])[0];
            for (one, other) in alone.iter().zip(together) {
                assert!((one - other).abs() < 1e-5, "{kind} {text:?}: {alone:?} {together:?}");
            }
        }
        let first = together[0];
        assert!(
            together.iter().any(|other| (other[0] - first[0]).abs() > 1e-3),
            "{kind}: all texts score the same, so nothing was tested: {together:?}"
        );
    }
}

#[test]
fn outputs_are_named_by_id2label() {
    let folder = folder("bert");
    let before = scores(&BertScorer::open(folder.path(), 1).unwrap(), &TEXTS);
    let path = folder.path().join("config.json");
    let swapped = fs::read_to_string(&path)
        .unwrap()
        .replace("\"positive\"", "\"was\"")
        .replace("\"negative\"", "\"POS\"")
        .replace("\"was\"", "\"NEG\"");
    fs::write(&path, swapped).unwrap();
    let after = scores(&BertScorer::open(folder.path(), 1).unwrap(), &TEXTS);
    for ([negative, neutral, positive], swapped) in before.into_iter().zip(after) {
        for (one, other) in swapped.into_iter().zip([positive, neutral, negative]) {
            assert!((one - other).abs() < 1e-5, "{one} {other}");
        }
    }
}

#[test]
fn whole_numbers_with_a_factor_score_nearly_as_the_weights_they_were_made_of() {
    let folder = folder("bert");
    let before = scores(&BertScorer::open(folder.path(), 1).unwrap(), &TEXTS);
    let path = folder.path().join("model.safetensors");
    let mut packed = Vec::new();
    for (name, tensor) in Tensor::read_safetensors(&path).unwrap() {
        if tensor.dim() == 2 {
            let scale = tensor.abs().amax([1_i64].as_slice(), false) / 127.0;
            let whole = (&tensor / scale.unsqueeze(-1)).round().to_kind(Kind::Int8);
            packed.push((format!("{name}.scale"), scale));
            packed.push((name, whole));
        } else {
            packed.push((name, tensor));
        }
    }
    Tensor::write_safetensors(&packed, &path).unwrap();
    let after = scores(&BertScorer::open(folder.path(), 1).unwrap(), &TEXTS);
    for (before, after) in before.iter().flatten().zip(after.iter().flatten()) {
        assert!((before - after).abs() < 0.05, "{before} {after}");
    }
}

#[test]
fn what_is_wrong_with_a_folder_stops_it_with_the_file_and_the_fix() {
    let told = |spoil: &dyn Fn(&Path)| {
        let folder = folder("bert");
        spoil(folder.path());
        BertScorer::open(folder.path(), 1).unwrap_err().to_string()
    };
    let edit = |path: &Path, from: &str, to: &str| {
        let file = path.join("config.json");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from));
        fs::write(file, text.replace(from, to)).unwrap();
    };
    let cases: [(String, &[&str]); 7] = [
        (
            told(&|path| fs::write(path.join("echolot.toml"), "longest = 500").unwrap()),
            &["echolot.toml", "longest = 500 must be 8 to 66"],
        ),
        (
            told(&|path| fs::remove_file(path.join("tokenizer.json")).unwrap()),
            &["tokenizer.json", "enrich.bert.folder must hold"],
        ),
        (
            told(&|path| {
                let sum = hex::encode(Sha256::digest(b"another file"));
                fs::write(path.join("SHA256SUMS"), format!("{sum}  model.safetensors\n")).unwrap();
            }),
            &["model.safetensors is not the file that SHA256SUMS names", "fetch the folder again"],
        ),
        (
            told(&|path| edit(path, "\"intermediate_size\":128", "\"intermediate_size\":96")),
            &["model.safetensors", "has the shape", "config.json asks for"],
        ),
        (
            told(&|path| edit(path, "\"num_hidden_layers\":2", "\"num_hidden_layers\":3")),
            &["model.safetensors", "has no weight", "does config.json belong to this file?"],
        ),
        (
            told(&|path| edit(path, "\"negative\"", "\"LABEL_1\"")),
            &["config.json", "id2label must name", "LABEL_1"],
        ),
        (
            told(&|path| edit(path, "\"bert\"", "\"gpt2\"")),
            &["config.json", "model_type \"gpt2\" is none of bert"],
        ),
    ];
    for (message, parts) in cases {
        for part in parts {
            assert!(message.contains(part), "{part:?} is not in {message:?}");
        }
    }
}

#[test]
fn a_missing_folder_is_told_by_its_path() {
    let error = BertScorer::open(Path::new("/nowhere/model"), 1).unwrap_err();
    assert!(matches!(&error, FolderError::Missing { .. }), "{error}");
    assert!(error.to_string().contains("/nowhere/model/config.json"), "{error}");
}

#[test]
fn hostile_texts_get_a_distribution() {
    let folder = folder("bert");
    let scorer = BertScorer::open(folder.path(), 1).unwrap();
    let long = "gut ".repeat(250_000);
    for text in ["", " ", "😀😀", "http http", "\u{202e}גוט", "\u{200b}\u{feff}", "\0", &long]
    {
        let sum: f32 = scores(&scorer, &[text])[0].iter().sum();
        assert!((sum - 1.0).abs() < 1e-5, "{:?}", &text.chars().take(9).collect::<String>());
    }
}
