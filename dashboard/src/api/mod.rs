//! The API: one subject a file, each a question to the store and the JSON that answers it.

#![expect(clippy::struct_field_names, reason = "fields are named as they stand in the JSON")]

mod brand;
mod choices;
mod engagement;
mod health;
mod incidents;
mod live;
mod mention;
mod mentions;
mod overview;
mod questions;

use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use self::live::{Pulse, follow};
use crate::{error::ApiError, server::Shared};

/// Describes the whole API.
#[derive(OpenApi)]
#[openapi(info(
    title = "Echolot",
    description = "What people say about brands: counts, mentions and where each number comes from. \
                   Times are RFC 3339, UTC. A good answer carries an entity tag; If-None-Match saves \
                   sending it again. An error is an object with `code` and `message`.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Description;

/// Every route with its description, under `/api/v1`.
pub(crate) fn routes() -> OpenApiRouter<Shared> {
    let api = OpenApiRouter::new()
        .routes(routes!(choices::choices))
        .routes(routes!(overview::overview))
        .routes(routes!(brand::brand))
        .routes(routes!(incidents::incidents))
        .routes(routes!(questions::questions))
        .routes(routes!(engagement::engagement))
        .routes(routes!(health::health))
        .routes(routes!(mentions::mentions))
        .routes(routes!(mention::mention))
        .routes(routes!(live::live));
    OpenApiRouter::with_openapi(Description::openapi()).nest("/api/v1", api)
}

/// Below `/api` every other path is a mistake of the caller, never a page.
pub(crate) async fn unknown() -> ApiError {
    ApiError::Missing("such path of the API; /api/openapi.json lists them")
}

/// A name and how often it was seen.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Count {
    name: String,
    mentions: u64,
}

impl From<(String, u64)> for Count {
    fn from((name, mentions): (String, u64)) -> Self {
        Self { name, mentions }
    }
}
