//! The stage: one verdict for each raw event, with the models on their own threads.

use std::{collections::HashMap, fmt, io, sync::Arc, time::Duration};

use echolot_pipeline::{
    brands::{BrandSet, LiveBrands, Pseudonymise},
    clock::Clock,
    stage::{Fault, Item, Stage, Verdict},
};
use echolot_schemas::{
    EnrichedEvent, Mention, RawEvent, Timestamp,
    enriched::{Enriched, Polarity, Retracted},
    raw::{Deleted, Observed},
};

use crate::{
    cascade::Cascade,
    judgement::{Finding, Judge},
    language::{self, DetectorFault, LanguageDetector},
    metrics::EnrichMetrics,
    pool::{Pool, PoolFault},
    sentiment::{self, CatalogueError, Scorer},
    settings::EnrichSettings,
};

/// Most items a thread judges at a time: small enough that threads finish together.
const CHUNK: usize = 256;

/// An enricher that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum EnricherError {
    /// The language detector.
    #[error("enrich.languages: {0}")]
    Detector(#[from] DetectorFault),
    /// The scorer.
    #[error("enrich.scorer: {0}")]
    Scorer(#[from] CatalogueError),
    /// The scorer of the second opinion.
    #[error("enrich.cascade.scorer: {0}")]
    Second(#[source] CatalogueError),
    /// The threads.
    #[error("enrich.threads: cannot start a thread: {0}")]
    Threads(#[from] io::Error),
}

/// The models of the stage.
pub struct Models {
    /// Detects the language.
    pub detector: Arc<dyn LanguageDetector>,
    /// Scores the sentiment of everything.
    pub scorer: Arc<dyn Scorer>,
    /// Is asked as `[enrich.cascade]` says.
    pub second: Option<Arc<dyn Scorer>>,
}

impl fmt::Debug for Models {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Models").field("scorer", self.scorer.model()).finish_non_exhaustive()
    }
}

impl Models {
    /// Those that the settings name.
    pub fn load(settings: &EnrichSettings) -> Result<Self, EnricherError> {
        let second = match settings.cascade.scorer.as_str() {
            "" => None,
            name => {
                let loaded = sentiment::scorer(name, settings);
                Some(loaded.map_err(EnricherError::Second)?)
            }
        };
        Ok(Self {
            detector: language::detector(settings)?,
            scorer: sentiment::scorer(&settings.scorer, settings)?,
            second,
        })
    }
}

/// Items, and the brands to look for in them.
type Chunk = (Arc<BrandSet>, Vec<Item<RawEvent>>);
type Verdicts = Vec<Verdict<EnrichedEvent>>;

/// The enrichment stage. It remembers nothing, so a change of partitions does not concern it.
/// A batch is matched by the brands that are present when it begins.
///
/// The batch is copied once: the models' threads may outlive a time-out, and what is emitted holds
/// the mention anyway.
pub struct Enricher {
    brands: LiveBrands,
    pool: Pool<Chunk, Result<Verdicts, Fault>>,
    threads: usize,
    timeout: Duration,
    metrics: EnrichMetrics,
}

impl fmt::Debug for Enricher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enricher").field("threads", &self.threads).finish_non_exhaustive()
    }
}

impl Enricher {
    /// An enricher with the models that the settings name.
    pub fn built_in(
        settings: &EnrichSettings,
        brands: LiveBrands,
        pseudonymise: Pseudonymise,
        metrics: EnrichMetrics,
        clock: Clock,
    ) -> Result<Self, EnricherError> {
        Ok(Self::new(settings, Models::load(settings)?, brands, pseudonymise, metrics, clock)?)
    }

