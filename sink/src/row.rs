//! A mention as a row of the table `mentions`.

use clickhouse::Row;
use echolot_schemas::{
    EnrichedEvent,
    enriched::{Distribution, Enriched, Polarity, Retracted},
};
use serde::Serialize;
use uuid::Uuid;

use crate::{fold::Change, noise::NoiseColumns};

/// The column `state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i8)]
pub enum State {
    /// Counted.
    Live = 0,
    /// About no brand any more; may come back.
    Unmatched = 1,
    /// Deleted at its source, for ever.
    Erased = 2,
}

impl State {
    /// The state of that number in the column.
    pub(crate) const fn from_number(number: i8) -> Option<Self> {
        match number {
            0 => Some(Self::Live),
            1 => Some(Self::Unmatched),
            2 => Some(Self::Erased),
            _ => None,
        }
    }
}

/// Field names are column names. Times are milliseconds since 1970.
#[derive(Row, Serialize)]
pub(crate) struct MentionRow<'a> {
    #[serde(with = "clickhouse::serde::uuid")]
    id: Uuid,
    published_at: i64,
    source: &'a str,
    native_id: &'a str,
    text: &'a str,
    title: &'a str,
    url: &'a str,
    edited_at: Option<i64>,
    observed_at: i64,
    enriched_at: i64,
    declared_language: &'a str,
    language: &'a str,
    language_confidence: f32,
    language_model: &'a str,
    language_model_version: &'a str,
    language_model_hash: &'a str,
    polarity: i8,
    negative: f32,
    neutral: f32,
    positive: f32,
    sentiment_model: &'a str,
    sentiment_model_version: &'a str,
    sentiment_model_hash: &'a str,
    brands: Vec<&'a str>,
    brand_versions: Vec<&'a str>,
    brand_groups: Vec<&'a str>,
    brand_owned: Vec<bool>,
    brand_targets: Vec<Vec<(u32, u32)>>,
    brand_polarity: Vec<i8>,
    brand_negative: Vec<f32>,
    brand_neutral: Vec<f32>,
    brand_positive: Vec<f32>,
    author: &'a str,
    author_handle: &'a str,
    #[serde(with = "clickhouse::serde::uuid::option")]
    parent_id: Option<Uuid>,
    #[serde(with = "clickhouse::serde::uuid::option")]
    thread_id: Option<Uuid>,
    likes: Option<u64>,
    replies: Option<u64>,
    shares: Option<u64>,
    reach: Option<u64>,
    tags: &'a [String],
    country: &'a str,
    rating: u8,
    internal: bool,
    text_hash: u64,
    text_group: u64,
    repost: bool,
    spam: f32,
    spam_reasons: Vec<&'static str>,
    raw_partition: u16,
    raw_offset: u64,
    state: i8,
}

impl<'a> MentionRow<'a> {
    /// The state that `event` leaves its mention in, at the place that `change` gives it.
    ///
    /// `None` for a raw position out of range, which the fold has refused before.
    pub(crate) fn of(
        event: &'a EnrichedEvent,
        change: &Change,
        noise: NoiseColumns,
    ) -> Option<Self> {
        let raw_partition = u16::try_from(event.raw().partition).ok()?;
        let raw_offset = u64::try_from(change.raw_offset).ok()?;
        let row = match event {
            EnrichedEvent::Enriched(enriched) => Self::live(enriched),
            EnrichedEvent::Unmatched(retracted) => Self::gone(retracted, State::Unmatched),
            EnrichedEvent::Erased(retracted) => Self::gone(retracted, State::Erased),
        };
        let published_at = change.published_at.as_millis();
        let NoiseColumns { text_hash, text_group, repost, spam, spam_reasons } = noise;
        Some(Self {
            published_at,
            text_hash,
            text_group,
            repost,
            spam,
            spam_reasons,
            raw_partition,
            raw_offset,
            ..row
        })
    }

