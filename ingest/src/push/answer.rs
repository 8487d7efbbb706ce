//! What a push request is answered.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    hooks::Unauthorised,
    log::LogFault,
    push::{
        admission::Busy,
        batch::{Outcome, Refusal, TooMany},
        signature::SignatureFault,
    },
};

/// Why a request as a whole was not taken. Nothing of it was published, unless it says so.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error(
        "name the source, as ?source=NAME or in the header X-Echolot-Source: one of ingest.push.senders"
    )]
    NoSource,
    #[error("?source= and the header X-Echolot-Source name different sources")]
    TwoSources,
    #[error("source {0:?} is none of ingest.push.senders")]
    UnknownSource(String),
    #[error(transparent)]
    Signature(#[from] SignatureFault),
    #[error("the request is not signed as it must be: {0}")]
    Hook(Unauthorised),
    #[error("the body is larger than {limit} = {bytes} bytes; send less at once")]
    TooLarge { limit: &'static str, bytes: u64 },
    #[error("{0}; send less at once")]
    TooMany(#[from] TooMany),
    #[error("the body is empty; send a mention, an array of mentions, or one mention per line")]
    Empty,
    #[error("Content-Encoding {0:?} is not known; send gzip or none")]
    Encoding(String),
    #[error("the body cannot be decompressed: {0}")]
    Compressed(std::io::Error),
    #[error("the body broke off: {0}")]
    BrokenOff(String),
    #[error("the body took longer than ingest.push.body_timeout = {0:?}")]
    Slow(Duration),
    #[error("{0}; try again")]
    Busy(#[from] Busy),
    #[error("the log takes no more for now; try again")]
    Saturated,
    #[error(
        "the log did not acknowledge within ingest.push.publish_timeout = {0:?}; send the same again"
    )]
    NoAcknowledgement(Duration),
    #[error("the log did not acknowledge: {0}; send the same again, repeated ids are harmless")]
    Log(LogFault),
}

impl Refused {
    /// Status and a fixed word that a program can go by.
    fn class(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NoSource | Self::TwoSources => (StatusCode::BAD_REQUEST, "source"),
            Self::UnknownSource(_) => (StatusCode::UNAUTHORIZED, "source"),
            Self::Signature(_) | Self::Hook(_) => (StatusCode::UNAUTHORIZED, "signature"),
            Self::TooLarge { .. } | Self::TooMany(_) => (StatusCode::PAYLOAD_TOO_LARGE, "limit"),
            Self::Empty | Self::Compressed(_) | Self::BrokenOff(_) => {
                (StatusCode::BAD_REQUEST, "body")
            }
            Self::Encoding(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "encoding"),
            Self::Slow(_) => (StatusCode::REQUEST_TIMEOUT, "slow"),
            Self::Busy(_) | Self::Saturated => (StatusCode::TOO_MANY_REQUESTS, "busy"),
            Self::NoAcknowledgement(_) | Self::Log(LogFault::Unavailable(_)) => {
                (StatusCode::SERVICE_UNAVAILABLE, "log")
            }
            Self::Log(LogFault::Fatal(_)) => (StatusCode::INTERNAL_SERVER_ERROR, "log"),
        }
    }

    /// The answer; `retry_after` goes with those that may be tried again.
    pub(crate) fn answer(&self, retry_after: Duration) -> Response {
        #[derive(Serialize)]
        struct Body {
            error: &'static str,
            detail: String,
        }
        let (status, error) = self.class();
        let mut response = (status, Json(Body { error, detail: self.to_string() })).into_response();
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            let seconds = HeaderValue::from(retry_after.as_secs());
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

/// The answer to a request whose good items were acknowledged: 202, or 400 when some were bad.
pub(crate) fn receipt(outcome: &Outcome) -> Response {
    #[derive(Serialize)]
    struct Body<'a> {
        accepted: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        filtered: Option<usize>,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        rejected: &'a [Refusal],
        #[serde(skip_serializing_if = "Option::is_none")]
        rejected_total: Option<usize>,
    }
    let spoiled = outcome.refused_total > 0;
    let status = if spoiled { StatusCode::BAD_REQUEST } else { StatusCode::ACCEPTED };
    let body = Body {
        accepted: outcome.events.len(),
        filtered: (outcome.filtered > 0).then_some(outcome.filtered),
        rejected: &outcome.refused,
        rejected_total: spoiled.then_some(outcome.refused_total),
    };
    (status, Json(body)).into_response()
}
