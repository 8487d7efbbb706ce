//! What this stage tells Prometheus. Counts are of judgements: a batch that is judged again, after
//! a crash or a fault, counts again. What is stored is counted in the store.

use echolot_pipeline::metrics::registered;
use prometheus::{HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry};

/// The parts of judging a mention: label values, and what a panic is blamed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Checking limits and identity.
    Validate,
    /// Looking for brands.
    Brands,
    /// Normalising the text.
    Normalise,
    /// Detecting the language.
    Language,
    /// Scoring the sentiment.
    Sentiment,
    /// Asking the second scorer.
    SecondOpinion,
}

impl Step {
    /// The metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Brands => "brands",
            Self::Normalise => "normalise",
            Self::Language => "language",
            Self::Sentiment => "sentiment",
            Self::SecondOpinion => "second_opinion",
        }
    }
}

/// Metrics of the enrichment stage.
#[derive(Clone, Debug)]
pub struct EnrichMetrics {
    /// Mentions by brand (a configured name; empty for mentions of none) and polarity.
    pub mentions: IntCounterVec,
    /// Mentions by detected language (a configured code, or `und`).
    pub languages: IntCounterVec,
    /// Mentions that a scorer was asked about.
    pub scored: IntCounter,
    /// Mentions that the second scorer was wanted for, by why and what came of it.
    pub second: IntCounterVec,
    /// Seconds spent on one chunk of a batch, by step.
    pub seconds: HistogramVec,
    /// Panics caught, by step.
    pub panics: IntCounterVec,
    /// Batches that were not judged in time.
    pub timeouts: IntCounter,
}

impl EnrichMetrics {
    /// Registers them.
    pub fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counters = |name: &str, help: &str, labels: &[&str]| {
            registered(registry, IntCounterVec::new(Opts::new(name, help), labels))
        };
        let seconds = HistogramOpts::new(
            "echolot_enrich_step_seconds",
            "Seconds spent on one chunk of a batch, by step.",
        )
        .buckets(prometheus::exponential_buckets(0.000_25, 4.0, 9)?);
        Ok(Self {
            mentions: counters(
                "echolot_enrich_mentions_total",
                "Mentions judged, by brand (empty for none) and polarity.",
                &["brand", "polarity"],
            )?,
            languages: counters(
                "echolot_enrich_languages_total",
                "Mentions judged, by detected language.",
                &["language"],
            )?,
            scored: registered(
                registry,
                IntCounter::new(
                    "echolot_enrich_scored_total",
                    "Mentions that the sentiment model was asked about.",
                ),
            )?,
            second: counters(
                "echolot_enrich_second_opinions_total",
                "Mentions that the second sentiment model was wanted for, by why (uncertain, reach, sample) and outcome (asked, cached, over_budget).",
                &["why", "outcome"],
            )?,
            seconds: registered(registry, HistogramVec::new(seconds, &["step"]))?,
            panics: counters(
                "echolot_enrich_panics_total",
                "Panics caught while judging, by step.",
                &["step"],
            )?,
            timeouts: registered(
                registry,
                IntCounter::new(
                    "echolot_enrich_timeouts_total",
                    "Batches that the models did not judge in time.",
                ),
            )?,
        })
    }
}