    /// An enricher with any models.
    pub fn new(
        settings: &EnrichSettings,
        models: Models,
        brands: LiveBrands,
        pseudonymise: Pseudonymise,
        metrics: EnrichMetrics,
        clock: Clock,
    ) -> io::Result<Self> {
        let Models { detector, scorer, second } = models;
        let judge = Judge {
            detector,
            scorer,
            cascade: second.map(|second| {
                Cascade::new(second, settings.cascade.clone(), metrics.second.clone())
            }),
            pseudonymise,
            keep_unmatched: settings.keep_unmatched,
            metrics: metrics.clone(),
        };
        let pool = Pool::new("enrich-model", settings.threads, move |(brands, items): Chunk| {
            let findings = judge.judge(&brands, &items)?;
            let now = clock.now();
            let verdicts = items.into_iter().zip(findings);
            let verdicts: Verdicts =
                verdicts.map(|(item, finding)| verdict(item, finding, now)).collect();
            count(&judge.metrics, &verdicts);
            Ok(verdicts)
        })?;
        Ok(Self {
            brands,
            pool,
            threads: settings.threads,
            timeout: settings.score_timeout,
            metrics,
        })
    }
}

impl Stage for Enricher {
    type Input = RawEvent;
    type Output = EnrichedEvent;

    fn name(&self) -> &'static str {
        "enrich"
    }

    async fn judge(&mut self, batch: &[Item<RawEvent>]) -> Result<Verdicts, Fault> {
        let rows = batch.len().div_ceil(self.threads).clamp(1, CHUNK);
        let brands = self.brands.present();
        let chunks =
            batch.chunks(rows).map(|items| (Arc::clone(&brands), items.to_vec())).collect();
        let judged = self.pool.run(chunks, self.timeout).await.map_err(|fault| match fault {
            PoolFault::TimedOut(_) => {
                self.metrics.timeouts.inc();
                Fault::Transient(format!("enrich.score_timeout: the models were {fault}"))
            }
            PoolFault::Lost | PoolFault::Spawn(_) => Fault::Transient(format!("models: {fault}")),
            PoolFault::Hung(_) => Fault::Fatal(format!("models: {fault}")),
        })?;
        let mut verdicts = Vec::with_capacity(batch.len());
        for chunk in judged {
            verdicts.append(&mut chunk?);
        }
        Ok(verdicts)
    }
}

fn verdict(item: Item<RawEvent>, finding: Finding, now: Timestamp) -> Verdict<EnrichedEvent> {
    let raw = item.position;
    match (finding, item.event) {
        (Finding::Rejected(rejection), _) => Verdict::Reject(rejection),
        (_, RawEvent::Deleted(Deleted { id, source, observed_at })) => {
            Verdict::Emit(EnrichedEvent::Erased(Retracted { raw, observed_at, id, source }))
        }
        (Finding::Retracted, RawEvent::Observed(observed)) => {
            let Observed { observed_at, mention: Mention { id, source, .. } } = *observed;
            Verdict::Emit(EnrichedEvent::Unmatched(Retracted { raw, observed_at, id, source }))
        }
        (Finding::Enriched { language, sentiment, brands }, RawEvent::Observed(observed)) => {
            let Observed { observed_at, mention } = *observed;
            Verdict::Emit(EnrichedEvent::Enriched(Box::new(Enriched {
                raw,
                observed_at,
                enriched_at: now,
                mention,
                language,
                sentiment,
                brands,
            })))
        }
    }
}

/// Counts a chunk: its sums first, since looking a label up costs more than adding.
fn count(metrics: &EnrichMetrics, verdicts: &Verdicts) {
    let mut languages: HashMap<&str, u64> = HashMap::new();
    let mut mentions: HashMap<(&str, Polarity), u64> = HashMap::new();
    for verdict in verdicts {
        let Verdict::Emit(EnrichedEvent::Enriched(enriched)) = verdict else { continue };
        let polarity = enriched.sentiment.polarity;
        *languages.entry(&enriched.language.code).or_default() += 1;
        if enriched.brands.is_empty() {
            *mentions.entry(("", polarity)).or_default() += 1;
        }
        for brand in &enriched.brands {
            let polarity = enriched.sentiment_about(brand).polarity;
            *mentions.entry((&brand.brand, polarity)).or_default() += 1;
        }
    }
    for (language, sum) in languages {
        metrics.languages.with_label_values(&[language]).inc_by(sum);
    }
    for ((brand, polarity), sum) in mentions {
        metrics.mentions.with_label_values(&[brand, polarity.as_str()]).inc_by(sum);
    }
}
