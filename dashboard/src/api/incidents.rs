//! Incidents: what was told, when, and why.

use axum::{
    Json,
    extract::{Query, State},
};
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Count;
use crate::{
    error::{ApiError, Failure},
    period::{Period, written_seconds},
    reader::Reader,
    server::Shared,
};

/// Which incidents: those that touch the period.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct IncidentsQuery {
    /// First instant, RFC 3339.
    from: String,
    /// The instant behind the last.
    to: String,
    /// Only those of this brand.
    #[serde(default)]
    brand: String,
}

/// Incidents, the newest first; at most 500.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Incidents {
    incidents: Vec<Incident>,
}

/// One incident as last told.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Incident {
    incident: String,
    brand: String,
    /// negative, positive, volume, silence or threshold.
    kind: String,
    /// warning, high or critical: the worst so far.
    severity: String,
    open: bool,
    opened_at: String,
    /// Last change.
    last_at: String,
    /// Absent while it is open.
    closed_at: Option<String>,
    /// Begin of the window that made it fire.
    started_at: String,
    window_minutes: u32,
    /// Counts in the window that speak for it.
    observed: f64,
    expected: f64,
    /// Share of them among the window's mentions; absent for silence.
    share: Option<f64>,
    usual_share: Option<f64>,
    authors: u32,
    peak: f64,
    /// Words that stand out, the most striking first.
    terms: Vec<Term>,
    sources: Vec<Count>,
    /// Id of the first negative mention.
    first_mention: Option<String>,
    /// Ids of the mentions with the most engagement.
    top_mentions: Vec<String>,
}

/// A word that stands out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Term {
    term: String,
    /// How much more often than before, in standard deviations.
    score: f64,
}

#[derive(Row, Deserialize)]
struct Found {
    incident: String,
    brand: String,
    kind: String,
    severity: String,
    open: bool,
    opened: i64,
    last: i64,
    started: i64,
    window_minutes: u32,
    observed: f64,
    expected: f64,
    share: f64,
    usual_share: f64,
    authors: u32,
    peak: f64,
    why: String,
}

/// What the detector wrote of why. Unknown parts are left out: it may tell more one day.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Why {
    terms: Vec<(String, f64)>,
    top_mentions: Vec<(String, String)>,
    sources: Vec<(String, u64)>,
    first: Option<(String, String)>,
}

/// Figures and reasons are those of the last telling that has any: a closing has none.
const SQL: &str = "SELECT toString(incident) AS incident, any(i.brand) AS brand, any(i.kind) AS kind, \
    argMax(i.severity, step) AS severity, argMax(i.phase, step) != 'closed' AS open, \
    toUnixTimestamp(any(i.opened_at))::Int64 AS opened, toUnixTimestamp(max(i.at))::Int64 AS last, \
    toUnixTimestamp(any(i.started_at))::Int64 AS started, \
    argMaxIf(i.window_minutes, step, i.phase != 'closed') AS window_minutes, \
    argMaxIf(i.observed, step, i.phase != 'closed') AS observed, \
    argMaxIf(i.expected, step, i.phase != 'closed') AS expected, \
    argMaxIf(i.share, step, i.phase != 'closed') AS share, \
    argMaxIf(i.usual_share, step, i.phase != 'closed') AS usual_share, \
    argMaxIf(i.authors, step, i.phase != 'closed') AS authors, max(i.peak) AS peak, \
    argMaxIf(i.why, step, i.phase != 'closed') AS why \
    FROM incidents AS i FINAL WHERE {brand:String} = '' OR i.brand = {brand:String} GROUP BY incident \
    HAVING opened < {to:Int64} AND (open OR last >= {from:Int64}) ORDER BY opened DESC, incident LIMIT 500";

/// Incidents that touch a period, the newest first.
#[utoipa::path(get, path = "/incidents", params(IncidentsQuery), responses(
    (status = 200, body = Incidents), (status = 400, body = Failure), (status = 503, body = Failure)))]
pub(crate) async fn incidents(
    State(shared): State<Shared>,
    Query(query): Query<IncidentsQuery>,
) -> Result<Json<Incidents>, ApiError> {
    let period = Period::between(&query.from, &query.to)?;
    Ok(Json(Incidents { incidents: within(&shared.reader, &period, &query.brand).await? }))
}

/// Those of one brand, or of all when none is named.
pub(super) async fn within(
    reader: &Reader,
    period: &Period,
    brand: &str,
) -> Result<Vec<Incident>, ApiError> {
    let found = reader.ask::<Found>(SQL, |query| {
        query.param("brand", brand).param("from", period.from).param("to", period.to)
    });
    Ok(found.await?.into_iter().map(told).collect())
}

fn told(found: Found) -> Incident {
    let why: Why = serde_json::from_str(&found.why).unwrap_or_default();
    let number = |value: f64| Some(value).filter(|value| value.is_finite());
    Incident {
        incident: found.incident,
        brand: found.brand,
        kind: found.kind,
        severity: found.severity,
        open: found.open,
        opened_at: written_seconds(found.opened),
        last_at: written_seconds(found.last),
        closed_at: (!found.open).then(|| written_seconds(found.last)),
        started_at: written_seconds(found.started),
        window_minutes: found.window_minutes,
        observed: found.observed,
        expected: found.expected,
        share: number(found.share),
        usual_share: number(found.usual_share),
        authors: found.authors,
        peak: found.peak,
        terms: why.terms.into_iter().map(|(term, score)| Term { term, score }).collect(),
        sources: why.sources.into_iter().map(Count::from).collect(),
        first_mention: why.first.map(|(id, _)| id),
        top_mentions: why.top_mentions.into_iter().map(|(id, _)| id).collect(),
    }
}
