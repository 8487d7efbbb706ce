//! The second opinion: which mentions a slower and better scorer is asked about, too.
//!
//! ```text
//! scores of the first tier ─▶ unsure? far-reaching? sampled? ─▶ cache ─▶ budget ─▶ second tier ─▶ its scores instead
//! ```
//!
//! A mention is asked about as a whole, with the parts that concern its brands, so that all of its
//! scores come from one model, which is the one that its event names. What the budget does not allow
//! keeps the scores of the first tier.

use std::{
    hash::{BuildHasher, Hash},
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use echolot_schemas::enriched::Distribution;
use foldhash::quality::FixedState;
use lru::LruCache;
use prometheus::IntCounterVec;

use crate::{
    sentiment::{ScoreInput, Scorer, ScorerFault},
    settings::CascadeSettings,
};

/// A mention to decide on: its texts with the first tier's scores, the whole text first.
pub(crate) struct Opinion<'a> {
    /// Whole text, then the parts that concern brands.
    pub(crate) texts: Vec<ScoreInput<'a>>,
    /// People or views reached, as far as the source told.
    pub(crate) reach: u64,
    /// One for each text.
    pub(crate) scores: Vec<Distribution>,
    /// True once the scores are the second tier's.
    pub(crate) second: bool,
}

/// Why a mention is asked about again; a metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Uncertain,
    Reach,
    Sample,
}

impl Why {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Uncertain => "uncertain",
            Self::Reach => "reach",
            Self::Sample => "sample",
        }
    }
}

/// The second tier and the policy before it.
pub(crate) struct Cascade {
    scorer: Arc<dyn Scorer>,
    settings: CascadeSettings,
    budget: Mutex<Budget>,
    cache: Mutex<LruCache<u64, Distribution>>,
    asked: IntCounterVec,
}

impl Cascade {
    pub(crate) fn new(
        scorer: Arc<dyn Scorer>,
        settings: CascadeSettings,
        asked: IntCounterVec,
    ) -> Self {
        let texts = NonZeroUsize::new(settings.cache_texts).unwrap_or(NonZeroUsize::MIN);
        let budget = Budget { left: settings.texts_per_second, since: Instant::now() };
        Self {
            scorer,
            settings,
            budget: Mutex::new(budget),
            cache: Mutex::new(LruCache::new(texts)),
            asked,
        }
    }

    pub(crate) fn scorer(&self) -> &Arc<dyn Scorer> {
        &self.scorer
    }

