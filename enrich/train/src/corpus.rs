//! Rows to learn from, and rows to tune on.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use echolot_enrich::text::normalise;
use serde::Deserialize;

/// A text to learn from.
pub(crate) struct Row {
    pub(crate) text: String,
    pub(crate) language: String,
    pub(crate) source: String,
    /// 0 negative, 1 neutral, 2 positive; none where only the teacher spoke.
    pub(crate) gold: Option<usize>,
    /// Whether the source has neutral texts at all.
    pub(crate) has_neutral: bool,
    pub(crate) teacher: Option<[f32; 3]>,
}

/// A text to tune on or to keep out of training.
pub(crate) struct Held {
    pub(crate) text: String,
    pub(crate) gold: usize,
}

pub(crate) const CLASSES: [&str; 3] = ["negative", "neutral", "positive"];

/// A text without what copies differ in: its letters and digits in lower case.
pub(crate) fn key(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Columns of a TSV file by name; FILE or FILE.zst.
pub(crate) fn table(path: &Path) -> Result<Vec<HashMap<String, String>>> {
    let mut reader =
        csv::ReaderBuilder::new().delimiter(b'\t').quoting(false).from_reader(open(path)?);
    reader.deserialize().collect::<Result<_, _>>().with_context(|| path.display().to_string())
}

pub(crate) fn open(path: &Path) -> Result<Box<dyn Read>> {
    let packed = PathBuf::from(format!("{}.zst", path.display()));
    let open =
        |path: &Path| File::open(path).with_context(|| format!("cannot read {}", path.display()));
    if path.is_file() {
        Ok(Box::new(open(path)?))
    } else {
        Ok(Box::new(zstd::Decoder::new(open(&packed)?)?))
    }
}

/// Sources that the manifest lets us train on, with their licences.
pub(crate) fn sources(manifest: &Path) -> Result<HashMap<String, String>> {
    let rows = table(manifest)?.into_iter().filter(|row| row["use"] == "train");
    Ok(rows.map(|row| (row["source"].clone(), row["licence"].clone())).collect())
}

/// `label` and `text` of a file, where the label is a polarity.
pub(crate) fn held(path: &Path) -> Result<Vec<Held>> {
    let rows = table(path)?.into_iter().filter_map(|row| {
        let gold = CLASSES.iter().position(|class| *class == row["label"])?;
        Some(Held { text: normalise(&row["text"]), gold })
    });
    Ok(rows.collect())
}

/// Keys of every text that is tested or tuned on.
pub(crate) fn protected(data: &Path) -> Result<HashSet<String>> {
    let mut keys = HashSet::new();
    for folder in ["umsab", "tweeteval_sentiment", "sb10k"] {
        for entry in std::fs::read_dir(data.join(folder))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let stem = name.trim_end_matches(".zst");
            if ["test.tsv", "val.tsv", "dev.tsv"].iter().any(|part| stem.ends_with(part)) {
                for row in table(&data.join(folder).join(stem))? {
                    keys.insert(key(&normalise(&row["text"])));
                }
            }
        }
    }
    if keys.len() < 10_000 {
        bail!("only {} texts are protected: is {} complete?", keys.len(), data.display());
    }
    Ok(keys)
}

#[derive(Deserialize)]
struct Labelled {
    lang: String,
    text: String,
    p: [f32; 3],
}

/// Every row of `train_pool` that may be used, the teacher's opinions joined by text.
pub(crate) fn rows(
    data: &Path,
    teacher: Option<&Path>,
    sources: &HashMap<String, String>,
    protected: &HashSet<String>,
) -> Result<Vec<Row>> {
    let mut opinions: HashMap<String, Labelled> = HashMap::new();
    if let Some(path) = teacher {
        for line in BufReader::new(open(path)?).lines() {
            let said: Labelled = serde_json::from_str(&line?).context("the teacher's labels")?;
            opinions.insert(key(&said.text), said);
        }
    }
    let mut rows = Vec::new();
    let (mut leaks, mut barred) = (0, 0);
    let mut files: Vec<_> =
        std::fs::read_dir(data.join("train_pool"))?.collect::<Result<_, _>>()?;
    files.sort_by_key(std::fs::DirEntry::file_name);
    for file in files {
        let name = file.file_name().to_string_lossy().into_owned();
        let Some((language, _)) = name.split_once(".tsv") else { continue };
        for mut row in table(&data.join("train_pool").join(format!("{language}.tsv")))? {
            if !sources.contains_key(&row["source"]) {
                barred += 1;
                continue;
            }
            let text = normalise(&row["text"]);
            let key = key(&text);
            if protected.contains(&key) {
                leaks += 1;
                continue;
            }
            rows.push(Row {
                language: language.to_owned(),
                gold: CLASSES.iter().position(|class| *class == row["label"]),
                has_neutral: row["schema"] == "3class",
                teacher: opinions.remove(&key).map(|said| said.p),
                source: row.remove("source").unwrap_or_default(),
                text,
            });
        }
    }
    let joined = rows.iter().filter(|row| row.teacher.is_some()).count();
    let mut rest: Vec<_> =
        opinions.into_iter().filter(|(key, _)| !protected.contains(key)).collect();
    rest.sort_by(|a, b| a.0.cmp(&b.0));
    let alone = rest.len();
    rows.extend(rest.into_iter().map(|(_, said)| Row {
        text: normalise(&said.text),
        language: said.lang,
        source: "teacher".to_owned(),
        gold: None,
        has_neutral: true,
        teacher: Some(said.p),
    }));
    eprintln!(
        "{} rows; {joined} with the teacher's opinion and {alone} with that alone; left out: \
         {barred} of sources that may not be used, {leaks} that are tested or tuned on",
        rows.len()
    );
    Ok(rows)
}
