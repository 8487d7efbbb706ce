//! lingua's accuracy test (github.com/pemistahl/lingua-rs): 75 languages, and what seven detectors
//! reach on it when they are asked for the best of all the languages they know.

use std::{collections::HashMap, path::Path};

use anyhow::Context;

/// The three kinds of texts: name, file of texts, file of published accuracies.
pub(super) const KINDS: [(&str, &str, &str); 3] = [
    ("sentences", "langid_lingua/sentences.tsv", "langid_lingua/accuracy_sentences.csv"),
    ("word-pairs", "langid_lingua/word-pairs.tsv", "langid_lingua/accuracy_word-pairs.csv"),
    ("single-words", "langid_lingua/single-words.tsv", "langid_lingua/accuracy_single-words.csv"),
];

/// Detectors shown beside ours.
const SHOWN: [&str; 3] = ["lingua-high-accuracy", "whatlang", "whichlang"];

/// English names, as the published tables have them.
pub(super) const NAMES: [(&str, &str); 32] = [
    ("ar", "Arabic"),
    ("bg", "Bulgarian"),
    ("bs", "Bosnian"),
    ("cs", "Czech"),
    ("da", "Danish"),
    ("de", "German"),
    ("el", "Greek"),
    ("en", "English"),
    ("es", "Spanish"),
    ("fi", "Finnish"),
    ("fr", "French"),
    ("hi", "Hindi"),
    ("hr", "Croatian"),
    ("hu", "Hungarian"),
    ("it", "Italian"),
    ("ja", "Japanese"),
    ("ko", "Korean"),
    ("nb", "Bokmal"),
    ("nl", "Dutch"),
    ("pl", "Polish"),
    ("pt", "Portuguese"),
    ("ro", "Romanian"),
    ("ru", "Russian"),
    ("sk", "Slovak"),
    ("sl", "Slovene"),
    ("sq", "Albanian"),
    ("sr", "Serbian"),
    ("sv", "Swedish"),
    ("tr", "Turkish"),
    ("uk", "Ukrainian"),
    ("vi", "Vietnamese"),
    ("zh", "Chinese"),
];

/// Published accuracies by code: `lingua .939, whatlang .666`.
pub(super) fn published(file: &Path) -> anyhow::Result<HashMap<&'static str, String>> {
    let mut reader =
        csv::Reader::from_path(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut found = HashMap::new();
    for row in reader.deserialize::<HashMap<String, String>>() {
        let row = row.with_context(|| file.display().to_string())?;
        let Some((code, _)) =
            NAMES.iter().find(|(_, name)| row.get("language").is_some_and(|said| said == name))
        else {
            continue;
        };
        let values: Vec<String> = SHOWN
            .iter()
            .filter_map(|detector| {
                let share: f64 = row.get(*detector)?.parse().ok()?;
                let name = detector.trim_end_matches("-high-accuracy");
                (!share.is_nan()).then(|| format!("{name} {}", super::report::short(share / 100.0)))
            })
            .collect();
        found.insert(*code, values.join(", "));
    }
    Ok(found)
}
