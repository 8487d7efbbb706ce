//! What enrich writes to `mentions.enriched`: one event per raw event, on the same partition.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Mention, MentionId, SourceName, Timestamp};

/// Where the raw event stands in `mentions.raw`: the version of everything derived from it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct RawPosition {
    /// Partition of `mentions.raw`, and of every topic derived from it.
    pub partition: i32,
    /// Offset in that partition.
    pub offset: i64,
}

/// What enrichment says about one raw event.
#[derive(Clone, Debug, PartialEq)]
pub enum EnrichedEvent {
    /// `mention.enriched`: to be stored and counted.
    Enriched(Box<Enriched>),
    /// `mention.unmatched`: about no brand and not to be kept; takes back what was stored before.
    Unmatched(Retracted),
    /// `mention.erased`: deleted at its source, for ever.
    Erased(Retracted),
}

/// A mention with everything derived from it. Carries the mention itself, so that the sink reads
/// one topic and a projection can be rebuilt from it alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Enriched {
    /// The raw event it was derived from.
    pub raw: RawPosition,
    /// When ingest accepted that raw event.
    pub observed_at: Timestamp,
    /// When enrichment finished.
    pub enriched_at: Timestamp,
    /// The mention's state.
    pub mention: Mention,
    /// Detected language.
    pub language: Language,
    /// Sentiment of the whole text.
    pub sentiment: Sentiment,
    /// Brands it is about; may be empty.
    #[serde(default)]
    pub brands: Vec<BrandMatch>,
}

/// A mention that is not, or no longer, to be counted. No personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Retracted {
    /// The raw event that says so.
    pub raw: RawPosition,
    /// When ingest accepted that raw event.
    pub observed_at: Timestamp,
    /// Which mention.
    pub id: MentionId,
    /// Where it was.
    pub source: SourceName,
}

/// Which model gave a score: enough to give it again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ModelRef {
    /// What kind of model, such as `lexicon-de-en`.
    pub id: String,
    /// Its version.
    pub version: String,
    /// First 12 hex digits of the SHA-256 over its weights or word list.
    pub hash: String,
}

/// The detected language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Language {
    /// ISO 639-1 code, or `und` when unsure.
    pub code: String,
    /// 0 to 1.
    pub confidence: f32,
    /// Which detector said so.
    pub model: ModelRef,
}

/// How a text feels about its subject: the most probable of three classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Polarity {
    /// Complaint, anger, disappointment.
    Negative,
    /// Neither, or both in balance.
    Neutral,
    /// Praise, joy, thanks.
    Positive,
}

impl Polarity {
    /// Every polarity, from negative to positive.
    pub const ALL: [Self; 3] = [Self::Negative, Self::Neutral, Self::Positive];

    /// The name in tables, labels and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Negative => "negative",
            Self::Neutral => "neutral",
            Self::Positive => "positive",
        }
    }
}

/// A probability for each polarity; they add up to one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Distribution {
    /// Probability that it is negative.
    pub negative: f32,
    /// Probability that it is neutral.
    pub neutral: f32,
    /// Probability that it is positive.
    pub positive: f32,
}

impl Distribution {
    /// The most probable polarity; neutral wins a tie, so that nothing is claimed without reason.
    pub fn polarity(&self) -> Polarity {
        if self.negative > self.neutral && self.negative > self.positive {
            Polarity::Negative
        } else if self.positive > self.neutral && self.positive > self.negative {
            Polarity::Positive
        } else {
            Polarity::Neutral
        }
    }

    /// Positive minus negative probability, -1 to 1.
    pub fn net(&self) -> f32 {
        self.positive - self.negative
    }
}

/// The sentiment of a text and where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sentiment {
    /// The most probable class.
    pub polarity: Polarity,
    /// The whole distribution.
    pub distribution: Distribution,
    /// Which scorer said so.
    pub model: ModelRef,
}

/// A brand that a mention is about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BrandMatch {
    /// The brand's name.
    pub brand: String,
    /// Version of the brand's definition: first 12 hex digits of the SHA-256 over it.
    pub version: String,
    /// The group inside which its share of voice is compared; its own name where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// True when one of the brand's own accounts wrote the mention.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub owned: bool,
    /// The parts of the text that concern it, ordered and disjoint; none: all of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target: Vec<TextSpan>,
    /// Sentiment of those parts, by the model that scored the whole text; none: that of the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentiment: Option<TargetSentiment>,
}

/// A part of a mention's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct TextSpan {
    /// First byte, in UTF-8.
    pub start: u32,
    /// The byte behind the last.
    pub end: u32,
}

/// How a mention feels about one of its brands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TargetSentiment {
    /// The most probable class.
    pub polarity: Polarity,
    /// The whole distribution.
    pub distribution: Distribution,
}

impl BrandMatch {
    /// A brand that the whole of a mention is about, in no group.
    pub fn new(brand: impl Into<String>, version: impl Into<String>) -> Self {
        Self { brand: brand.into(), version: version.into(), ..Self::default() }
    }
}

impl Enriched {
    /// How the mention feels about one of its brands: its own sentiment where it was scored apart.
    pub fn sentiment_about(&self, brand: &BrandMatch) -> TargetSentiment {
        let Sentiment { polarity, distribution, .. } = self.sentiment;
        brand.sentiment.unwrap_or(TargetSentiment { polarity, distribution })
    }
}

impl EnrichedEvent {
    /// The raw event it was derived from.
    pub fn raw(&self) -> RawPosition {
        match self {
            Self::Enriched(enriched) => enriched.raw,
            Self::Unmatched(retracted) | Self::Erased(retracted) => retracted.raw,
        }
    }

    /// Which mention the event is about.
    pub fn mention_id(&self) -> MentionId {
        match self {
            Self::Enriched(enriched) => enriched.mention.id,
            Self::Unmatched(retracted) | Self::Erased(retracted) => retracted.id,
        }
    }

    /// When ingest accepted the raw event.
    pub fn observed_at(&self) -> Timestamp {
        match self {
            Self::Enriched(enriched) => enriched.observed_at,
            Self::Unmatched(retracted) | Self::Erased(retracted) => retracted.observed_at,
        }
    }

    /// Which source the mention comes from.
    pub fn source(&self) -> &SourceName {
        match self {
            Self::Enriched(enriched) => &enriched.mention.source,
            Self::Unmatched(retracted) | Self::Erased(retracted) => &retracted.source,
        }
    }
}
