//! One websocket connection: frames in, pings out, and an end that says why.

use std::{fmt, future::pending, time::Duration};

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message, Utf8Bytes,
        error::CapacityError,
        protocol::{CloseFrame, WebSocketConfig},
    },
};

/// How long a peer may take to accept a frame of ours; all of them are small.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// Most characters kept of what a peer says when it closes.
const REASON_CHARS: usize = 200;

/// What a session puts up with.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// Silence after which the peer is asked whether it is there.
    pub ping_after: Duration,
    /// Silence after which it is taken for gone.
    pub idle_timeout: Duration,
    /// Largest frame, in bytes, and largest message of several frames.
    pub frame_bytes: usize,
}

impl SessionLimits {
    /// The same limits for the websocket library.
    pub fn config(&self) -> WebSocketConfig {
        WebSocketConfig::default()
            .max_frame_size(Some(self.frame_bytes))
            .max_message_size(Some(self.frame_bytes))
    }
}

/// What the peer said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Valid UTF-8.
    Text(Utf8Bytes),
    /// Anything.
    Binary(Bytes),
}

/// Why a session is over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionEnd {
    /// The peer closed the connection.
    #[error("closed by the server{0}")]
    Closed(CloseReason),
    /// The peer said nothing, not even to a ping.
    #[error("silent for {} s", .0.as_secs_f64())]
    Idle(Duration),
    /// The peer sent more at once than is accepted.
    #[error("a frame of {size} bytes, at most {most}")]
    Oversized {
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        most: usize,
    },
    /// The peer broke the websocket protocol, or the connection broke.
    #[error("{0}")]
    Broken(String),
}

/// What the peer said when it closed; possibly nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloseReason(Option<(u16, String)>);

impl CloseReason {
    /// The close code of RFC 6455, section 7.4, or of the platform.
    pub fn code(&self) -> Option<u16> {
        self.0.as_ref().map(|(code, _)| *code)
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => Ok(()),
            Some((code, reason)) => write!(f, " with {code} {reason:?}"),
        }
    }
}

impl From<Option<CloseFrame>> for CloseReason {
    fn from(frame: Option<CloseFrame>) -> Self {
        Self(frame.map(|CloseFrame { code, reason }| {
            (code.into(), reason.chars().take(REASON_CHARS).collect())
        }))
    }
}

/// A connection that is read to its end.
#[derive(Debug)]
pub struct Session<S> {
    socket: WebSocketStream<S>,
    limits: SessionLimits,
    heard: Instant,
    asked: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Watches over a connection whose handshake is done.
    pub fn new(socket: WebSocketStream<S>, limits: SessionLimits) -> Self {
        Self { socket, limits, heard: Instant::now(), asked: false }
    }

    /// The next frame. Loses nothing when it is dropped while it waits.
    pub async fn next(&mut self) -> Result<Frame, SessionEnd> {
        loop {
            tokio::select! {
                // Frames first: under load the clock is looked at only when there is none.
                biased;
                message = self.socket.next() => {
                    self.heard = Instant::now();
                    self.asked = false;
                    match message {
                        Some(Ok(Message::Text(text))) => return Ok(Frame::Text(text)),
                        Some(Ok(Message::Binary(bytes))) => return Ok(Frame::Binary(bytes)),
                        Some(Ok(Message::Close(frame))) => {
                            return Err(SessionEnd::Closed(frame.into()));
                        }
                        // The library answers pings by itself.
                        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                        Some(Err(error)) => return Err(error.into()),
                        None => return Err(SessionEnd::Closed(CloseReason::default())),
                    }
                }
                () = until_ping(self.asked, self.heard + self.limits.ping_after) => {
                    self.asked = true;
                    self.send(Message::Ping(Bytes::new())).await?;
                }
                () = sleep_until(self.heard + self.limits.idle_timeout) => {
                    return Err(SessionEnd::Idle(self.limits.idle_timeout));
                }
            }
        }
    }

    /// Says something to the peer.
    pub async fn say(&mut self, text: String) -> Result<(), SessionEnd> {
        self.send(Message::text(text)).await
    }

    async fn send(&mut self, message: Message) -> Result<(), SessionEnd> {
        match timeout(SEND_TIMEOUT, self.socket.send(message)).await {
            Ok(sent) => Ok(sent?),
            Err(_) => Err(SessionEnd::Broken("the server does not read".to_owned())),
        }
    }
}

async fn until_ping(asked: bool, at: Instant) {
    if asked { pending().await } else { sleep_until(at).await }
}

impl From<tungstenite::Error> for SessionEnd {
    fn from(error: tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
                Self::Oversized { size, most: max_size }
            }
            tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => {
                Self::Closed(CloseReason::default())
            }
            other => Self::Broken(other.to_string()),
        }
    }
}
