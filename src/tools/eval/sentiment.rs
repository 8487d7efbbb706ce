//! `echolot eval sentiment`.

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::{Context, bail};
use clap::Args;
use echolot_enrich::{
    language::{self, DetectInput, LanguageDetector},
    sentiment::{self, ScoreInput, Scorer},
    text::normalise,
};
use echolot_schemas::enriched::{Distribution, Polarity};
use serde_json::{Map, Value, json};

use super::{
    Common, data,
    interval::{Interval, intervals},
    metrics::{Judged, Metric, Sums, coverage},
    pictures,
    report::{self, Sheet},
    sets::{self, GoldRow, Part, SETS, SentimentSet},
    speed,
};
use crate::{settings::Settings, tools::print};

#[derive(Debug, Args)]
pub(crate) struct SentimentArgs {
    #[command(flatten)]
    pub(super) common: Common,
    /// Model to judge; without it the configured one (enrich.scorer).
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Language of all texts (ISO 639-1); without it, it is detected.
    #[arg(long, value_name = "CODE")]
    language: Option<String>,
    /// The measure to lead with for --tsv.
    #[arg(long, value_enum, requires = "tsv")]
    metric: Option<Metric>,
    /// Judges the development parts, which may be tuned on, instead of the tests.
    #[arg(long)]
    development: bool,
    /// Writes pictures of confusion, calibration and coverage into this folder.
    #[arg(long, value_name = "DIR")]
    pictures: Option<PathBuf>,
}

/// Length groups, in characters, by their least length.
const LENGTHS: [(usize, &str); 4] =
    [(140, "140 or more"), (80, "80 to 139"), (40, "40 to 79"), (0, "under 40")];

/// The models, as the enrichment stage asks them.
pub(super) struct Models {
    detector: Arc<dyn LanguageDetector>,
    scorer: Arc<dyn Scorer>,
    language: Option<String>,
}

/// One set with its judged rows.
struct Outcome {
    name: String,
    /// As the set declares it.
    language: Option<&'static str>,
    metric: Metric,
    published: String,
    rows: Vec<Judged>,
    skipped: usize,
}

pub(super) fn run(settings: &Settings, args: &SentimentArgs) -> anyhow::Result<ExitCode> {
    let name = args.model.as_deref().unwrap_or(&settings.enrich.scorer);
    let path = Models { language: args.language.clone(), ..Models::load(settings, name)? };
    if let Some(file) = &args.common.predict {
        return predict(&path, file);
    }
    let mut texts = Vec::new();
    let mut outcomes = Vec::new();
    if let Some(file) = &args.common.tsv {
        let (rows, skipped) = sets::load(file)?;
        let metric = args.metric.unwrap_or(Metric::MacroF1);
        let judged = path.judge(&rows)?;
        let name = file.display().to_string();
        outcomes.push(Outcome {
            name,
            language: None,
            metric,
            published: String::new(),
            rows: judged,
            skipped,
        });
        texts.extend(rows.into_iter().map(|row| row.text));
    } else {
        let folder = data::folder(&args.common.data)?;
        for set in chosen(args)? {
            let (rows, skipped) = sets::load(&folder.join(set.file))?;
            let judged = path.judge(&rows)?;
            outcomes.push(Outcome {
                name: set.name.to_owned(),
                language: Some(set.language),
                metric: set.metric,
                published: report::published(set.published),
                rows: judged,
                skipped,
            });
            texts.extend(rows.into_iter().map(|row| row.text));
        }
    }
    let speed = speed::of(&texts, |part| path.score(part));
    if let Some(folder) = &args.pictures {
        draw(folder, &outcomes)?;
    }
    tell(args, &path, &outcomes, speed)?;
    Ok(ExitCode::SUCCESS)
}

fn chosen(args: &SentimentArgs) -> anyhow::Result<Vec<&'static SentimentSet>> {
    for name in &args.common.sets {
        if !SETS.iter().any(|set| set.name == name) {
            let known: Vec<&str> = SETS.iter().map(|set| set.name).collect();
            bail!("--set {name}: the sets are {}", known.join(" "));
        }
    }
    let part = if args.development { Part::Development } else { Part::Test };
    let wanted = |set: &&SentimentSet| match &args.common.sets[..] {
        [] => set.part == part,
        names => names.iter().any(|name| name == set.name),
    };
    Ok(SETS.iter().filter(wanted).collect())
}

