//! One mention, explained: what every score on it comes from.

use axum::{
    Json,
    extract::{Path, State},
};
use clickhouse::Row;
use echolot_brands::{post::Post, text::tokens::Place};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::mentions::{Sentiment, link};
use crate::{
    error::{ApiError, Failure},
    period::written,
    server::Shared,
    words::{self, Span},
};

/// A mention and where everything told of it comes from.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Explained {
    id: String,
    published_at: String,
    source: String,
    native_id: String,
    url: String,
    title: String,
    text: String,
    author: String,
    tags: Vec<String>,
    sentiment: Sentiment,
    /// Id, version and first 12 hex digits of the SHA-256 of the weights.
    sentiment_model: Vec<String>,
    language: String,
    language_confidence: f32,
    /// The same of the language detector.
    language_model: Vec<String>,
    brands: Vec<Brand>,
    /// Partition and offset of the event on the log.
    raw_partition: u16,
    raw_offset: u64,
    observed_at: String,
    enriched_at: String,
    stored_at: String,
}

/// One brand that the mention is about.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Brand {
    brand: String,
    /// Version of the definition that matched.
    version: String,
    sentiment: Sentiment,
    /// The part of the text that concerns the brand.
    target: String,
    owned: bool,
    /// Where the words that matched stand in `text`, by the present definition: pairs of UTF-16 code
    /// units, end excluded. Empty when what matched is no word of the text.
    #[schema(value_type = Vec<Vec<u32>>)]
    spans: Vec<Span>,
    /// The terms of the present definition that count, such as `tag:tramio*`.
    terms: Vec<String>,
}

#[derive(Row, Deserialize)]
struct Found {
    published: i64,
    source: String,
    native_id: String,
    url: String,
    title: String,
    text: String,
    author: String,
    tags: Vec<String>,
    polarity: String,
    negative: f32,
    neutral: f32,
    positive: f32,
    sentiment_model: Vec<String>,
    language: String,
    language_confidence: f32,
    language_model: Vec<String>,
    raw_partition: u16,
    raw_offset: u64,
    observed: i64,
    enriched: i64,
    stored: i64,
}

#[derive(Row, Deserialize)]
struct OfBrand {
    brand: String,
    version: String,
    owned: bool,
    polarity: String,
    negative: f32,
    neutral: f32,
    positive: f32,
    target: String,
}

const MENTION: &str = "SELECT toUnixTimestamp64Milli(m.published_at) AS published, m.source AS source, \
    m.native_id AS native_id, m.url AS url, m.title AS title, m.text AS text, m.author AS author, \
    m.tags AS tags, toString(m.polarity) AS polarity, m.negative AS negative, m.neutral AS neutral, \
    m.positive AS positive, [p.sentiment_model::String, p.sentiment_model_version::String, \
    p.sentiment_model_hash::String] AS sentiment_model, m.language AS language, \
    m.language_confidence AS language_confidence, [p.language_model::String, \
    p.language_model_version::String, p.language_model_hash::String] AS language_model, \
    p.raw_partition AS raw_partition, p.raw_offset AS raw_offset, \
    toUnixTimestamp64Milli(p.observed_at) AS observed, toUnixTimestamp64Milli(p.enriched_at) AS enriched, \
    toUnixTimestamp64Milli(p.stored_at) AS stored \
    FROM (SELECT * FROM mentions WHERE id = {id:UUID}) AS m \
    INNER JOIN (SELECT * FROM score_provenance WHERE id = {id:UUID}) AS p ON p.id = m.id LIMIT 1";

const BRANDS: &str = "SELECT brand, brand_version AS version, owned, toString(polarity) AS polarity, \
    negative, neutral, positive, target FROM mentions_by_brand WHERE id = {id:UUID} \
    ORDER BY brand LIMIT 100";

/// One mention, explained.
#[utoipa::path(get, path = "/mentions/{id}", params(("id" = String, Path, description = "Mention id")),
    responses((status = 200, body = Explained), (status = 400, body = Failure),
        (status = 404, body = Failure), (status = 503, body = Failure)))]
pub(crate) async fn mention(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Explained>, ApiError> {
    let id: Uuid = id.parse().map_err(|_| ApiError::parameter("id", "must be a mention id"))?;
    let id = id.to_string();
    let (found, brands) = tokio::try_join!(
        shared.reader.ask::<Found>(MENTION, |query| query.param("id", &id)),
        shared.reader.ask::<OfBrand>(BRANDS, |query| query.param("id", &id)),
    )?;
    let found = found.into_iter().next().ok_or(ApiError::Missing("mention with this id"))?;
    let brands = brands.into_iter().map(|brand| explained(&shared, &found, brand)).collect();
    Ok(Json(Explained {
        id,
        published_at: written(found.published),
        sentiment: Sentiment::new(found.polarity, [found.negative, found.neutral, found.positive]),
        observed_at: written(found.observed),
        enriched_at: written(found.enriched),
        stored_at: written(found.stored),
        url: link(found.url),
        source: found.source,
        native_id: found.native_id,
        title: found.title,
        text: found.text,
        author: found.author,
        tags: found.tags,
        sentiment_model: found.sentiment_model,
        language: found.language,
        language_confidence: found.language_confidence,
        language_model: found.language_model,
        brands,
        raw_partition: found.raw_partition,
        raw_offset: found.raw_offset,
    }))
}

fn explained(shared: &Shared, found: &Found, of: OfBrand) -> Brand {
    let (mut spans, mut terms) = (Vec::new(), Vec::new());
    let set = shared.brands.present();
    let configured = set.book().brands().iter().find(|brand| brand.name == of.brand);
    let post = Post {
        title: Some(found.title.as_str()).filter(|title| !title.is_empty()),
        text: &found.text,
        lang: Some(&found.language),
        source: &found.source,
        author: Some(&found.author),
        url: Some(&found.url),
        tags: &found.tags,
        ..Post::default()
    };
    // A definition that cannot be compiled was refused when the files were read.
    if let Some(explanation) = configured.and_then(|brand| brand.query.explain(&post).ok()) {
        let counting = explanation.terms.iter().filter(|term| term.counts && !term.negated);
        terms = counting.map(|term| term.term.clone()).collect();
        let in_text = explanation.spans().into_iter().filter(|span| span.place == Place::Text);
        spans = in_text.map(|span| words::in_utf16(&found.text, span.bytes)).collect();
    }
    Brand {
        sentiment: Sentiment::new(of.polarity, [of.negative, of.neutral, of.positive]),
        brand: of.brand,
        version: of.version,
        target: of.target,
        owned: of.owned,
        spans,
        terms,
    }
}
