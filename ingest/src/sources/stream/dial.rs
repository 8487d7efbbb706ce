//! Opening a websocket through the guarded way out.

use std::{io, time::Duration};

use serde::Deserialize;
use tokio::time::timeout;
use tokio_tungstenite::{
    client_async_with_config,
    tungstenite::{
        self, ClientRequestBuilder,
        error::ProtocolError,
        http::{Uri, header},
    },
};
use url::Url;

use super::session::{Session, SessionLimits};
use crate::{
    http::{Connection, HttpClient, HttpError},
    source::SourceFault,
};

/// How long a server may take to agree to speak websocket.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);
/// Most bytes read of an answer that refuses.
const ANSWER_CHARS: usize = 500;

/// Where to connect to, and as whom.
#[derive(Clone, Debug)]
pub struct Dial<'a> {
    /// A `ws:` or `wss:` address.
    pub url: Url,
    /// Sent as `Authorization: Bearer …`, where there is one.
    pub token: Option<&'a str>,
    /// What to offer in `Sec-WebSocket-Protocol`.
    pub subprotocol: Option<&'static str>,
}

/// No session.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The server cannot be reached.
    #[error(transparent)]
    Unreachable(#[from] HttpError),
    /// It answered with another HTTP status than 101.
    #[error("{host} answered {status}{}", .body.name.as_ref().map(|n| format!(": {n}")).unwrap_or_default())]
    Refused {
        /// Which server.
        host: String,
        /// Its HTTP status.
        status: u16,
        /// What it said.
        body: Refusal,
    },
    /// It does not speak websocket, or too slowly.
    #[error("{host}: {detail}")]
    Handshake {
        /// Which server.
        host: String,
        /// What went wrong.
        detail: String,
    },
}

/// The body of a refusal, as far as it is JSON.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Refusal {
    /// The error's name, such as `CursorTooOld`.
    #[serde(default, rename = "error")]
    pub name: Option<String>,
}

impl Dial<'_> {
    /// Connects and shakes hands.
    pub async fn connect(
        self,
        http: &HttpClient,
        limits: SessionLimits,
    ) -> Result<Session<Connection>, DialError> {
        let host = self.url.host_str().unwrap_or_default().to_owned();
        let failed = |detail: String| DialError::Handshake { host: host.clone(), detail };
        let uri: Uri = self.url.as_str().parse().map_err(|_| failed("no address".to_owned()))?;
        let mut request = ClientRequestBuilder::new(uri);
        if let Some(token) = self.token {
            request =
                request.with_header(header::AUTHORIZATION.as_str(), format!("Bearer {token}"));
        }
        if let Some(subprotocol) = self.subprotocol {
            request = request.with_sub_protocol(subprotocol);
        }
        let connection = http.connect(&self.url).await?;
        let handshake = client_async_with_config(request, connection, Some(limits.config()));
        match timeout(HANDSHAKE_TIMEOUT, handshake).await {
            Err(_) => Err(failed("the handshake took too long".to_owned())),
            Ok(Ok((socket, _))) => Ok(Session::new(socket, limits)),
            Ok(Err(tungstenite::Error::Http(answer))) => {
                let body = answer.body().as_deref().unwrap_or_default();
                let body = &body[..body.len().min(ANSWER_CHARS)];
                let status = answer.status().as_u16();
                let body = serde_json::from_slice(body).unwrap_or_default();
                Err(DialError::Refused { host, status, body })
            }
            Ok(Err(tungstenite::Error::Protocol(ProtocolError::HandshakeIncomplete))) => {
                Err(failed("hung up during the handshake".to_owned()))
            }
            Ok(Err(tungstenite::Error::Io(error)))
                if error.kind() == io::ErrorKind::UnexpectedEof =>
            {
                Err(failed("hung up during the handshake".to_owned()))
            }
            Ok(Err(error)) => Err(failed(error.to_string())),
        }
    }
}

impl DialError {
    /// The error's name where the server refused with one, such as `CursorTooOld`.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Refused { body, .. } => body.name.as_deref(),
            _ => None,
        }
    }

    /// What it means for a source; `token_hint` says where a token comes from.
    pub fn into_fault(self, pause: Duration, token_hint: &str) -> SourceFault {
        let detail = self.to_string();
        match self {
            Self::Unreachable(error) => match error.into() {
                SourceFault::Transient { detail, .. } => {
                    SourceFault::Transient { detail, retry_after: Some(pause) }
                }
                fault => fault,
            },
            Self::Refused { status: 401 | 403, .. } => {
                SourceFault::Unauthorised(format!("{detail}; {token_hint}"))
            }
            Self::Refused { status: 410, .. } => SourceFault::Closed(detail),
            Self::Refused { status: 429, .. } => {
                SourceFault::RateLimited { detail, retry_after: Some(pause) }
            }
            Self::Refused { .. } | Self::Handshake { .. } => {
                SourceFault::Transient { detail, retry_after: Some(pause) }
            }
        }
    }
}
