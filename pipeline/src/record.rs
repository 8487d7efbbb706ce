//! An event as a Kafka record: headers, key, value.

use echolot_schemas::{Event, MentionId, codec::header};
use rdkafka::message::{Header, OwnedHeaders};

/// The headers of an event.
pub(crate) fn headers<E: Event>(event: &E, traceparent: Option<&str>) -> OwnedHeaders {
    let event_type = event.event_type();
    let id = event.event_id();
    let time = event.time().to_string();
    let origin = event.origin();
    let mut headers = OwnedHeaders::new_with_capacity(8);
    for (key, value) in [
        (header::SPEC_VERSION, "1.0"),
        (header::TYPE, event_type.as_str()),
        (header::DATA_SCHEMA, event_type.data_schema()),
        (header::ID, &id),
        (header::SOURCE, &origin),
        (header::TIME, &time),
        (header::CONTENT_TYPE, "application/json"),
    ] {
        headers = headers.insert(Header { key, value: Some(value) });
    }
    match traceparent {
        Some(value) => headers.insert(Header { key: header::TRACEPARENT, value: Some(value) }),
        None => headers,
    }
}

/// The key of every record about a mention: its id as text, readable in any Kafka tool.
pub(crate) fn key(id: MentionId, buffer: &mut [u8; uuid::fmt::Hyphenated::LENGTH]) -> &str {
    id.as_uuid().hyphenated().encode_lower(buffer)
}
