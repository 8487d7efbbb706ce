//! The public sets of sentiment, with what others published on them.

use std::path::Path;

use anyhow::Context;
use echolot_schemas::enriched::Polarity;

use super::{data, metrics::Metric};

/// A set, and where it lies under the folder of the data sets.
pub(super) struct SentimentSet {
    pub(super) name: &'static str,
    /// Language of its texts, as the set declares it.
    pub(super) language: &'static str,
    pub(super) file: &'static str,
    /// The measure that the field uses on it.
    pub(super) metric: Metric,
    pub(super) part: Part,
    /// Name and value, in that measure.
    pub(super) published: &'static [(&'static str, f64)],
}

/// What a set may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Scored only.
    Test,
    /// Tuned on.
    Development,
}

const fn test(
    name: &'static str,
    language: &'static str,
    file: &'static str,
    metric: Metric,
    published: &'static [(&'static str, f64)],
) -> SentimentSet {
    SentimentSet { name, language, file, metric, part: Part::Test, published }
}

const fn development(
    name: &'static str,
    language: &'static str,
    file: &'static str,
    metric: Metric,
) -> SentimentSet {
    SentimentSet { name, language, file, metric, part: Part::Development, published: &[] }
}

use Metric::{MacroF1, MacroRecall};

/// UMSAB: Barbieri, Espinosa Anke and Camacho-Collados 2022 (arXiv 2104.12250), table of the
/// repository: fastText on one language, XLM-R and XLM-T on all. `TweetEval`: leaderboard of its
/// repository. `SB10k`: recomputed from the published predictions of the CGSA study.
pub(super) const SETS: [SentimentSet; 21] = [
    test(
        "umsab-de",
        "de",
        "umsab/german.test.tsv",
        MacroF1,
        &[("fastText", 0.596), ("XLM-R", 0.728), ("XLM-T", 0.773)],
    ),
    test(
        "umsab-en",
        "en",
        "umsab/english.test.tsv",
        MacroF1,
        &[("fastText", 0.509), ("XLM-R", 0.685), ("XLM-T", 0.706)],
    ),
    test(
        "umsab-fr",
        "fr",
        "umsab/french.test.tsv",
        MacroF1,
        &[("fastText", 0.548), ("XLM-R", 0.705), ("XLM-T", 0.712)],
    ),
    test(
        "umsab-es",
        "es",
        "umsab/spanish.test.tsv",
        MacroF1,
        &[("fastText", 0.501), ("XLM-R", 0.660), ("XLM-T", 0.679)],
    ),
    test(
        "umsab-it",
        "it",
        "umsab/italian.test.tsv",
        MacroF1,
        &[("fastText", 0.547), ("XLM-R", 0.686), ("XLM-T", 0.691)],
    ),
    test(
        "umsab-pt",
        "pt",
        "umsab/portuguese.test.tsv",
        MacroF1,
        &[("fastText", 0.551), ("XLM-R", 0.698), ("XLM-T", 0.754)],
    ),
    test(
        "umsab-ar",
        "ar",
        "umsab/arabic.test.tsv",
        MacroF1,
        &[("fastText", 0.460), ("XLM-R", 0.643), ("XLM-T", 0.669)],
    ),
    test(
        "umsab-hi",
        "hi",
        "umsab/hindi.test.tsv",
        MacroF1,
        &[("fastText", 0.371), ("XLM-R", 0.534), ("XLM-T", 0.564)],
    ),
    test(
        "tweeteval",
        "en",
        "tweeteval_sentiment/test.tsv",
        MacroRecall,
        &[("FastText", 0.629), ("RoBERTa", 0.713), ("TimeLM", 0.737)],
    ),
    test(
        "sb10k",
        "de",
        "sb10k/test.tsv",
        MacroF1,
        &[("SVM+lexica", 0.655), ("BiLSTM", 0.644), ("CNN", 0.615)],
    ),
    development("umsab-de-val", "de", "umsab/german.val.tsv", MacroF1),
    development("umsab-en-val", "en", "umsab/english.val.tsv", MacroF1),
    development("umsab-fr-val", "fr", "umsab/french.val.tsv", MacroF1),
    development("umsab-es-val", "es", "umsab/spanish.val.tsv", MacroF1),
    development("umsab-it-val", "it", "umsab/italian.val.tsv", MacroF1),
    development("umsab-pt-val", "pt", "umsab/portuguese.val.tsv", MacroF1),
    development("tweeteval-val", "en", "tweeteval_sentiment/val.tsv", MacroRecall),
    development("sb10k-dev", "de", "sb10k/dev.tsv", MacroF1),
    development("potts-dev", "de", "potts/dev.tsv", MacroF1),
    development("germeval2017-dev", "de", "germeval2017/dev.tsv", Metric::MicroF1),
    development("allocine-dev", "fr", "allocine_nlproc_fr/dev.tsv", Metric::Accuracy),
];

/// The mean over these is one more row of the table.
pub(super) const MEAN: &str = "umsab-mean-of-six";
pub(super) const MEAN_OF: [&str; 6] =
    ["umsab-de", "umsab-en", "umsab-fr", "umsab-es", "umsab-it", "umsab-pt"];
pub(super) const MEAN_PUBLISHED: [(&str, f64); 3] =
    [("fastText", 0.542), ("XLM-R", 0.694), ("XLM-T", 0.719)];

/// A row of a set.
pub(super) struct GoldRow {
    pub(super) gold: usize,
    pub(super) text: String,
}

/// Rows labelled with one of the three polarities, and how many have another label.
pub(super) fn load(path: &Path) -> anyhow::Result<(Vec<GoldRow>, usize)> {
    let rows = data::labelled(path)?;
    let all = rows.len();
    let known: Vec<GoldRow> = rows
        .into_iter()
        .filter_map(|row| {
            let gold = Polarity::ALL.into_iter().find(|known| known.as_str() == row.label)?;
            Some(GoldRow { gold: gold as usize, text: row.text })
        })
        .collect();
    if known.is_empty() {
        return Err(anyhow::anyhow!("its labels are none of negative, neutral, positive"))
            .with_context(|| path.display().to_string());
    }
    let others = all - known.len();
    Ok((known, others))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_the_mean_is_of_test_sets() {
        let names: HashSet<&str> = SETS.iter().map(|set| set.name).collect();
        assert_eq!(names.len(), SETS.len());
        for name in MEAN_OF {
            assert!(SETS.iter().any(|set| set.name == name && set.part == Part::Test), "{name}");
        }
    }
}
