//! What Mattermost sends over its websocket (API reference, section "WebSocket").

use std::borrow::Cow;

use serde::Deserialize;

use super::post::Post;

/// A message of the server.
#[derive(Debug)]
pub enum Event {
    /// Somebody said something in a channel, or edited it.
    Posted(Box<Post>),
    /// A post is gone.
    Deleted(Box<Post>),
    /// The connection stands.
    Hello,
    /// The answer to something we said, such as the token.
    Reply {
        /// True when it was accepted.
        ok: bool,
        /// What the server says about it.
        detail: String,
    },
    /// Something that is no business of ours: typing, presence, reactions, channels.
    Other,
}

/// A message with its number.
#[derive(Debug)]
pub struct Numbered {
    /// Counts the messages of a connection from 0; none on replies.
    pub seq: Option<u64>,
    /// The message.
    pub event: Event,
}

/// Why a message cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Not JSON, or not of the promised shape.
    // What the parser says would quote what somebody said inside the company.
    #[error("no Mattermost event: {:?} error at byte {}", .0.classify(), .0.column())]
    Malformed(#[source] serde_json::Error),
    /// The post inside is not readable.
    #[error("event {event:.40}: its post is not readable: {:?} error at byte {}", .source.classify(), .source.column())]
    Post {
        /// Which event.
        event: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The post is missing.
    #[error("event {0:.40} holds no post")]
    NoPost(String),
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default)]
    event: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    data: Option<Data<'a>>,
    #[serde(default)]
    seq: Option<u64>,
    #[serde(borrow, default)]
    status: Option<Cow<'a, str>>,
    #[serde(default)]
    error: Option<Failure>,
}

#[derive(Deserialize)]
struct Data<'a> {
    /// A post as JSON inside a JSON text.
    #[serde(borrow, default)]
    post: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Failure {
    #[serde(default)]
    message: String,
}

impl Numbered {
    /// Reads one text frame.
    pub fn read(text: &str) -> Result<Self, EventError> {
        let Wire { event, data, seq, status, error } =
            serde_json::from_str(text).map_err(EventError::Malformed)?;
        let post = |event: &str| {
            let post = data
                .and_then(|data| data.post)
                .ok_or_else(|| EventError::NoPost(event.to_owned()))?;
            serde_json::from_str::<Post>(&post)
                .map(Box::new)
                .map_err(|source| EventError::Post { event: event.to_owned(), source })
        };
        let event = match (event.as_deref(), status) {
            (Some(name @ ("posted" | "post_edited")), _) => Event::Posted(post(name)?),
            (Some(name @ "post_deleted"), _) => Event::Deleted(post(name)?),
            (Some("hello"), _) => Event::Hello,
            (Some(_), _) | (None, None) => Event::Other,
            (None, Some(status)) => Event::Reply {
                ok: status == "OK",
                detail: error.map(|failure| failure.message).unwrap_or_default(),
            },
        };
        Ok(Self { seq, event })
    }
}
