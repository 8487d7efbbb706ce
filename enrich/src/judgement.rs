//! What enrichment finds out about a chunk of events, without a clock or a thread.

use std::{borrow::Cow, cell::Cell, panic, sync::Arc, time::Instant};

use echolot_brands::Scratch;
use echolot_pipeline::{
    brands::{BrandSet, Pseudonymise, seen},
    stage::{Fault, Item, Rejection},
};
use echolot_schemas::{
    Mention, MentionId, RawEvent,
    dead_letter::Reason,
    enriched::{BrandMatch, Distribution, Language, ModelRef, Sentiment, TargetSentiment},
    raw::Observed,
};

use crate::{
    cascade::{Cascade, Opinion},
    language::{DetectInput, Detected, LanguageDetector},
    metrics::{EnrichMetrics, Step},
    sentiment::{ScoreInput, Scorer, ScorerFault},
    text::normalise,
};

/// What is to become of one event.
pub(crate) enum Finding {
    /// Nothing to store: deleted at its source, or about no brand while such are not kept.
    Retracted,
    /// To be stored.
    Enriched { language: Language, sentiment: Sentiment, brands: Vec<BrandMatch> },
    /// Not to be processed.
    Rejected(Rejection),
}

/// The models, and what is asked of them.
pub(crate) struct Judge {
    pub(crate) detector: Arc<dyn LanguageDetector>,
    pub(crate) scorer: Arc<dyn Scorer>,
    pub(crate) cascade: Option<Cascade>,
    pub(crate) pseudonymise: Pseudonymise,
    pub(crate) keep_unmatched: bool,
    pub(crate) metrics: EnrichMetrics,
}

/// A mention on its way through the steps.
struct Open {
    at: usize,
    text: String,
    language: Detected,
    reach: u64,
    brands: Vec<BrandMatch>,
    /// Texts to be scored apart: the index of a brand, and what concerns it.
    targets: Vec<(usize, String)>,
}

impl Open {
    /// The whole text, then the targets.
    fn texts(&self) -> Vec<ScoreInput<'_>> {
        let parts = self.targets.iter().map(|(_, text)| text);
        let texts = std::iter::once(&self.text).chain(parts);
        texts.map(|text| ScoreInput { text, language: self.language.code }).collect()
    }
}

impl Judge {
    /// One finding for each item, in order. A panic rejects the item it is about and no other.
    pub(crate) fn judge(
        &self,
        brands: &BrandSet,
        items: &[Item<RawEvent>],
    ) -> Result<Vec<Finding>, Fault> {
        match self.guarded(brands, items) {
            Ok(findings) => findings,
            // One of them brings a model down: the others are judged without it.
            Err(_) if items.len() > 1 => {
                let mut findings = Vec::with_capacity(items.len());
                for item in items {
                    findings.append(&mut self.judge(brands, std::slice::from_ref(item))?);
                }
                Ok(findings)
            }
            Err(step) => {
                self.metrics.panics.with_label_values(&[step.as_str()]).inc();
                Ok(items.iter().map(|item| Finding::Rejected(self.culprit(item, step))).collect())
            }
        }
    }

    /// The findings, or the step that panicked.
    fn guarded(
        &self,
        brands: &BrandSet,
        items: &[Item<RawEvent>],
    ) -> Result<Result<Vec<Finding>, Fault>, Step> {
        let step = Cell::new(Step::Validate);
        let steps = panic::AssertUnwindSafe(|| self.steps(brands, items, &step));
        panic::catch_unwind(steps).map_err(|_| step.get())
    }

    /// The panic's own message may quote the mention, so it is not repeated.
    fn culprit(&self, item: &Item<RawEvent>, step: Step) -> Rejection {
        let position = item.position;
        let model = match step {
            Step::Language => self.detector.model(),
            Step::Sentiment => self.scorer.model(),
            Step::SecondOpinion => self
                .cascade
                .as_ref()
                .map_or(self.scorer.model(), |cascade| cascade.scorer().model()),
            Step::Validate | Step::Brands | Step::Normalise => {
                return unprocessable(format!(
                    "step {} panicked on the event at {}/{}; retry it after an upgrade",
                    step.as_str(),
                    position.partition,
                    position.offset
                ));
            }
        };
        unprocessable(format!(
            "{} model {} {} ({}) panicked on the event at {}/{}; retry it with another model",
            step.as_str(),
            model.id,
            model.version,
            model.hash,
            position.partition,
            position.offset
        ))
    }

