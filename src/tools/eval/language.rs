//! `echolot eval language`.

use std::{
    collections::{BTreeMap, HashMap},
    process::ExitCode,
    sync::Arc,
};

use anyhow::bail;
use clap::Args;
use echolot_enrich::{
    EnrichSettings,
    language::{self, DetectInput, LanguageDetector, UNDETERMINED},
    text::normalise,
};
use serde_json::{Map, Value, json};

use super::{
    Common, data,
    interval::{self, Interval},
    lingua::{self, KINDS},
    report::{self, Sheet},
    speed,
};
use crate::{settings::Settings, tools::print};

#[derive(Debug, Args)]
pub(crate) struct LanguageArgs {
    #[command(flatten)]
    pub(super) common: Common,
    /// Languages that may be detected; without it the configured ones (enrich.languages).
    #[arg(long, value_delimiter = ',', value_name = "CODES")]
    languages: Vec<String>,
    /// Texts taken of each language at most.
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    most: usize,
}

/// Detectors with the same list: one that may answer `und`, and one that must choose.
struct Detectors {
    free: Arc<dyn LanguageDetector>,
    forced: Arc<dyn LanguageDetector>,
    languages: Vec<String>,
}

/// What came out for the texts of one language.
#[derive(Default)]
struct Tally {
    texts: usize,
    right: usize,
    undetermined: usize,
    forced_right: usize,
    confusions: HashMap<&'static str, usize>,
}

impl Detectors {
    fn new(settings: &EnrichSettings, languages: &[String]) -> anyhow::Result<Self> {
        let mut settings = settings.clone();
        if !languages.is_empty() {
            settings.languages = languages.to_vec();
        }
        let free = language::detector(&settings)?;
        let forced = EnrichSettings { language_confidence: 0.0, ..settings.clone() };
        Ok(Self { free, forced: language::detector(&forced)?, languages: settings.languages })
    }

    fn tally(&self, code: &str, texts: &[String]) -> Tally {
        let texts: Vec<String> = texts.iter().map(|text| normalise(text)).collect();
        let inputs: Vec<_> = texts.iter().map(|text| DetectInput { text, hint: None }).collect();
        let mut tally = Tally { texts: texts.len(), ..Tally::default() };
        for (said, forced) in self.free.detect(&inputs).iter().zip(self.forced.detect(&inputs)) {
            tally.right += usize::from(said.code == code);
            tally.undetermined += usize::from(said.code == UNDETERMINED);
            tally.forced_right += usize::from(forced.code == code);
            if forced.code != code {
                *tally.confusions.entry(forced.code).or_default() += 1;
            }
        }
        tally
    }
}

