//! Events as Kafka records: CloudEvents 1.0, Kafka binding, binary content mode.
//! Attributes are record headers (`ce_type`, …); the record's value is the event's JSON.

use std::borrow::Cow;

use serde::Serialize;

use crate::{
    EnrichedEvent, MentionId, RawEvent, SourceName, Timestamp,
    enriched::{Enriched, Retracted},
    raw::{Deleted, Observed},
};

/// Header names of the CloudEvents Kafka binding, and the trace context beside them.
pub mod header {
    /// CloudEvents version, always `1.0`.
    pub const SPEC_VERSION: &str = "ce_specversion";
    /// Event id, unique within its source.
    pub const ID: &str = "ce_id";
    /// Event type, such as `mention.observed`.
    pub const TYPE: &str = "ce_type";
    /// Who wrote it, such as `/echolot/ingest/forum`.
    pub const SOURCE: &str = "ce_source";
    /// When the event was written, RFC 3339.
    pub const TIME: &str = "ce_time";
    /// URN of the payload's schema with its version.
    pub const DATA_SCHEMA: &str = "ce_dataschema";
    /// Always `application/json`.
    pub const CONTENT_TYPE: &str = "content-type";
    /// W3C trace context.
    pub const TRACEPARENT: &str = "traceparent";
}

/// Every published event type. Each has one current schema version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventType {
    /// A mention in its full state.
    MentionObserved,
    /// A mention is gone.
    MentionDeleted,
    /// A mention with its scores.
    MentionEnriched,
    /// A mention that is about no brand.
    MentionUnmatched,
    /// A mention that was deleted, for the sink.
    MentionErased,
}

/// A record that is no event of ours.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// A header that every record of ours has.
    #[error("header {0} is missing; only Echolot's own roles write to this topic")]
    MissingHeader(&'static str),
    /// An event type this topic does not carry.
    #[error("event type {0:?} is unknown on this topic")]
    UnknownType(String),
    /// A version this build does not read.
    #[error(
        "schema {found:?} is not the one this build reads ({expected:?}); upgrade this role first"
    )]
    UnknownVersion {
        /// What the record says.
        found: String,
        /// What this build reads.
        expected: &'static str,
    },
    /// A value that does not fit its schema.
    #[error("payload is no valid {event}: {source}")]
    Malformed {
        /// Event type.
        event: &'static str,
        /// Where and why.
        source: serde_json::Error,
    },
}

impl EventType {
    /// Every event type.
    pub const ALL: [Self; 5] = [
        Self::MentionObserved,
        Self::MentionDeleted,
        Self::MentionEnriched,
        Self::MentionUnmatched,
        Self::MentionErased,
    ];

    /// The `ce_type` attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MentionObserved => "mention.observed",
            Self::MentionDeleted => "mention.deleted",
            Self::MentionEnriched => "mention.enriched",
            Self::MentionUnmatched => "mention.unmatched",
            Self::MentionErased => "mention.erased",
        }
    }

    /// The `ce_dataschema` attribute: a URN that ends in the schema's version.
    pub const fn data_schema(self) -> &'static str {
        match self {
            Self::MentionObserved => "urn:echolot:mention.observed:v1",
            Self::MentionDeleted => "urn:echolot:mention.deleted:v1",
            Self::MentionEnriched => "urn:echolot:mention.enriched:v1",
            Self::MentionUnmatched => "urn:echolot:mention.unmatched:v1",
            Self::MentionErased => "urn:echolot:mention.erased:v1",
        }
    }

    /// File name of the published schema, such as `mention.observed:v1` with a dot for the colon.
    pub const fn schema_name(self) -> &'static str {
        match self {
            Self::MentionObserved => "mention.observed.v1",
            Self::MentionDeleted => "mention.deleted.v1",
            Self::MentionEnriched => "mention.enriched.v1",
            Self::MentionUnmatched => "mention.unmatched.v1",
            Self::MentionErased => "mention.erased.v1",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }
}

/// What the headers of a record say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// Event type, its version checked.
    pub event_type: EventType,
    /// Trace context to hand on, as it came.
    pub traceparent: Option<String>,
}

impl Attributes {
    /// Reads the attributes among a record's headers.
    pub fn read<'a>(
        headers: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Self, CodecError> {
        let (mut event_type, mut schema, mut traceparent) = (None, None, None);
        for (name, value) in headers {
            match name {
                header::TYPE => event_type = Some(String::from_utf8_lossy(value)),
                header::DATA_SCHEMA => schema = Some(String::from_utf8_lossy(value)),
                header::TRACEPARENT => traceparent = trace_context(value),
                _ => {}
            }
        }
        let name = event_type.ok_or(CodecError::MissingHeader(header::TYPE))?;
        let event_type =
            EventType::parse(&name).ok_or_else(|| CodecError::UnknownType(excerpt(&name)))?;
        let schema = schema.ok_or(CodecError::MissingHeader(header::DATA_SCHEMA))?;
        if schema != event_type.data_schema() {
            return Err(CodecError::UnknownVersion {
                found: excerpt(&schema),
                expected: event_type.data_schema(),
            });
        }
        Ok(Self { event_type, traceparent })
    }
}

