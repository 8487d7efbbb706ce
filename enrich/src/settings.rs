//! `[enrich]`: every option of this stage. `default.toml` beside the crate explains each.

use std::{fmt, path::PathBuf, time::Duration};

use echolot_pipeline::settings::{Problems, WorkerSettings};
use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};

use crate::{
    language::{self, DETECTORS},
    sentiment::SCORERS,
};

/// `[enrich]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrichSettings {
    /// Threads that models run on.
    pub threads: usize,
    /// Which model detects languages: one of [`DETECTORS`].
    pub detector: String,
    /// Languages that may be detected (ISO 639-1); anything else is `und`.
    pub languages: Vec<String>,
    /// Below this confidence a language is `und`; 0 to 1.
    pub language_confidence: f32,
    /// Which model scores sentiment: one of [`SCORERS`].
    pub scorer: String,
    /// The deep tier, where `scorer` is "bert".
    pub bert: BertSettings,
    /// When a second scorer is asked.
    pub cascade: CascadeSettings,
    /// Whether mentions of no brand are stored.
    pub keep_unmatched: bool,
    /// Brand files; paths may hold wildcards. A single path may stand without a list, as in the
    /// environment.
    #[serde(deserialize_with = "paths")]
    pub brands: Vec<String>,
    /// How long models may take for one batch before it is tried again.
    #[serde(with = "humantime_serde")]
    pub score_timeout: Duration,
    /// How this stage batches and waits.
    pub worker: WorkerSettings,
}

/// `[enrich.bert]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BertSettings {
    /// The model's folder.
    pub folder: PathBuf,
    /// Threads that share one multiplication.
    pub threads: u16,
}

/// `[enrich.cascade]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CascadeSettings {
    /// Which model is asked again: one of [`SCORERS`]; empty for none.
    pub scorer: String,
    /// Asked again below this probability of what the first one says; 0 to 1.
    pub below: f32,
    /// Asked again from this reach on; 0 for never.
    pub reach: u64,
    /// Share of the others that is asked again; 0 to 1.
    pub sample: f32,
    /// Most texts a second that are asked again.
    pub texts_per_second: f64,
    /// Answers that are remembered, by text.
    pub cache_texts: usize,
}

impl CascadeSettings {
    fn validate(&self, first: &str, mut check: impl FnMut(bool, &str, String)) {
        check(
            self.scorer.is_empty() || SCORERS.contains(&self.scorer.as_str()),
            "cascade.scorer",
            format!("{:?} is none of {}; empty for none", self.scorer, SCORERS.join(" ")),
        );
        check(
            self.scorer != first,
            "cascade.scorer",
            format!("{first:?} is asked about everything already (enrich.scorer)"),
        );
        for (name, share) in [("cascade.below", self.below), ("cascade.sample", self.sample)] {
            check((0.0..=1.0).contains(&share), name, "must be 0 to 1".to_owned());
        }
        check(
            (0.1..=1e6).contains(&self.texts_per_second),
            "cascade.texts_per_second",
            "must be 0.1 to 1000000".to_owned(),
        );
        check(
            (1..=10_000_000).contains(&self.cache_texts),
            "cascade.cache_texts",
            "must be 1 to 10000000".to_owned(),
        );
    }
}

