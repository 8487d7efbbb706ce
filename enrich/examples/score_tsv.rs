//! How good is the lexicon scorer? Scores a TSV file with the columns `label` and `text`.
//!
//! ```sh
//! cargo run --release -p echolot-enrich --example score_tsv -- de ../shared/data/umsab/german.test.tsv
//! cargo run --release -p echolot-enrich --example score_tsv -- --sample sample
//! ```
//!
//! The second form reads `gold.tsv` and `posts.ndjson` of the sample, with the gold languages.

#![expect(clippy::print_stdout, reason = "a report is the purpose of this program")]

use std::{collections::HashMap, path::Path};

use anyhow::{Context, Result, bail};
use echolot_enrich::{
    sentiment::{ScoreInput, Scorer, lexicon::LexiconScorer},
    text::normalise,
};
use echolot_schemas::{
    enriched::{Distribution, Polarity},
    submission::Submission,
};

struct Row {
    label: Polarity,
    language: String,
    text: String,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rows = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--sample", folder] => sample(Path::new(folder))?,
        [language, file] => tsv(language, Path::new(file))?,
        _ => bail!("usage: score_tsv LANGUAGE FILE.tsv | score_tsv --sample FOLDER"),
    };
    let scorer = LexiconScorer::new()?;
    let mut languages: Vec<&str> = rows.iter().map(|row| row.language.as_str()).collect();
    languages.sort_unstable();
    languages.dedup();
    println!("{} {} {}", scorer.model().id, scorer.model().version, scorer.model().hash);
    println!("language  texts  accuracy  macro-F1  F1 neg / neu / pos      ECE");
    for language in languages {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.language == language).collect();
        let texts: Vec<String> = rows.iter().map(|row| normalise(&row.text)).collect();
        let inputs: Vec<_> = texts.iter().map(|text| ScoreInput { text, language }).collect();
        report(language, &rows, &scorer.score(&inputs)?);
    }
    Ok(())
}

fn report(language: &str, rows: &[&Row], scores: &[Distribution]) {
    let mut confusion = [[0_u32; 3]; 3];
    // Expected calibration error over ten bins (Guo et al. 2017).
    let mut bins = [(0.0_f32, 0.0_f32); 10];
    for (row, score) in rows.iter().zip(scores) {
        let said = score.polarity();
        confusion[row.label as usize][said as usize] += 1;
        let confidence = score.negative.max(score.neutral).max(score.positive);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 10")]
        let bin = &mut bins[((confidence * 10.0) as usize).min(9)];
        bin.0 += confidence;
        bin.1 += f32::from(u8::from(row.label == said));
    }
    let f1 = [0, 1, 2].map(|class: usize| {
        let predicted: u32 = confusion.iter().map(|row| row[class]).sum();
        let actual: u32 = confusion[class].iter().sum();
        2.0 * f64::from(confusion[class][class]) / f64::from((predicted + actual).max(1))
    });
    let right: u32 = (0..3).map(|class| confusion[class][class]).sum();
    let count = rows.len() as f64;
    let error: f32 = bins.iter().map(|(confidence, right)| (confidence - right).abs()).sum();
    println!(
        "{language:8} {:6}     {:.3}     {:.3}  {:.3} / {:.3} / {:.3}  {:.3}",
        rows.len(),
        f64::from(right) / count,
        f1.iter().sum::<f64>() / 3.0,
        f1[0],
        f1[1],
        f1[2],
        f64::from(error) / count
    );
}

fn polarity(label: &str) -> Result<Polarity> {
    Polarity::ALL
        .into_iter()
        .find(|known| known.as_str() == label)
        .with_context(|| format!("label {label:?} is none of negative, neutral, positive"))
}

/// Columns by their header; a quote has no meaning.
fn table(file: &Path) -> Result<Vec<HashMap<String, String>>> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b'\t')
        .quoting(false)
        .from_path(file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    Ok(reader.deserialize().collect::<Result<_, _>>()?)
}

fn tsv(language: &str, file: &Path) -> Result<Vec<Row>> {
    let row = |columns: HashMap<String, String>| {
        let column = |name: &str| {
            columns.get(name).with_context(|| format!("{} lacks column {name}", file.display()))
        };
        Ok(Row {
            label: polarity(column("label")?)?,
            language: language.to_owned(),
            text: column("text")?.clone(),
        })
    };
    table(file)?.into_iter().map(row).collect()
}

fn sample(folder: &Path) -> Result<Vec<Row>> {
    let posts = std::fs::read_to_string(folder.join("posts.ndjson"))?;
    let mut texts = HashMap::new();
    for line in posts.lines() {
        let mut columns: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line)?;
        let source = columns.remove("source").context("a post without source")?;
        let post: Submission = serde_json::from_value(columns.into())?;
        let text = [post.title, post.text].into_iter().flatten().collect::<Vec<_>>().join("\n");
        texts.insert((source.as_str().unwrap_or_default().to_owned(), post.id), text);
    }
    let mut rows = Vec::new();
    for gold in table(&folder.join("gold.tsv"))? {
        let key = (gold["source"].clone(), gold["id"].clone());
        // A deleted post has a gold row and perhaps no text.
        if let Some(text) = texts.remove(&key) {
            rows.push(Row {
                label: polarity(&gold["label"])?,
                language: gold["language"].clone(),
                text,
            });
        }
    }
    Ok(rows)
}