/// A trace context is 55 ASCII characters in version 00; anything else is not handed on.
fn trace_context(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?;
    let well_formed = text.len() == 55 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    well_formed.then(|| text.to_owned())
}

/// Hostile headers do not reach logs whole.
fn excerpt(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Something that travels as one Kafka record.
pub trait Event: Sized + Send + Sync + 'static {
    /// Its type.
    fn event_type(&self) -> EventType;
    /// Its key: the mention it is about.
    fn key(&self) -> MentionId;
    /// Its id, unique within [`Event::origin`] and the same when the same event is written again.
    fn event_id(&self) -> String;
    /// Who writes it: the `ce_source` attribute.
    fn origin(&self) -> Cow<'static, str>;
    /// When it was written.
    fn time(&self) -> Timestamp;
    /// Which source the mention comes from.
    fn source(&self) -> &SourceName;
    /// Its JSON. Writing to memory cannot fail but for a map with strange keys, which no event has.
    fn to_json(&self) -> serde_json::Result<Vec<u8>>;
    /// The event of this type in this payload.
    fn from_json(event_type: EventType, payload: &[u8]) -> Result<Self, CodecError>;
}

impl Event for RawEvent {
    fn event_type(&self) -> EventType {
        match self {
            Self::Observed(_) => EventType::MentionObserved,
            Self::Deleted(_) => EventType::MentionDeleted,
        }
    }

    fn key(&self) -> MentionId {
        self.mention_id()
    }

    fn event_id(&self) -> String {
        format!("{}@{}", self.mention_id(), self.observed_at().as_millis())
    }

    fn origin(&self) -> Cow<'static, str> {
        format!("/echolot/ingest/{}", self.source()).into()
    }

    fn time(&self) -> Timestamp {
        self.observed_at()
    }

    fn source(&self) -> &SourceName {
        self.source()
    }

    fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        match self {
            Self::Observed(observed) => json(observed),
            Self::Deleted(deleted) => json(deleted),
        }
    }

    fn from_json(event_type: EventType, payload: &[u8]) -> Result<Self, CodecError> {
        match event_type {
            EventType::MentionObserved => {
                parse::<Observed>(event_type, payload).map(|o| Self::Observed(Box::new(o)))
            }
            EventType::MentionDeleted => parse::<Deleted>(event_type, payload).map(Self::Deleted),
            other => Err(CodecError::UnknownType(other.as_str().to_owned())),
        }
    }
}

impl Event for EnrichedEvent {
    fn event_type(&self) -> EventType {
        match self {
            Self::Enriched(_) => EventType::MentionEnriched,
            Self::Unmatched(_) => EventType::MentionUnmatched,
            Self::Erased(_) => EventType::MentionErased,
        }
    }

    fn key(&self) -> MentionId {
        self.mention_id()
    }

    fn event_id(&self) -> String {
        format!("{}/{}", self.raw().partition, self.raw().offset)
    }

    fn origin(&self) -> Cow<'static, str> {
        "/echolot/enrich".into()
    }

    fn time(&self) -> Timestamp {
        match self {
            Self::Enriched(enriched) => enriched.enriched_at,
            Self::Unmatched(retracted) | Self::Erased(retracted) => retracted.observed_at,
        }
    }

    fn source(&self) -> &SourceName {
        self.source()
    }

    fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        match self {
            Self::Enriched(enriched) => json(enriched),
            Self::Unmatched(retracted) | Self::Erased(retracted) => json(retracted),
        }
    }

    fn from_json(event_type: EventType, payload: &[u8]) -> Result<Self, CodecError> {
        match event_type {
            EventType::MentionEnriched => {
                parse::<Enriched>(event_type, payload).map(|e| Self::Enriched(Box::new(e)))
            }
            EventType::MentionUnmatched => {
                parse::<Retracted>(event_type, payload).map(Self::Unmatched)
            }
            EventType::MentionErased => parse::<Retracted>(event_type, payload).map(Self::Erased),
            other => Err(CodecError::UnknownType(other.as_str().to_owned())),
        }
    }
}

fn json<T: Serialize>(value: &T) -> serde_json::Result<Vec<u8>> {
    // One allocation for nearly every mention: the median record is below this size.
    let mut out = Vec::with_capacity(1024);
    serde_json::to_writer(&mut out, value)?;
    Ok(out)
}

fn parse<'a, T: serde::Deserialize<'a>>(
    event_type: EventType,
    payload: &'a [u8],
) -> Result<T, CodecError> {
    serde_json::from_slice(payload)
        .map_err(|source| CodecError::Malformed { event: event_type.as_str(), source })
}
