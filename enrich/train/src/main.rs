//! Trains the models that the binary carries. `README.md` beside it tells how.
//!
//! ```text
//! sources.tsv, ../shared/data, teacher's labels ─▶ corpus ─▶ learn ─▶ calibrate ─▶ models/*.bin
//!                                  test texts ──▶ left out ┘
//! ```

#![expect(clippy::print_stderr, reason = "progress is shown while it trains")]

mod calibrate;
mod corpus;
mod language;
mod learn;
mod recipe;

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context, Result};
use clap::Parser;
use echolot_enrich::{
    sentiment::linear::{Header, Weights},
    text::FeatureReader,
};

use crate::{
    calibrate::Scored,
    corpus::Held,
    learn::{Features, Model},
    recipe::Recipe,
};

#[derive(Parser)]
struct Arguments {
    /// Folder of the public data sets.
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
    #[arg(long, default_value = "enrich/train/recipe.toml")]
    recipe: PathBuf,
    #[arg(long, default_value = "enrich/train/sources.tsv")]
    sources: PathBuf,
    /// Labels by the teacher (`teacher/teach.py`).
    #[arg(long)]
    teacher: Option<PathBuf>,
    /// Where the weights of the language detector go; without it they are not trained.
    #[arg(long)]
    language_out: Option<PathBuf>,
    /// Trains the language detector alone.
    #[arg(long)]
    language_only: bool,
    /// Where the weights of sentiment go; without it they are only judged.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Development sets by language; the mean of the first six leads.
const DEVELOPMENT: [(&str, &str); 8] = [
    ("de", "umsab/german.val.tsv"),
    ("en", "umsab/english.val.tsv"),
    ("fr", "umsab/french.val.tsv"),
    ("es", "umsab/spanish.val.tsv"),
    ("it", "umsab/italian.val.tsv"),
    ("pt", "umsab/portuguese.val.tsv"),
    ("en", "tweeteval_sentiment/val.tsv"),
    ("de", "sb10k/dev.tsv"),
];
const LEADING: usize = 6;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let data = &arguments.data;
    let recipe = std::fs::read_to_string(&arguments.recipe)
        .with_context(|| format!("cannot read {}", arguments.recipe.display()))?;
    let recipe: Recipe = toml::from_str(&recipe)?;
    let sources = corpus::sources(&arguments.sources)?;
    let protected = corpus::protected(data)?;
    let rows = corpus::rows(data, arguments.teacher.as_deref(), &sources, &protected)?;
    let held: Vec<Vec<Held>> = DEVELOPMENT
        .iter()
        .map(|(_, file)| corpus::held(&data.join(file)))
        .collect::<Result<_>>()?;
    if let Some(out) = &arguments.language_out {
        std::fs::write(out, language::train(&rows, &recipe.language, recipe.seed)?)
            .with_context(|| format!("cannot write {}", out.display()))?;
    }
    if arguments.language_only {
        return Ok(());
    }
    let mut model = Model::new(recipe.bits);
    model.learn(&rows, &recipe, |model, epoch| report(&format!("epoch {epoch}"), model, &held));
    let Some(out) = arguments.out else { return Ok(()) };

    let (pairs, step) = model.quantised();
    report("in whole numbers", &model, &held);
    let mut by_language: BTreeMap<String, Vec<Scored>> = BTreeMap::new();
    for ((language, _), rows) in DEVELOPMENT.iter().zip(&held) {
        by_language.entry((*language).to_owned()).or_default().extend(scored(&model, rows));
    }
    let all: Vec<Scored> = by_language.values().flatten().copied().collect();
    let others = calibrate::fit(&all);
    let mut languages: BTreeMap<_, _> =
        rows.iter().map(|row| (row.language.clone(), others)).collect();
    languages.extend(by_language.iter().map(|(code, rows)| (code.clone(), calibrate::fit(rows))));
    let header = Header {
        version: recipe.version,
        bits: recipe.bits,
        scale: [step; 2],
        languages,
        others,
        certain_from: recipe.certain_from,
        sha256: String::new(),
    };
    std::fs::write(&out, Weights::write(header, &pairs)?)
        .with_context(|| format!("cannot write {}", out.display()))
}

fn scored(model: &Model, rows: &[Held]) -> Vec<Scored> {
    let mut reader = FeatureReader::default();
    let mut features = Features::new(model.bits);
    rows.iter()
        .map(|row| {
            features.read(&mut reader, &row.text);
            (model.sums(&features), row.gold)
        })
        .collect()
}

fn report(name: &str, model: &Model, held: &[Vec<Held>]) {
    let scores: Vec<f64> = held
        .iter()
        .map(|rows| {
            let scored = scored(model, rows);
            calibrate::macro_f1(&scored, &calibrate::fit(&scored))
        })
        .collect();
    let mean = scores[..LEADING].iter().sum::<f64>() / LEADING as f64;
    let each: Vec<String> = DEVELOPMENT
        .iter()
        .zip(&scores)
        .map(|((_, file), score)| format!("{} {score:.3}", file.split('.').next().unwrap_or(file)))
        .collect();
    eprintln!("{name}: development macro-F1, mean of six {mean:.4}: {}", each.join(", "));
}