impl EnrichSettings {
    /// Notes everything wrong with these settings. Reads no file.
    pub fn validate(&self, problems: &mut Problems) {
        let mut check = |ok, name: &str, message: String| {
            problems.check(ok, &format!("enrich.{name}"), message);
        };
        check((1..=64).contains(&self.threads), "threads", "must be 1 to 64".to_owned());
        check(!self.languages.is_empty(), "languages", "must name at least one".to_owned());
        check(
            DETECTORS.contains(&self.detector.as_str()),
            "detector",
            format!("{:?} is none of {}", self.detector, DETECTORS.join(" ")),
        );
        let known = language::languages(&self.detector);
        for (at, code) in self.languages.iter().enumerate() {
            check(
                // A detector that does not exist was told above.
                known.is_empty() || known.contains(&code.as_str()),
                &format!("languages[{at}]"),
                format!("{code:?} is none of {}", known.join(" ")),
            );
        }
        check(
            (0.0..=1.0).contains(&self.language_confidence),
            "language_confidence",
            "must be 0 to 1".to_owned(),
        );
        check(
            SCORERS.contains(&self.scorer.as_str()),
            "scorer",
            format!("{:?} is none of {}", self.scorer, SCORERS.join(" ")),
        );
        self.cascade.validate(&self.scorer, &mut check);
        check(
            ![&self.scorer, &self.cascade.scorer].contains(&&"bert".to_owned())
                || !self.bert.folder.as_os_str().is_empty(),
            "bert.folder",
            "must name the model's folder when a scorer is bert".to_owned(),
        );
        check((1..=64).contains(&self.bert.threads), "bert.threads", "must be 1 to 64".to_owned());
        check(
            self.keep_unmatched || !self.brands.is_empty(),
            "keep_unmatched",
            "is false and brands is empty, so nothing would ever be stored; set one".to_owned(),
        );
        check(
            (Duration::from_millis(100)..=Duration::from_mins(10)).contains(&self.score_timeout),
            "score_timeout",
            "must be 100ms to 10m".to_owned(),
        );
        self.worker.validate("enrich.worker", problems);
    }
}

/// A list of paths, or one path; an empty one is none.
fn paths<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Paths;

    impl<'de> Visitor<'de> for Paths {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a path or a list of paths")
        }

        fn visit_str<E: de::Error>(self, path: &str) -> Result<Self::Value, E> {
            Ok(if path.is_empty() { Vec::new() } else { vec![path.to_owned()] })
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut paths: A) -> Result<Self::Value, A::Error> {
            let mut out = Vec::new();
            while let Some(path) = paths.next_element()? {
                out.push(path);
            }
            Ok(out)
        }
    }

    deserializer.deserialize_any(Paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Shipped {
        enrich: EnrichSettings,
    }

    fn shipped() -> EnrichSettings {
        toml::from_str::<Shipped>(include_str!("../default.toml")).unwrap().enrich
    }

    fn problems(settings: &EnrichSettings) -> Vec<String> {
        let mut problems = Problems::default();
        settings.validate(&mut problems);
        problems.into_vec().into_iter().map(|problem| problem.path).collect()
    }

    #[test]
    fn the_shipped_defaults_are_valid() {
        assert_eq!(problems(&shipped()), Vec::<String>::new());
    }

    #[test]
    fn everything_wrong_is_reported_at_once_with_its_path() {
        let mut settings = shipped();
        settings.threads = 0;
        settings.languages.push("xx".to_owned());
        settings.language_confidence = f32::NAN;
        settings.scorer = "oracle".to_owned();
        settings.keep_unmatched = false;
        settings.score_timeout = Duration::ZERO;
        settings.worker.poison_run = 0;
        let last = settings.languages.len() - 1;
        assert_eq!(
            problems(&settings),
            [
                "enrich.threads".to_owned(),
                format!("enrich.languages[{last}]"),
                "enrich.language_confidence".to_owned(),
                "enrich.scorer".to_owned(),
                "enrich.keep_unmatched".to_owned(),
                "enrich.score_timeout".to_owned(),
                "enrich.worker.poison_run".to_owned(),
            ]
        );
    }

    #[test]
    fn one_path_may_stand_without_a_list() {
        let brands = |value: &str| {
            let text = include_str!("../default.toml");
            let text = text.replace("brands = []", &format!("brands = {value}"));
            toml::from_str::<Shipped>(&text).map(|shipped| shipped.enrich.brands)
        };
        assert_eq!(brands(r#""a/*.toml""#).unwrap(), ["a/*.toml"]);
        assert_eq!(brands(r#"["a.toml", "b.toml"]"#).unwrap(), ["a.toml", "b.toml"]);
        assert!(brands(r#""""#).unwrap().is_empty());
        assert!(brands("7").unwrap_err().to_string().contains("a path or a list of paths"));
    }

    #[test]
    fn a_misspelt_option_is_refused_by_name() {
        let text = include_str!("../default.toml").replace("threads =", "treads =");
        let error = toml::from_str::<Shipped>(&text).err().unwrap();
        assert!(error.to_string().contains("treads"), "{error}");
    }
}
