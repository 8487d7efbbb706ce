//! What there is to choose from: brands, sources, languages, and the time that mentions span.

use axum::{Json, extract::State};
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    error::{ApiError, Failure},
    period::written_seconds,
    server::Shared,
};

/// What filters can be set to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Choices {
    /// Brands with mentions, and those that are configured.
    brands: Vec<String>,
    sources: Vec<String>,
    /// ISO 639-1, or und.
    languages: Vec<String>,
    /// Day of the first mention; absent where there are none.
    first: Option<String>,
    /// End of the day of the last mention.
    last: Option<String>,
}

#[derive(Row, Deserialize)]
struct Found {
    brands: Vec<String>,
    sources: Vec<String>,
    languages: Vec<String>,
    first: i64,
    last: i64,
}

const SQL: &str = "SELECT arraySort(groupUniqArrayIf(500)(brand::String, brand NOT IN ('', '*'))) AS brands, \
    arraySort(groupUniqArray(500)(source::String)) AS sources, \
    arraySort(groupUniqArray(500)(language::String)) AS languages, \
    toUnixTimestamp(toDateTime(min(day), 'UTC'))::Int64 AS first, \
    toUnixTimestamp(toDateTime(max(day) + 1, 'UTC'))::Int64 AS last FROM sentiment_by_day";

/// What there is to choose from.
#[utoipa::path(get, path = "/choices", responses(
    (status = 200, body = Choices), (status = 503, body = Failure)))]
pub(crate) async fn choices(State(shared): State<Shared>) -> Result<Json<Choices>, ApiError> {
    let found = shared.reader.ask::<Found>(SQL, |query| query).await?.into_iter().next();
    let mut brands = shared.configured_brands();
    let Some(found) = found.filter(|found| !found.sources.is_empty()) else {
        let none = Vec::new;
        return Ok(Json(Choices {
            brands,
            sources: none(),
            languages: none(),
            first: None,
            last: None,
        }));
    };
    brands.extend(found.brands);
    brands.sort_unstable();
    brands.dedup();
    Ok(Json(Choices {
        brands,
        sources: found.sources,
        languages: found.languages,
        first: Some(written_seconds(found.first)),
        last: Some(written_seconds(found.last)),
    }))
}