    fn live(enriched: &'a Enriched) -> Self {
        let Enriched { mention, language, sentiment, brands, .. } = enriched;
        let (author, author_handle) = mention.author.as_ref().map_or(("", ""), |author| {
            (author.pseudonym.as_str(), author.handle.as_deref().unwrap_or_default())
        });
        let about: Vec<_> = brands.iter().map(|brand| enriched.sentiment_about(brand)).collect();
        let shares = |share: fn(&Distribution) -> f32| {
            about.iter().map(|about| share(&about.distribution)).collect()
        };
        Self {
            id: *mention.id.as_uuid(),
            published_at: mention.published_at.as_millis(),
            source: mention.source.as_str(),
            native_id: &mention.native_id,
            text: &mention.text,
            title: mention.title.as_deref().unwrap_or_default(),
            url: mention.url.as_deref().unwrap_or_default(),
            edited_at: mention.edited_at.map(echolot_schemas::Timestamp::as_millis),
            observed_at: enriched.observed_at.as_millis(),
            enriched_at: enriched.enriched_at.as_millis(),
            declared_language: mention.declared_language.as_deref().unwrap_or_default(),
            language: &language.code,
            language_confidence: language.confidence,
            language_model: &language.model.id,
            language_model_version: &language.model.version,
            language_model_hash: &language.model.hash,
            polarity: number(sentiment.polarity),
            negative: sentiment.distribution.negative,
            neutral: sentiment.distribution.neutral,
            positive: sentiment.distribution.positive,
            sentiment_model: &sentiment.model.id,
            sentiment_model_version: &sentiment.model.version,
            sentiment_model_hash: &sentiment.model.hash,
            brands: brands.iter().map(|matched| matched.brand.as_str()).collect(),
            brand_versions: brands.iter().map(|matched| matched.version.as_str()).collect(),
            brand_groups: brands
                .iter()
                .map(|matched| matched.group.as_deref().unwrap_or(&matched.brand))
                .collect(),
            brand_owned: brands.iter().map(|matched| matched.owned).collect(),
            brand_targets: brands
                .iter()
                .map(|matched| matched.target.iter().map(|span| (span.start, span.end)).collect())
                .collect(),
            brand_polarity: about.iter().map(|about| number(about.polarity)).collect(),
            brand_negative: shares(|distribution| distribution.negative),
            brand_neutral: shares(|distribution| distribution.neutral),
            brand_positive: shares(|distribution| distribution.positive),
            author,
            author_handle,
            parent_id: mention.parent_id.map(|id| *id.as_uuid()),
            thread_id: mention.thread_id.map(|id| *id.as_uuid()),
            likes: mention.engagement.likes,
            replies: mention.engagement.replies,
            shares: mention.engagement.shares,
            reach: mention.engagement.reach,
            tags: &mention.tags,
            country: mention.country.as_deref().unwrap_or_default(),
            rating: mention.rating.unwrap_or_default(),
            internal: mention.internal,
            text_hash: 0,
            text_group: 0,
            repost: false,
            spam: 0.0,
            spam_reasons: Vec::new(),
            raw_partition: 0,
            raw_offset: 0,
            state: State::Live as i8,
        }
    }

    /// Nothing personal stays: not the text, not the author, not even the native id.
    fn gone(retracted: &'a Retracted, state: State) -> Self {
        Self {
            id: *retracted.id.as_uuid(),
            published_at: 0,
            source: retracted.source.as_str(),
            native_id: "",
            text: "",
            title: "",
            url: "",
            edited_at: None,
            observed_at: retracted.observed_at.as_millis(),
            enriched_at: retracted.observed_at.as_millis(),
            declared_language: "",
            language: "",
            language_confidence: 0.0,
            language_model: "",
            language_model_version: "",
            language_model_hash: "",
            polarity: 0,
            negative: 0.0,
            neutral: 0.0,
            positive: 0.0,
            sentiment_model: "",
            sentiment_model_version: "",
            sentiment_model_hash: "",
            brands: Vec::new(),
            brand_versions: Vec::new(),
            brand_groups: Vec::new(),
            brand_owned: Vec::new(),
            brand_targets: Vec::new(),
            brand_polarity: Vec::new(),
            brand_negative: Vec::new(),
            brand_neutral: Vec::new(),
            brand_positive: Vec::new(),
            author: "",
            author_handle: "",
            parent_id: None,
            thread_id: None,
            likes: None,
            replies: None,
            shares: None,
            reach: None,
            tags: &[],
            country: "",
            rating: 0,
            internal: false,
            text_hash: 0,
            text_group: 0,
            repost: false,
            spam: 0.0,
            spam_reasons: Vec::new(),
            raw_partition: 0,
            raw_offset: 0,
            state: state as i8,
        }
    }
}

/// The polarity's number in the column's type.
const fn number(polarity: Polarity) -> i8 {
    match polarity {
        Polarity::Negative => -1,
        Polarity::Neutral => 0,
        Polarity::Positive => 1,
    }
}
