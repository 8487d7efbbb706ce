//! What can go wrong on the way to an answer, and what that means for a source.

use std::{error::Error as _, time::Duration};

use crate::{http::guard::Refused, source::SourceFault};

/// No answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// It must not be reached.
    #[error("refused: {0}")]
    Refused(#[from] Refused),
    /// It cannot be reached, or broke off.
    #[error("{url}: {detail}")]
    Unreachable {
        /// Which address, without its query.
        url: String,
        /// What failed.
        detail: String,
    },
    /// It is too slow.
    #[error("{url}: {phase} took longer than {after:?}")]
    Timeout {
        /// Which address, without its query.
        url: String,
        /// What took too long.
        phase: &'static str,
        /// How long was waited.
        after: Duration,
    },
    /// It says too much.
    #[error("{url}: the answer is larger than {limit} bytes unpacked")]
    TooLarge {
        /// Which address, without its query.
        url: String,
        /// Most bytes.
        limit: usize,
    },
    /// It sends in circles.
    #[error("{url}: redirects more than {limit} times, or to no address")]
    Redirects {
        /// Which address, without its query.
        url: String,
        /// Most redirects.
        limit: usize,
    },
    /// The host asked to be left alone, and that time is not over.
    #[error("{host} asked to be left alone for {pause:?} more")]
    LeftAlone {
        /// Which host.
        host: String,
        /// For how long still.
        pause: Duration,
    },
}

impl HttpError {
    /// The innermost cause is the one that says something. The URL of the library's own message may
    /// hold a token, so it is not used.
    pub(crate) fn unreachable(url: &url::Url, error: &reqwest::Error) -> Self {
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            if let Some(refused) = inner.downcast_ref::<Refused>() {
                return Self::Refused(refused.clone());
            }
            cause = inner;
        }
        let detail = if error.is_timeout() && error.is_connect() {
            "no connection within ingest.http.connect_timeout".to_owned()
        } else if error.is_timeout() {
            "silent for longer than ingest.http.idle_timeout".to_owned()
        } else if error.source().is_some() {
            cause.to_string()
        } else {
            "the request failed".to_owned()
        };
        Self::Unreachable { url: shown(url), detail: detail.chars().take(300).collect() }
    }
}

/// A URL as it may be told: its query may hold a key, its user a password.
pub(crate) fn shown(url: &url::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{host}{port}{:.200}", url.scheme(), url.path())
}

impl From<HttpError> for SourceFault {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Refused(_) => Self::Fatal(error.to_string()),
            HttpError::LeftAlone { pause, .. } => {
                Self::RateLimited { detail: error.to_string(), retry_after: Some(pause) }
            }
            _ => Self::transient(error.to_string()),
        }
    }
}
