//! From what an instance answers to what it adds to a page.

use bytes::Bytes;
use echolot_pipeline::stage::Rejection;
use echolot_schemas::{SourceName, dead_letter::Reason};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    event::{Event, EventError, Streamed},
    status::{Said, Status, gone},
};
use crate::{
    rejected::{Place, Rejected},
    source::Observation,
    text,
};

/// One status of a timeline, and what became of it.
#[derive(Debug)]
pub(super) struct Listed {
    /// Its id, where it could be read.
    pub id: Option<String>,
    /// What it means; none for what is no mention.
    pub item: Option<Result<Observation, Box<Rejected>>>,
}

#[derive(Deserialize)]
struct Identified {
    id: String,
}

/// The observation that a status means; none for boosts, pictures and what is not public.
pub(super) fn observe(name: &SourceName, status: Status, original: Bytes) -> Option<Observation> {
    match status.said(text::of_html) {
        Said::Mention(submission) | Said::Gone(submission) => {
            Some(Observation::new(name, *submission, original))
        }
        Said::Nothing(_) => None,
    }
}

/// Reads a timeline, newest first as it comes; fails when the answer is no list.
pub(super) fn timeline(name: &SourceName, body: &Bytes) -> Result<Vec<Listed>, serde_json::Error> {
    let list: Vec<&RawValue> = serde_json::from_slice(body)?;
    let read = |(raw, item): (&RawValue, u64)| {
        let original = body.slice_ref(raw.get().as_bytes());
        match serde_json::from_str::<Status>(raw.get()) {
            Ok(status) => {
                let id = Some(status.id.clone());
                Listed { id, item: observe(name, status, original).map(Ok) }
            }
            Err(error) => {
                let id = serde_json::from_str(raw.get()).map(|Identified { id }| id).ok();
                let place = id.clone().map_or(Place::Item { file: None, item }, Place::NativeId);
                Listed { id, item: Some(Err(Box::new(malformed(place, &error, original)))) }
            }
        }
    };
    Ok(list.into_iter().zip(1..).map(read).collect())
}

/// What a frame of the stream says.
pub(super) enum Heard {
    /// A status was written or edited, with the streams that it came through.
    Status {
        /// Its id.
        id: String,
        /// Such as `["public"]`.
        stream: Vec<String>,
        /// What it means; none for what is no mention.
        observation: Option<Box<Observation>>,
    },
    /// A status is gone.
    Gone(Box<Observation>),
    /// The instance refuses us.
    Refused {
        /// What it says.
        detail: String,
        /// The HTTP status that it stands for.
        status: Option<u16>,
    },
    /// No business of ours.
    Nothing,
}

/// Reads a frame of the stream.
pub(super) fn frame(name: &SourceName, text: &str, original: &Bytes) -> Result<Heard, EventError> {
    let Streamed { stream, event } = Streamed::read(text)?;
    Ok(match event {
        Event::Status(status) => Heard::Status {
            id: status.id.clone(),
            stream,
            observation: observe(name, *status, original.clone()).map(Box::new),
        },
        Event::Deleted(id) => {
            Heard::Gone(Box::new(Observation::new(name, gone(id), original.clone())))
        }
        Event::Refused { detail, status } => Heard::Refused { detail, status },
        Event::Other => Heard::Nothing,
    })
}

/// A rejection of something that cannot be read.
pub(super) fn malformed(place: Place, error: &impl ToString, original: Bytes) -> Rejected {
    let rejection = Rejection { reason: Reason::Malformed, detail: error.to_string() };
    Rejected::new(place, rejection, original)
}