impl Models {
    /// The configured detector and the scorer of this name.
    pub(super) fn load(settings: &Settings, scorer: &str) -> anyhow::Result<Self> {
        Ok(Self {
            detector: language::detector(&settings.enrich)?,
            scorer: sentiment::scorer(scorer, &settings.enrich)?,
            language: None,
        })
    }

    /// Distribution and detected language of each text.
    pub(super) fn score(&self, texts: &[String]) -> anyhow::Result<Vec<(Distribution, String)>> {
        let mut all = Vec::with_capacity(texts.len());
        for texts in texts.chunks(256) {
            let texts: Vec<String> = texts.iter().map(|text| normalise(text)).collect();
            let inputs: Vec<_> =
                texts.iter().map(|text| DetectInput { text, hint: None }).collect();
            let languages = self.detector.detect(&inputs);
            let inputs: Vec<_> = texts
                .iter()
                .zip(&languages)
                .map(|(text, said)| ScoreInput {
                    text,
                    language: self.language.as_deref().unwrap_or(said.code),
                })
                .collect();
            let scores = self.scorer.score(&inputs)?;
            all.extend(scores.into_iter().zip(&inputs).map(|(s, i)| (s, i.language.to_owned())));
        }
        Ok(all)
    }

    pub(super) fn judge(&self, rows: &[GoldRow]) -> anyhow::Result<Vec<Judged>> {
        let texts: Vec<String> = rows.iter().map(|row| row.text.clone()).collect();
        let polar = rows.iter().all(|row| row.gold != Polarity::Neutral as usize);
        let judged = rows.iter().zip(self.score(&texts)?).map(|(row, (distribution, _))| {
            let length = row.text.chars().count();
            if polar {
                Judged::polar(row.gold, &distribution, length)
            } else {
                Judged::new(row.gold, &distribution, length)
            }
        });
        Ok(judged.collect())
    }
}