pub(super) fn run(settings: &Settings, args: &LanguageArgs) -> anyhow::Result<ExitCode> {
    let detectors = Detectors::new(&settings.enrich, &args.languages)?;
    if let Some(file) = &args.common.predict {
        print("language\tconfidence");
        for text in data::lines(file)? {
            let said =
                detectors.free.detect(&[DetectInput { text: &normalise(&text), hint: None }]);
            print(format!("{}\t{:.4}", said[0].code, said[0].confidence));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut sheets = Vec::new();
    let mut found = Map::new();
    let mut spoken = Vec::new();
    if let Some(file) = &args.common.tsv {
        let mut texts: HashMap<String, Vec<String>> = HashMap::new();
        for row in data::labelled(file)? {
            texts.entry(row.label).or_default().push(row.text);
        }
        let name = file.display().to_string();
        let (sheet, values) = judge(&detectors, &name, &texts, &HashMap::new(), usize::MAX)?;
        sheets.push(sheet);
        found.insert(name, values);
        spoken.extend(texts.into_values().flatten());
    } else {
        let folder = data::folder(&args.common.data)?;
        for (name, texts, published) in chosen(&args.common.sets)? {
            let texts = data::by_code(&folder.join(texts))?;
            let published = lingua::published(&folder.join(published))?;
            let (sheet, values) = judge(&detectors, name, &texts, &published, args.most)?;
            sheets.push(sheet);
            found.insert((*name).to_owned(), values);
            spoken.extend(texts.into_values().flatten().take(speed::MOST_TEXTS / KINDS.len()));
        }
    }
    let speed = speed::of(&spoken, |part| {
        let texts: Vec<String> = part.iter().map(|text| normalise(text)).collect();
        let inputs: Vec<_> = texts.iter().map(|text| DetectInput { text, hint: None }).collect();
        detectors.free.detect(&inputs)
    });
    let model = detectors.free.model();
    let lead = format!(
        "{} {} ({}), languages {}: {speed:.0} texts/s on one thread{}",
        model.id,
        model.version,
        model.hash,
        detectors.languages.join(" "),
        speed::remark()
    );
    let json = json!({
        "model": model, "languages": detectors.languages, "posts_per_second": speed, "sets": found,
    });
    let Common { json: json_file, markdown, .. } = &args.common;
    report::write(&lead, &sheets, &json, json_file.as_deref(), markdown.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

type Kind = (&'static str, &'static str, &'static str);

fn chosen(names: &[String]) -> anyhow::Result<Vec<&'static Kind>> {
    for name in names {
        if !KINDS.iter().any(|(known, ..)| known == name) {
            bail!("--set {name}: the sets are {}", KINDS.map(|(known, ..)| known).join(" "));
        }
    }
    let wanted = |kind: &&Kind| names.is_empty() || names.iter().any(|name| name == kind.0);
    Ok(KINDS.iter().filter(wanted).collect())
}

fn judge(
    detectors: &Detectors,
    name: &str,
    texts: &HashMap<String, Vec<String>>,
    published: &HashMap<&'static str, String>,
    most: usize,
) -> anyhow::Result<(Sheet, Value)> {
    let mut sheet = Sheet::new(
        &format!("Language: {name}, with 95 % bootstrap intervals"),
        ["language", "texts", "best guess right", "right", "und", "taken for", "published"],
    );
    let mut found = BTreeMap::new();
    let mut sum = Tally::default();
    let mut means = Vec::new();
    let mut others = Tally::default();
    for (code, texts) in texts.iter().collect::<BTreeMap<_, _>>() {
        let texts = &texts[..texts.len().min(most)];
        let tally = detectors.tally(code, texts);
        if !detectors.languages.contains(code) {
            others.texts += tally.texts;
            others.undetermined += tally.undetermined;
            continue;
        }
        let forced = interval::share(tally.forced_right, tally.texts);
        let right = interval::share(tally.right, tally.texts);
        let beside = published.get(code.as_str()).map_or("", String::as_str);
        sheet.rows.push(cells(code, &tally, &forced, &right, beside));
        found.insert(code.clone(), values(&tally, &forced, &right)?);
        means.push(forced.value);
        sum.texts += tally.texts;
        sum.right += tally.right;
        sum.undetermined += tally.undetermined;
        sum.forced_right += tally.forced_right;
    }
    if means.is_empty() {
        bail!("{name}: no text is in one of {}", detectors.languages.join(" "));
    }
    let forced = interval::share(sum.forced_right, sum.texts);
    let right = interval::share(sum.right, sum.texts);
    sheet.rows.push(cells("all of them", &sum, &forced, &right, ""));
    found.insert("all".to_owned(), values(&sum, &forced, &right)?);
    if others.texts > 0 {
        let share = interval::share(others.undetermined, others.texts);
        let mut row = vec!["other languages".to_owned(), others.texts.to_string()];
        row.extend([String::new(), String::new(), report::with_interval(&share)]);
        row.extend([String::new(), String::new()]);
        sheet.rows.push(row);
        let undetermined = serde_json::to_value(share)?;
        found.insert("others".to_owned(), json!({ "texts": others.texts, "und": undetermined }));
    }
    Ok((sheet, serde_json::to_value(found)?))
}

fn cells(
    name: &str,
    tally: &Tally,
    forced: &Interval,
    right: &Interval,
    published: &str,
) -> Vec<String> {
    let mut confusions: Vec<_> = tally.confusions.iter().collect();
    confusions.sort_by_key(|(code, count)| (usize::MAX - **count, **code));
    let confusions: Vec<String> =
        confusions.iter().take(3).map(|(code, count)| format!("{code} {count}")).collect();
    vec![
        name.to_owned(),
        tally.texts.to_string(),
        report::with_interval(forced),
        report::with_interval(right),
        report::short(tally.undetermined as f64 / tally.texts.max(1) as f64),
        confusions.join(", "),
        published.to_owned(),
    ]
}

fn values(tally: &Tally, forced: &Interval, right: &Interval) -> anyhow::Result<Value> {
    Ok(json!({
        "texts": tally.texts,
        "accuracy": serde_json::to_value(forced)?,
        "accuracy_with_und": serde_json::to_value(right)?,
        "und": tally.undetermined as f64 / tally.texts.max(1) as f64,
    }))
}