    fn steps(
        &self,
        brands: &BrandSet,
        items: &[Item<RawEvent>],
        step: &Cell<Step>,
    ) -> Result<Vec<Finding>, Fault> {
        let mut clock = StepClock { metrics: &self.metrics, step, since: Instant::now() };
        let mut findings: Vec<Option<Finding>> = items.iter().map(first_look).collect();

        clock.enter(Step::Normalise);
        let (places, mentions): (Vec<usize>, Vec<&Mention>) = findings
            .iter()
            .zip(items)
            .enumerate()
            .filter_map(|(at, (finding, item))| match (finding, &item.event) {
                (None, RawEvent::Observed(observed)) => Some((at, &observed.mention)),
                _ => None,
            })
            .unzip();
        let texts: Vec<String> =
            mentions.iter().map(|mention| normalise(&whole(mention))).collect();
        clock.enter(Step::Language);
        let languages = self.languages(&mentions, &texts)?;

        // Queries ask for languages, so brands come after them.
        clock.enter(Step::Brands);
        let mut scratch = Scratch::default();
        let mut open = Vec::with_capacity(mentions.len());
        for (((at, mention), text), language) in
            places.into_iter().zip(mentions).zip(texts).zip(languages)
        {
            let own = brands.wrote(mention, &self.pseudonymise);
            let brands = brands.find(&seen(mention, language.code), &own, &mut scratch);
            if brands.is_empty() && !self.keep_unmatched {
                findings[at] = Some(Finding::Retracted);
            } else {
                let targets = targets(mention, &brands);
                let reach = mention.engagement.reach.unwrap_or(0);
                open.push(Open { at, text, language, reach, brands, targets });
            }
        }

        clock.enter(Step::Sentiment);
        let mut opinions = self.opinions(&open)?;
        if let Some(cascade) = &self.cascade {
            clock.enter(Step::SecondOpinion);
            cascade.reconsider(&mut opinions).map_err(|error| fault(&error))?;
        }
        clock.leave();

        let scores: Vec<_> =
            opinions.into_iter().map(|found| (found.second, found.scores)).collect();
        for (open, (second, scores)) in open.into_iter().zip(scores) {
            let second = self.cascade.as_ref().filter(|_| second);
            let model = second.map_or(self.scorer.model(), |cascade| cascade.scorer().model());
            let at = open.at;
            findings[at] = Some(self.finding(open, model, &scores));
        }
        // Every place was filled: rejected or retracted above, or open and filled here.
        Ok(findings.into_iter().flatten().collect())
    }

    fn languages(&self, mentions: &[&Mention], texts: &[String]) -> Result<Vec<Detected>, Fault> {
        let inputs: Vec<DetectInput<'_>> = mentions
            .iter()
            .zip(texts)
            .map(|(mention, text)| DetectInput { text, hint: mention.declared_language.as_deref() })
            .collect();
        let languages = self.detector.detect(&inputs);
        complete(&self.detector.model().id, inputs.len(), languages)
    }

    /// Of every mention what the first scorer says of its whole text and of its targets.
    fn opinions<'a>(&self, open: &'a [Open]) -> Result<Vec<Opinion<'a>>, Fault> {
        let inputs: Vec<ScoreInput<'_>> = open.iter().flat_map(Open::texts).collect();
        let scores = self.scorer.score(&inputs).map_err(|error| fault(&error))?;
        self.metrics.scored.inc_by(inputs.len() as u64);
        let scores = complete(&self.scorer.model().id, inputs.len(), scores)?;
        let mut scores = scores.into_iter();
        let opinion = |open: &'a Open| {
            let texts = open.texts();
            let scores = scores.by_ref().take(texts.len()).collect();
            Opinion { texts, reach: open.reach, scores, second: false }
        };
        Ok(open.iter().map(opinion).collect())
    }

    /// `scores` are what `model` says of the whole text and of each target.
    fn finding(&self, open: Open, model: &ModelRef, scores: &[Distribution]) -> Finding {
        let Open { language, mut brands, targets, .. } = open;
        let bad = scores.iter().find(|score| !is_distribution(score));
        let (Some(&distribution), None) = (scores.first(), bad) else {
            return Finding::Rejected(unprocessable(format!(
                "sentiment model {} answered {bad:?}, which are no probabilities; retry it with \
                 another model",
                model.id
            )));
        };
        for ((index, _), &distribution) in targets.iter().zip(scores.iter().skip(1)) {
            let polarity = distribution.polarity();
            brands[*index].sentiment = Some(TargetSentiment { polarity, distribution });
        }
        let language = Language {
            code: language.code.to_owned(),
            confidence: language.confidence,
            model: self.detector.model().clone(),
        };
        let sentiment =
            Sentiment { polarity: distribution.polarity(), distribution, model: model.clone() };
        Finding::Enriched { language, sentiment, brands }
    }
}

