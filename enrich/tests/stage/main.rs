//! The stage as the runtime sees it: batches in, one verdict an item out.

#![expect(clippy::unwrap_used, reason = "a test may fail here")]

mod failing_models;
mod reloading;
mod second_opinion;
mod verdicts;

use std::sync::Arc;

use echolot_brands::BrandBook;
use echolot_enrich::{
    EnrichMetrics, EnrichSettings, Enricher, Models,
    language::HintedWhichlang,
    sentiment::{Scorer, lexicon::LexiconScorer},
};
use echolot_pipeline::{
    brands::{BrandSet, LiveBrands, Pseudonymise},
    clock::Clock,
    stage::Item,
};
use echolot_schemas::{
    Mention, MentionId, RawEvent, RawPosition, SourceName, Timestamp, mention::Engagement,
    raw::Observed,
};
use prometheus::Registry;
use serde::Deserialize;

const OBSERVED: Timestamp = Timestamp::from_millis(1_780_000_000_000);
const NOW: Timestamp = Timestamp::from_millis(1_780_000_001_000);
const BRANDS: &str = r#"
    [[brand]]
    name = "Tramio"
    query = "tramio"
"#;

#[derive(Deserialize)]
struct Shipped {
    enrich: EnrichSettings,
}

fn settings() -> EnrichSettings {
    toml::from_str::<Shipped>(include_str!("../../default.toml")).unwrap().enrich
}

fn enricher(settings: &EnrichSettings, scorer: Arc<dyn Scorer>) -> Enricher {
    with_second(settings, scorer, None)
}

fn with_second(
    settings: &EnrichSettings,
    scorer: Arc<dyn Scorer>,
    second: Option<Arc<dyn Scorer>>,
) -> Enricher {
    let detector = HintedWhichlang::new(&settings.languages, settings.language_confidence).unwrap();
    let metrics = EnrichMetrics::new(&Registry::new()).unwrap();
    let clock = Clock::stopped_at(NOW);
    let pseudonymise = Pseudonymise::new(|source, handle| format!("{source}/{handle}"));
    let (detector, brands) = (Arc::new(detector), live(BRANDS));
    let models = Models { detector, scorer, second };
    Enricher::new(settings, models, brands, pseudonymise, metrics, clock).unwrap()
}

fn live(file: &str) -> LiveBrands {
    let book = BrandBook::from_files([("brands.toml", file)]).unwrap();
    LiveBrands::new(BrandSet::compile(book).unwrap())
}

fn built_in(settings: &EnrichSettings) -> Enricher {
    enricher(settings, Arc::new(LexiconScorer::new().unwrap()))
}

fn mention(native_id: &str, text: &str) -> Mention {
    let source = SourceName::new("forum").unwrap();
    Mention {
        id: MentionId::derive(&source, native_id),
        source,
        native_id: native_id.to_owned(),
        text: text.to_owned(),
        title: None,
        url: None,
        published_at: OBSERVED,
        edited_at: None,
        declared_language: None,
        author: None,
        parent_id: None,
        thread_id: None,
        engagement: Engagement::default(),
        tags: Vec::new(),
        country: None,
        rating: None,
        internal: false,
    }
}

fn observed(mention: Mention, offset: i64) -> Item<RawEvent> {
    Item {
        event: RawEvent::Observed(Box::new(Observed { observed_at: OBSERVED, mention })),
        position: RawPosition { partition: 3, offset },
    }
}

fn batch(texts: &[&str]) -> Vec<Item<RawEvent>> {
    texts.iter().zip(0..).map(|(text, at)| observed(mention(&format!("p{at}"), text), at)).collect()
}
