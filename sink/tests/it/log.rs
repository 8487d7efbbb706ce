//! Events as enrich would write them.

use echolot_pipeline::stage::Item;
use echolot_schemas::{
    EnrichedEvent, Mention, MentionId, RawPosition, SourceName, Timestamp,
    enriched::{
        BrandMatch, Distribution, Enriched, Language, ModelRef, Polarity, Retracted, Sentiment,
    },
    mention::{Author, Engagement},
};

/// 2026-06-01T12:00:00Z.
pub(crate) const NOON: i64 = 1_780_315_200_000;

pub(crate) fn source() -> SourceName {
    SourceName::new("forum").unwrap()
}

pub(crate) fn id(native_id: &str) -> MentionId {
    MentionId::derive(&source(), native_id)
}

/// An enriched mention; its fields may be changed before it becomes an item.
pub(crate) fn enriched(native_id: &str) -> Enriched {
    let model = |id: &str| ModelRef {
        id: id.to_owned(),
        version: "1".to_owned(),
        hash: "0123456789ab".to_owned(),
    };
    Enriched {
        raw: RawPosition { partition: 0, offset: 0 },
        observed_at: Timestamp::from_millis(NOON),
        enriched_at: Timestamp::from_millis(NOON + 5),
        mention: Mention {
            id: id(native_id),
            source: source(),
            native_id: native_id.to_owned(),
            text: format!("Die neue Lampe ist da: {native_id}"),
            title: None,
            url: Some("https://forum.example/t/1".to_owned()),
            published_at: Timestamp::from_millis(NOON),
            edited_at: None,
            declared_language: None,
            author: Some(Author { pseudonym: "ab".repeat(16), handle: None }),
            parent_id: None,
            thread_id: Some(id("thread")),
            engagement: Engagement { likes: Some(3), reach: None, ..Engagement::default() },
            tags: vec!["lampe".to_owned()],
            country: None,
            rating: None,
            internal: false,
        },
        language: Language { code: "de".to_owned(), confidence: 0.9, model: model("whichlang") },
        sentiment: sentiment(Polarity::Neutral),
        brands: Vec::new(),
    }
}

pub(crate) fn sentiment(polarity: Polarity) -> Sentiment {
    let share = |of| if of == polarity { 0.8 } else { 0.1 };
    Sentiment {
        polarity,
        distribution: Distribution {
            negative: share(Polarity::Negative),
            neutral: share(Polarity::Neutral),
            positive: share(Polarity::Positive),
        },
        model: ModelRef {
            id: "lexicon-de-en".to_owned(),
            version: "1".to_owned(),
            hash: "ba9876543210".to_owned(),
        },
    }
}

pub(crate) fn brand(name: &str) -> BrandMatch {
    BrandMatch::new(name, "c0ffee")
}

pub(crate) fn retracted(native_id: &str, observed_at: i64) -> Retracted {
    Retracted {
        raw: RawPosition { partition: 0, offset: 0 },
        observed_at: Timestamp::from_millis(observed_at),
        id: id(native_id),
        source: source(),
    }
}

pub(crate) fn live(enriched: Enriched) -> EnrichedEvent {
    EnrichedEvent::Enriched(Box::new(enriched))
}

pub(crate) fn erased(native_id: &str) -> EnrichedEvent {
    EnrichedEvent::Erased(retracted(native_id, NOON + 60_000))
}

pub(crate) fn unmatched(native_id: &str) -> EnrichedEvent {
    EnrichedEvent::Unmatched(retracted(native_id, NOON + 60_000))
}

/// Puts an event at a raw position.
pub(crate) fn at(partition: i32, offset: i64, mut event: EnrichedEvent) -> Item<EnrichedEvent> {
    let raw = RawPosition { partition, offset };
    match &mut event {
        EnrichedEvent::Enriched(enriched) => enriched.raw = raw,
        EnrichedEvent::Unmatched(retracted) | EnrichedEvent::Erased(retracted) => {
            retracted.raw = raw;
        }
    }
    Item { event, position: raw }
}

/// The events as one partition's log from offset 0.
pub(crate) fn log_of(
    partition: i32,
    events: impl IntoIterator<Item = EnrichedEvent>,
) -> Vec<Item<EnrichedEvent>> {
    (0..).zip(events).map(|(offset, event)| at(partition, offset, event)).collect()
}