/// What concerns each brand, where that is not the whole text, normalised as the whole is.
fn targets(mention: &Mention, brands: &[BrandMatch]) -> Vec<(usize, String)> {
    let text = |brand: &BrandMatch| {
        let parts = brand.target.iter().filter_map(|span| {
            mention.text.get(span.start as usize..span.end as usize).map(str::trim)
        });
        parts.collect::<Vec<_>>().join(" ")
    };
    let apart = brands.iter().enumerate().filter(|(_, brand)| !brand.target.is_empty());
    apart.map(|(index, brand)| (index, normalise(&text(brand)))).collect()
}

/// What can be said without a model.
fn first_look(item: &Item<RawEvent>) -> Option<Finding> {
    match &item.event {
        RawEvent::Deleted(_) => Some(Finding::Retracted),
        RawEvent::Observed(observed) => refused(observed).map(Finding::Rejected),
    }
}

/// Ingest checks the same; but a topic is written by whoever may write to it.
fn refused(observed: &Observed) -> Option<Rejection> {
    let Observed { observed_at, mention } = observed;
    let invalid = |detail| Rejection { reason: Reason::Invalid, detail };
    if let Err(error) = mention.validate(*observed_at) {
        return Some(invalid(error.to_string()));
    }
    let derived = MentionId::derive(&mention.source, &mention.native_id);
    (derived != mention.id).then(|| {
        invalid(format!(
            "id: is {}, but source and native_id make it {derived}; write it through ingest",
            mention.id
        ))
    })
}

/// A headline is read as the text's first line.
fn whole(mention: &Mention) -> Cow<'_, str> {
    match &mention.title {
        Some(title) => format!("{title}\n{}", mention.text).into(),
        None => mention.text.as_str().into(),
    }
}

fn fault(fault: &ScorerFault) -> Fault {
    match fault {
        ScorerFault::Unavailable { .. } => Fault::Transient(fault.to_string()),
        ScorerFault::Broken { .. } => Fault::Fatal(fault.to_string()),
    }
}

fn complete<T>(model: &str, asked: usize, answers: Vec<T>) -> Result<Vec<T>, Fault> {
    if answers.len() == asked {
        Ok(answers)
    } else {
        Err(Fault::Fatal(format!(
            "model {model} gave {} answers to {asked} texts; use another model",
            answers.len()
        )))
    }
}

fn is_distribution(distribution: &Distribution) -> bool {
    let Distribution { negative, neutral, positive } = *distribution;
    // A not-a-number fails every comparison.
    [negative, neutral, positive].iter().all(|share| (0.0..=1.0).contains(share))
        && (negative + neutral + positive - 1.0).abs() < 1e-3
}

fn unprocessable(detail: String) -> Rejection {
    Rejection { reason: Reason::Unprocessable, detail }
}

/// Knows which step is at work, and how long each took.
struct StepClock<'a> {
    metrics: &'a EnrichMetrics,
    step: &'a Cell<Step>,
    since: Instant,
}

impl StepClock<'_> {
    fn enter(&mut self, next: Step) {
        self.leave();
        self.step.set(next);
    }

    fn leave(&mut self) {
        let now = Instant::now();
        let seconds = now.duration_since(self.since).as_secs_f64();
        self.metrics.seconds.with_label_values(&[self.step.get().as_str()]).observe(seconds);
        self.since = now;
    }
}
