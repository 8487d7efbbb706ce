//! A record as it was delivered: decoded once, its bytes kept for a dead letter.

use echolot_schemas::{
    Attributes, CodecError, Event, RawPosition, Timestamp, dead_letter::Reason, topics::Topic,
};
use rdkafka::{
    Message,
    message::{BorrowedMessage, Headers},
};

use crate::{
    dead_letters::{DeadLetter, Origin},
    record,
    stage::Rejection,
};

/// One record, read.
#[derive(Debug)]
pub(crate) struct Delivery<E> {
    pub(crate) position: RawPosition,
    /// The broker's time of the record.
    pub(crate) written_at: Timestamp,
    pub(crate) event: Result<Read<E>, Unreadable>,
    pub(crate) payload: Vec<u8>,
}

/// An event and the trace it belongs to.
#[derive(Debug)]
pub(crate) struct Read<E> {
    pub(crate) event: E,
    pub(crate) traceparent: Option<String>,
}

/// A record that is no event of ours, with all that a dead letter needs.
#[derive(Debug)]
pub(crate) struct Unreadable {
    rejection: Rejection,
    key: Option<Vec<u8>>,
    headers: Vec<(String, Vec<u8>)>,
}

impl<E: Event> Delivery<E> {
    pub(crate) fn read(message: &BorrowedMessage<'_>) -> Self {
        let payload = message.payload().unwrap_or_default();
        Self {
            position: RawPosition { partition: message.partition(), offset: message.offset() },
            written_at: Timestamp::from_millis(message.timestamp().to_millis().unwrap_or_default()),
            event: decode(message, payload).map_err(|error| Unreadable {
                rejection: rejection(&error),
                key: message.key().map(<[u8]>::to_vec),
                headers: all_headers(message),
            }),
            payload: payload.to_vec(),
        }
    }
}

fn decode<E: Event>(message: &BorrowedMessage<'_>, payload: &[u8]) -> Result<Read<E>, CodecError> {
    let headers = message.headers().into_iter().flat_map(|headers| {
        headers.iter().map(|header| (header.key, header.value.unwrap_or_default()))
    });
    let attributes = Attributes::read(headers)?;
    let event = E::from_json(attributes.event_type, payload)?;
    Ok(Read { event, traceparent: attributes.traceparent })
}

fn all_headers(message: &BorrowedMessage<'_>) -> Vec<(String, Vec<u8>)> {
    message
        .headers()
        .into_iter()
        .flat_map(|headers| headers.iter())
        .map(|header| owned(&header))
        .collect()
}

fn owned(header: &rdkafka::message::Header<'_, &[u8]>) -> (String, Vec<u8>) {
    (header.key.to_owned(), header.value.unwrap_or_default().to_vec())
}

fn rejection(error: &CodecError) -> Rejection {
    let reason = match error {
        CodecError::MissingHeader(_) | CodecError::Malformed { .. } => Reason::Malformed,
        CodecError::UnknownType(_) | CodecError::UnknownVersion { .. } => Reason::UnknownSchema,
    };
    Rejection { reason, detail: error.to_string() }
}

/// What a dead letter says about where it comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) stage: &'a str,
    pub(crate) topic: &'a Topic,
    pub(crate) position: RawPosition,
    pub(crate) at: Timestamp,
}

impl Place<'_> {
    fn letter(
        &self,
        rejection: Rejection,
        key: Option<Vec<u8>>,
        headers: Vec<(String, Vec<u8>)>,
        payload: Vec<u8>,
    ) -> DeadLetter {
        DeadLetter {
            stage: self.stage.to_owned(),
            rejection,
            origin: Some(Origin {
                topic: self.topic.name.to_owned(),
                partition: self.position.partition,
                offset: self.position.offset,
            }),
            key,
            payload,
            headers,
            at: self.at,
        }
    }

    /// The dead letter of a record that could not be read.
    pub(crate) fn unreadable(&self, unreadable: Unreadable, payload: Vec<u8>) -> DeadLetter {
        self.letter(unreadable.rejection, unreadable.key, unreadable.headers, payload)
    }

    /// The dead letter of an event that its stage refused. The bytes are the original ones; the
    /// headers are written anew from the event, which says the same.
    pub(crate) fn rejected<E: Event>(
        &self,
        rejection: Rejection,
        event: &E,
        traceparent: Option<&str>,
        payload: Vec<u8>,
    ) -> DeadLetter {
        let mut buffer = [0; uuid::fmt::Hyphenated::LENGTH];
        let key = record::key(event.key(), &mut buffer).as_bytes().to_vec();
        let headers =
            record::headers(event, traceparent).iter().map(|header| owned(&header)).collect();
        self.letter(rejection, Some(key), headers, payload)
    }
}

impl Unreadable {
    pub(crate) fn rejection(&self) -> &Rejection {
        &self.rejection
    }
}