    /// Asks the second tier about those that the policy picks, the least certain first.
    pub(crate) fn reconsider(&self, opinions: &mut [Opinion<'_>]) -> Result<(), ScorerFault> {
        let mut wanted: Vec<(usize, Why)> = (0..)
            .zip(opinions.iter())
            .filter_map(|(at, opinion)| Some((at, self.why(opinion)?)))
            .collect();
        wanted.sort_by(|(one, _), (other, _)| {
            certainty(&opinions[*one]).total_cmp(&certainty(&opinions[*other]))
        });
        let mut asked = Vec::new();
        for (at, why) in wanted {
            if let Some(scores) = self.remembered(&opinions[at].texts) {
                self.count(why, "cached");
                opinions[at].scores = scores;
                opinions[at].second = true;
            } else if lock(&self.budget).take(
                opinions[at].texts.len(),
                self.settings.texts_per_second,
                Instant::now(),
            ) {
                self.count(why, "asked");
                asked.push(at);
            } else {
                self.count(why, "over_budget");
            }
        }
        let texts: Vec<ScoreInput<'_>> =
            asked.iter().flat_map(|&at| opinions[at].texts.iter().copied()).collect();
        if texts.is_empty() {
            return Ok(());
        }
        let scores = self.scorer.score(&texts)?;
        if scores.len() != texts.len() {
            return Err(ScorerFault::Broken {
                model: self.scorer.model().id.clone(),
                problem: format!("{} answers to {} texts", scores.len(), texts.len()),
            });
        }
        let mut scores = scores.into_iter();
        let mut cache = lock(&self.cache);
        for at in asked {
            let opinion = &mut opinions[at];
            let found: Vec<Distribution> = scores.by_ref().take(opinion.texts.len()).collect();
            for (text, score) in opinion.texts.iter().zip(&found) {
                cache.put(key(text), *score);
            }
            opinion.scores = found;
            opinion.second = true;
        }
        Ok(())
    }

    fn why(&self, opinion: &Opinion<'_>) -> Option<Why> {
        let text = opinion.texts.first()?;
        if certainty(opinion) < self.settings.below {
            Some(Why::Uncertain)
        } else if self.settings.reach > 0 && opinion.reach >= self.settings.reach {
            Some(Why::Reach)
        } else {
            // By the text, so that a replay picks the same ones.
            let place = (key(text) >> 11) as f64 / (1_u64 << 53) as f64;
            (place < f64::from(self.settings.sample)).then_some(Why::Sample)
        }
    }

    /// All scores of these texts, or nothing.
    fn remembered(&self, texts: &[ScoreInput<'_>]) -> Option<Vec<Distribution>> {
        let mut cache = lock(&self.cache);
        texts.iter().map(|text| cache.get(&key(text)).copied()).collect()
    }

    fn count(&self, why: Why, outcome: &str) {
        self.asked.with_label_values(&[why.as_str(), outcome]).inc();
    }
}

/// What the first tier gives the polarity that it says, for the text that it is least sure of.
fn certainty(opinion: &Opinion<'_>) -> f32 {
    let most = |d: &Distribution| d.negative.max(d.neutral).max(d.positive);
    opinion.scores.iter().map(most).fold(1.0, f32::min)
}

/// The same in every process.
fn key(input: &ScoreInput<'_>) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    (input.language, input.text).hash(&mut hasher);
    std::hash::Hasher::finish(&hasher)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Texts that may be asked about now: a bucket that fills at a rate and holds a second's worth.
struct Budget {
    left: f64,
    since: Instant,
}

impl Budget {
    fn take(&mut self, texts: usize, per_second: f64, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.since).as_secs_f64();
        self.since = now;
        self.left = (self.left + passed * per_second).min(per_second);
        let cost = texts as f64;
        // A mention of many brands may cost more than a second's worth; it waits for a full bucket.
        let enough = self.left >= cost.min(per_second);
        if enough {
            self.left -= cost;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use echolot_schemas::enriched::ModelRef;
    use prometheus::Opts;

    use super::*;
    use crate::model::model_ref;

    /// Says that everything is positive, and counts what it was asked.
    struct Second(ModelRef, AtomicUsize);

    impl Scorer for Second {
        fn model(&self) -> &ModelRef {
            &self.0
        }

        fn score(&self, texts: &[ScoreInput<'_>]) -> Result<Vec<Distribution>, ScorerFault> {
            self.1.fetch_add(texts.len(), Ordering::SeqCst);
            Ok(vec![surely(1.0); texts.len()])
        }
    }

    fn surely(positive: f32) -> Distribution {
        Distribution { negative: 0.0, neutral: 1.0 - positive, positive }
    }

    fn cascade(settings: CascadeSettings) -> (Cascade, Arc<Second>) {
        let second = Arc::new(Second(model_ref("second", "1", &[]), AtomicUsize::new(0)));
        let asked = IntCounterVec::new(Opts::new("asked", "asked"), &["why", "outcome"]).unwrap();
        (Cascade::new(second.clone(), settings, asked), second)
    }

    fn policy() -> CascadeSettings {
        CascadeSettings {
            scorer: "bert".to_owned(),
            below: 0.6,
            reach: 1000,
            sample: 0.0,
            texts_per_second: 100.0,
            cache_texts: 10,
        }
    }

    fn opinion(text: &str, positive: f32, reach: u64) -> Opinion<'_> {
        let texts = vec![ScoreInput { text, language: "de" }];
        Opinion { texts, reach, scores: vec![surely(positive)], second: false }
    }

    fn picked(cascade: &Cascade, opinions: &mut [Opinion<'_>]) -> Vec<bool> {
        cascade.reconsider(opinions).unwrap();
        opinions.iter().map(|opinion| opinion.second).collect()
    }

    #[test]
    fn the_uncertain_and_the_far_reaching_are_asked_about_and_no_other() {
        let (cascade, second) = cascade(policy());
        let mut opinions = [opinion("a", 0.55, 0), opinion("b", 0.9, 0), opinion("c", 0.9, 1000)];
        assert_eq!(picked(&cascade, &mut opinions), [true, false, true]);
        assert_eq!(opinions[0].scores, [surely(1.0)]);
        assert_eq!(opinions[1].scores, [surely(0.9)]);
        assert_eq!(second.1.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_text_that_was_asked_about_costs_nothing_again() {
        let (cascade, second) = cascade(policy());
        for _ in 0..3 {
            assert_eq!(picked(&cascade, &mut [opinion("a", 0.5, 0)]), [true]);
        }
        assert_eq!(second.1.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn past_the_budget_the_least_certain_come_first_and_the_rest_keep_their_scores() {
        let (cascade, _) = cascade(CascadeSettings { texts_per_second: 1.0, ..policy() });
        let mut opinions = [opinion("a", 0.58, 0), opinion("b", 0.51, 0), opinion("c", 0.55, 0)];
        assert_eq!(picked(&cascade, &mut opinions), [false, true, false]);
        assert_eq!(opinions[0].scores, [surely(0.58)]);
    }

    #[test]
    fn the_budget_fills_with_time_and_holds_a_second_of_it() {
        let start = Instant::now();
        let mut budget = Budget { left: 0.0, since: start };
        assert!(!budget.take(1, 10.0, start));
        assert!(budget.take(1, 10.0, start + Duration::from_millis(100)));
        let later = start + Duration::from_mins(1);
        assert!(budget.take(10, 10.0, later) && !budget.take(1, 10.0, later));
        assert!(
            budget.take(25, 10.0, later + Duration::from_secs(1)),
            "a large one waits, then goes"
        );
        assert!(!budget.take(1, 10.0, later + Duration::from_secs(2)), "and is paid for");
    }

    #[test]
    fn a_sample_is_the_same_in_every_run_and_of_its_share() {
        let sampled = CascadeSettings {
            sample: 0.1,
            reach: 0,
            texts_per_second: 100_000.0,
            cache_texts: 1,
            ..policy()
        };
        let texts: Vec<String> = (0..10_000).map(|n| format!("text {n}")).collect();
        let pick = || {
            let (cascade, _) = cascade(sampled.clone());
            let mut opinions: Vec<Opinion<'_>> =
                texts.iter().map(|text| opinion(text, 0.9, 0)).collect();
            picked(&cascade, &mut opinions)
        };
        let first = pick();
        assert_eq!(first, pick());
        let share = first.iter().filter(|second| **second).count();
        assert!((850..1150).contains(&share), "{share}");
    }

    #[test]
    fn a_mention_is_judged_by_one_model_with_all_of_its_parts() {
        let (cascade, second) = cascade(policy());
        let texts = ["whole", "part"].map(|text| ScoreInput { text, language: "de" }).to_vec();
        let scores = vec![surely(0.9), surely(0.5)];
        let mut opinions = [Opinion { texts, reach: 0, scores, second: false }];
        assert_eq!(picked(&cascade, &mut opinions), [true]);
        assert_eq!(opinions[0].scores, [surely(1.0); 2]);
        assert_eq!(second.1.load(Ordering::SeqCst), 2);
    }
}
