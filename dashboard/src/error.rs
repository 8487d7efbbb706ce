//! What the API answers when it cannot answer.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use echolot_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// A parameter that cannot be what is meant.
    #[error("{name}: {problem}")]
    Parameter {
        /// Its name.
        name: &'static str,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// Nothing there.
    #[error("there is no {0}")]
    Missing(&'static str),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ApiError {
    pub(crate) fn parameter(name: &'static str, problem: impl Into<String>) -> Self {
        Self::Parameter { name, problem: problem.into() }
    }

    fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Parameter { .. } => (StatusCode::BAD_REQUEST, "parameter"),
            Self::Missing(_) => (StatusCode::NOT_FOUND, "missing"),
            Self::Store(StoreError::Timeout { .. }) => {
                (StatusCode::GATEWAY_TIMEOUT, "store_too_slow")
            }
            // Of no use to a caller, and an operator finds it in the log.
            Self::Store(error) if error.is_transient() => {
                (StatusCode::SERVICE_UNAVAILABLE, "store_unreachable")
            }
            Self::Store(_) => (StatusCode::BAD_GATEWAY, "store_refused"),
        }
    }
}

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Failure {
    /// What kind: `parameter`, `missing`, `store_unreachable`, `store_too_slow` or `store_refused`.
    code: &'static str,
    /// For a person.
    message: String,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = self.status();
        let message = match &self {
            Self::Store(error) => {
                tracing::warn!(code, "dashboard: {error}");
                match code {
                    "store_too_slow" => "the store took too long; ask for a shorter period".into(),
                    "store_unreachable" => "the store does not answer; it is asked again".into(),
                    _ => "the store refused the question; the log says why".to_owned(),
                }
            }
            told => told.to_string(),
        };
        (status, Json(Failure { code, message })).into_response()
    }
}
