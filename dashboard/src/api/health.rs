//! How well sources are covered, how fresh the store is, and which models score.

use axum::{Json, extract::State};
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    error::{ApiError, Failure},
    period::written,
    server::Shared,
};

/// The state of the whole.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    sources: Vec<Source>,
    /// The newest 100 gaps.
    gaps: Vec<Gap>,
    /// Models behind the scores of the last 30 days of mentions.
    models: Vec<Model>,
    stored: Stored,
}

/// One source.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Source {
    source: String,
    /// ok, failing, stopped; pushed for one that nobody asks.
    state: String,
    detail: String,
    last_success: Option<String>,
    newest: Option<String>,
    lag_seconds: Option<f64>,
    accepted: u64,
    rejected: u64,
    /// Mentions known to be missing.
    lost: u64,
    /// Mentions in the store.
    mentions: u64,
}

/// A time of which mentions may be missing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Gap {
    source: String,
    from: String,
    /// Absent while it lasts.
    to: Option<String>,
    why: String,
    caught_up: bool,
}

/// A model.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Model {
    /// sentiment or language.
    kind: String,
    model: String,
    version: String,
    /// First 12 hex digits of the SHA-256 of its weights.
    hash: String,
    mentions: u64,
    /// When it last scored.
    last: String,
}

/// The store.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Stored {
    mentions: u64,
    last_stored: Option<String>,
    /// Seconds from accepted to stored: half were faster. Of the last 30 days of mentions.
    p50: Option<f64>,
    p99: Option<f64>,
}

#[derive(Row, Deserialize)]
struct FoundSource {
    source: String,
    state: String,
    detail: String,
    last_success: Option<i64>,
    newest: Option<i64>,
    lag_seconds: Option<f64>,
    accepted: u64,
    rejected: u64,
    lost: u64,
    mentions: u64,
}

#[derive(Row, Deserialize)]
struct FoundGap {
    source: String,
    from: i64,
    to: Option<i64>,
    why: String,
    caught_up: bool,
}

#[derive(Row, Deserialize)]
struct FoundModel {
    kind: String,
    model: String,
    version: String,
    hash: String,
    mentions: u64,
    last: i64,
}

#[derive(Row, Deserialize)]
struct FoundStored {
    mentions: u64,
    last_stored: i64,
    p50: f64,
    p99: f64,
}

/// A source that is pushed or was read from files has mentions and no coverage.
const SOURCES: &str = "SELECT if(c.source = '', m.source, c.source) AS source, \
    if(c.source = '', 'pushed', c.state::String) AS state, c.detail AS detail, \
    toUnixTimestamp64Milli(c.last_success) AS last_success, \
    if(c.source = '', m.newest, toUnixTimestamp64Milli(c.newest)) AS newest, \
    c.lag_seconds AS lag_seconds, c.accepted AS accepted, c.rejected AS rejected, c.lost AS lost, \
    m.mentions AS mentions \
    FROM (SELECT source::String AS source, state, detail, last_success, newest, lag_seconds, accepted, rejected, lost \
        FROM source_coverage FINAL) AS c \
    FULL OUTER JOIN (SELECT source::String AS source, sum(s.mentions) AS mentions, \
        CAST(toUnixTimestamp(toDateTime(max(day), 'UTC'))::Int64 * 1000, 'Nullable(Int64)') AS newest \
        FROM sentiment_by_day AS s WHERE brand = '*' GROUP BY source) AS m ON m.source = c.source \
    ORDER BY source LIMIT 1000";

const GAPS: &str = "SELECT source, toUnixTimestamp64Milli(from_time) AS from, \
    toUnixTimestamp64Milli(to_time) AS to, why, caught_up FROM source_gaps FINAL \
    ORDER BY from_time DESC LIMIT 100";

/// Of the newest 30 days that hold anything.
const NEWEST: &str =
    "published_at >= (SELECT toDateTime(max(day), 'UTC') - INTERVAL 30 DAY FROM sentiment_by_day)";

/// The state of the whole.
#[utoipa::path(get, path = "/health", responses(
    (status = 200, body = Health), (status = 503, body = Failure)))]
pub(crate) async fn health(State(shared): State<Shared>) -> Result<Json<Health>, ApiError> {
    let models = format!(
        "SELECT kind, model, version, hash, count() AS mentions, \
         max(toUnixTimestamp64Milli(enriched_at)) AS last FROM (SELECT enriched_at, arrayJoin([\
         ('sentiment', sentiment_model::String, sentiment_model_version::String, sentiment_model_hash::String), \
         ('language', language_model::String, language_model_version::String, language_model_hash::String)]) AS m, \
         m.1 AS kind, m.2 AS model, m.3 AS version, m.4 AS hash FROM score_provenance WHERE {NEWEST}) \
         GROUP BY kind, model, version, hash ORDER BY kind, mentions DESC LIMIT 100"
    );
    let stored = format!(
        "SELECT ifNull((SELECT sum(mentions) FROM sentiment_by_day WHERE brand = '*'), 0)::UInt64 AS mentions, \
         max(toUnixTimestamp64Milli(stored_at)) AS last_stored, \
         quantile(0.5)(date_diff('millisecond', observed_at, stored_at) / 1000) AS p50, \
         quantile(0.99)(date_diff('millisecond', observed_at, stored_at) / 1000) AS p99 \
         FROM score_provenance WHERE {NEWEST}"
    );
    let (sources, gaps, models, stored) = tokio::try_join!(
        shared.reader.ask::<FoundSource>(SOURCES, |query| query),
        shared.reader.ask::<FoundGap>(GAPS, |query| query),
        shared.reader.ask::<FoundModel>(&models, |query| query),
        shared.reader.ask::<FoundStored>(&stored, |query| query),
    )?;
    Ok(Json(Health {
        sources: sources.into_iter().map(FoundSource::told).collect(),
        gaps: gaps.into_iter().map(FoundGap::told).collect(),
        models: models.into_iter().map(FoundModel::told).collect(),
        stored: stored.first().map_or_else(Stored::default, FoundStored::told),
    }))
}

impl FoundSource {
    fn told(self) -> Source {
        Source {
            source: self.source,
            state: self.state,
            detail: self.detail,
            last_success: self.last_success.map(written),
            newest: self.newest.map(written),
            lag_seconds: self.lag_seconds,
            accepted: self.accepted,
            rejected: self.rejected,
            lost: self.lost,
            mentions: self.mentions,
        }
    }
}

impl FoundGap {
    fn told(self) -> Gap {
        Gap {
            source: self.source,
            from: written(self.from),
            to: self.to.map(written),
            why: self.why,
            caught_up: self.caught_up,
        }
    }
}

impl FoundModel {
    fn told(self) -> Model {
        Model {
            kind: self.kind,
            model: self.model,
            version: self.version,
            hash: self.hash,
            mentions: self.mentions,
            last: written(self.last),
        }
    }
}

impl FoundStored {
    fn told(&self) -> Stored {
        let any = self.mentions > 0 && self.p50.is_finite();
        Stored {
            mentions: self.mentions,
            last_stored: any.then(|| written(self.last_stored)),
            p50: any.then_some(self.p50),
            p99: any.then_some(self.p99),
        }
    }
}