fn predict(path: &Models, file: &std::path::Path) -> anyhow::Result<ExitCode> {
    let lines = data::lines(file)?;
    print("label\tnegative\tneutral\tpositive\tlanguage\tcertain");
    for (said, language) in path.score(&lines)? {
        let Distribution { negative, neutral, positive } = said;
        let label = said.polarity().as_str();
        let certain = negative.max(neutral).max(positive) >= path.scorer.certain_from();
        print(format!(
            "{label}\t{negative:.4}\t{neutral:.4}\t{positive:.4}\t{language}\t{certain}"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(
    args: &SentimentArgs,
    path: &Models,
    outcomes: &[Outcome],
    speed: f64,
) -> anyhow::Result<()> {
    let model = path.scorer.model();
    let detector = path.detector.model();
    let lead = format!(
        "{} {} ({}), language by {} {} ({}): {speed:.0} posts/s on one thread{}",
        model.id,
        model.version,
        model.hash,
        detector.id,
        detector.version,
        detector.hash,
        speed::remark()
    );
    let mut main = Sheet::new(
        "Sentiment, with 95 % bootstrap intervals",
        ["set", "texts", "macro-F1", "macro recall", "accuracy", "ECE", "published"],
    );
    let mut found = Map::new();
    for outcome in outcomes {
        let measured = intervals(&[&outcome.rows]);
        let published = match outcome.published.as_str() {
            "" => String::new(),
            values => format!("{}: {values}", outcome.metric.title()),
        };
        main.rows.push(row(&outcome.name, outcome.rows.len(), &measured, &published));
        found.insert(outcome.name.clone(), values(outcome, &measured)?);
    }
    let of_mean: Vec<&[Judged]> = outcomes
        .iter()
        .filter(|outcome| sets::MEAN_OF.contains(&outcome.name.as_str()))
        .map(|outcome| outcome.rows.as_slice())
        .collect();
    if of_mean.len() == sets::MEAN_OF.len() {
        let measured = intervals(&of_mean);
        let texts = of_mean.iter().map(|rows| rows.len()).sum();
        let published = format!("macro-F1: {}", report::published(&sets::MEAN_PUBLISHED));
        main.rows.push(row(sets::MEAN, texts, &measured, &published));
        found
            .insert(sets::MEAN.to_owned(), json!({ "texts": texts, "metrics": named(&measured)? }));
    }
    let json = json!({
        "model": model, "language_model": detector, "posts_per_second": speed, "sets": found,
    });
    let sheets = [main, by_length(outcomes), surest(outcomes)];
    let Common { json: json_file, markdown, .. } = &args.common;
    report::write(&lead, &sheets, &json, json_file.as_deref(), markdown.as_deref())
}

fn row(name: &str, texts: usize, measured: &[(Metric, Interval)], published: &str) -> Vec<String> {
    let of = |wanted: Metric| {
        let found = measured.iter().find(|(metric, _)| *metric == wanted);
        found.map(|(_, interval)| report::with_interval(interval)).unwrap_or_default()
    };
    vec![
        name.to_owned(),
        texts.to_string(),
        of(Metric::MacroF1),
        of(Metric::MacroRecall),
        of(Metric::Accuracy),
        of(Metric::Ece),
        published.to_owned(),
    ]
}

fn named(measured: &[(Metric, Interval)]) -> anyhow::Result<Value> {
    let pairs = measured
        .iter()
        .map(|(metric, interval)| Ok((metric.key().to_owned(), serde_json::to_value(interval)?)));
    Ok(Value::Object(pairs.collect::<serde_json::Result<_>>()?))
}

fn values(outcome: &Outcome, measured: &[(Metric, Interval)]) -> anyhow::Result<Value> {
    let lengths: BTreeMap<&str, Value> = groups(&outcome.rows)
        .into_iter()
        .map(|(name, rows)| {
            (
                name,
                json!({ "texts": rows.len(), outcome.metric.key():
            outcome.metric.value(&Sums::of(rows)) }),
            )
        })
        .collect();
    Ok(json!({
        "language": outcome.language,
        "texts": outcome.rows.len(),
        "skipped": outcome.skipped,
        "lead": outcome.metric.key(),
        "metrics": named(measured)?,
        "confusion": Sums::of(&outcome.rows).confusion,
        "coverage": coverage(&outcome.rows),
        "lengths": lengths,
    }))
}

fn groups(rows: &[Judged]) -> Vec<(&'static str, Vec<&Judged>)> {
    let group = |length: usize| LENGTHS.iter().position(|(least, _)| length >= *least);
    LENGTHS
        .iter()
        .enumerate()
        .map(|(at, (_, name))| {
            (*name, rows.iter().filter(|row| group(row.length) == Some(at)).collect())
        })
        .collect()
}

fn by_length(outcomes: &[Outcome]) -> Sheet {
    let mut sheet = Sheet::new(
        "By length in characters (texts in brackets)",
        ["set", "measure", "140 or more", "80 to 139", "40 to 79", "under 40"],
    );
    for outcome in outcomes {
        let mut cells = vec![outcome.name.clone(), outcome.metric.title().to_owned()];
        cells.extend(groups(&outcome.rows).into_iter().map(|(_, rows)| match rows.len() {
            0 => "–".to_owned(),
            texts => {
                let value = outcome.metric.value(&Sums::of(rows));
                format!("{} ({texts})", report::short(value))
            }
        }));
        sheet.rows.push(cells);
    }
    sheet
}

fn surest(outcomes: &[Outcome]) -> Sheet {
    let mut sheet = Sheet::new(
        "Accuracy among the surest texts",
        ["set", "10 %", "30 %", "50 %", "70 %", "90 %", "all"],
    );
    for outcome in outcomes {
        let curve = coverage(&outcome.rows);
        let mut cells = vec![outcome.name.clone()];
        cells.extend([0, 2, 4, 6, 8, 9].map(|at: usize| report::short(curve[at].1)));
        sheet.rows.push(cells);
    }
    sheet
}

fn draw(folder: &std::path::Path, outcomes: &[Outcome]) -> anyhow::Result<()> {
    for outcome in outcomes {
        let name: String =
            outcome.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let sums = Sums::of(&outcome.rows);
        let file = |kind: &str| folder.join(format!("{name}.{kind}.svg"));
        pictures::confusion(&file("confusion"), &name, &sums)
            .and_then(|()| pictures::calibration(&file("calibration"), &name, &sums))
            .and_then(|()| pictures::coverage(&file("coverage"), &name, &coverage(&outcome.rows)))
            .with_context(|| format!("cannot draw into {}", folder.display()))?;
    }
    Ok(())
}
