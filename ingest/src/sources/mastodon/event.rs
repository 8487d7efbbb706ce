//! What an instance sends over its streaming websocket (API documentation, "Streaming").

use std::borrow::Cow;

use serde::Deserialize;

use super::status::Status;

/// A message of the stream.
#[derive(Debug)]
pub enum Event {
    /// A new status, or one that was edited.
    Status(Box<Status>),
    /// The status with this id is gone.
    Deleted(String),
    /// The instance refuses something, such as the token or a stream's name.
    Refused {
        /// What it says.
        detail: String,
        /// The HTTP status that it stands for, where it says so.
        status: Option<u16>,
    },
    /// No business of ours: notifications, conversations, announcements, filters.
    Other,
}

/// A message with the stream that it came through.
#[derive(Debug)]
pub struct Streamed {
    /// Such as `["public"]` or `["hashtag", "hoot"]`; empty where the instance does not say.
    pub stream: Vec<String>,
    /// The message.
    pub event: Event,
}

/// Why a message cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Not JSON, or not of the promised shape.
    #[error("no streaming event: {0}")]
    Malformed(#[source] serde_json::Error),
    /// The status inside is not readable.
    #[error("event {event:.40}: its status is not readable: {source}")]
    Status {
        /// Which event.
        event: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The payload is missing.
    #[error("event {0:.40} without a payload")]
    NoPayload(String),
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(default)]
    stream: Vec<String>,
    #[serde(borrow, default)]
    event: Option<Cow<'a, str>>,
    /// A status as JSON inside a JSON text, or an id.
    #[serde(borrow, default)]
    payload: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    error: Option<Cow<'a, str>>,
    #[serde(default)]
    status: Option<u16>,
}

impl Streamed {
    /// Reads one text frame.
    pub fn read(text: &str) -> Result<Self, EventError> {
        let Wire { stream, event, payload, error, status } =
            serde_json::from_str(text).map_err(EventError::Malformed)?;
        if let Some(detail) = error {
            let event = Event::Refused { detail: detail.into_owned(), status };
            return Ok(Self { stream, event });
        }
        let name = event.unwrap_or_default();
        let payload =
            || payload.as_deref().ok_or_else(|| EventError::NoPayload(name.clone().into_owned()));
        let event = match name.as_ref() {
            "update" | "status.update" => serde_json::from_str(payload()?)
                .map(Event::Status)
                .map_err(|source| EventError::Status { event: name.to_string(), source })?,
            "delete" => Event::Deleted(payload()?.to_owned()),
            _ => Event::Other,
        };
        Ok(Self { stream, event })
    }
}
