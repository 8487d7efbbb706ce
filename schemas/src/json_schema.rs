//! JSON Schemas generated from the types: `schemas/json/` holds them, `cargo xtask generate` writes them.

use schemars::{JsonSchema, Schema, generate::SchemaSettings};

use crate::{
    EventType,
    coverage::SourceCoverage,
    cursor::CursorRecord,
    enriched::{Enriched, Retracted},
    purge::PurgeRequest,
    raw::{Deleted, Observed},
    submission::Submission,
};

/// A schema under the file name it is published as.
#[derive(Debug)]
pub struct Published {
    /// Such as `mention.observed.v1`.
    pub name: &'static str,
    /// JSON Schema, draft 2020-12.
    pub schema: Schema,
}

/// Every published schema: one per event type, and those of what outsiders send and cursors hold.
pub fn all() -> Vec<Published> {
    let mut published: Vec<Published> = EventType::ALL.into_iter().map(of_event).collect();
    published.push(Published { name: "submission.v1", schema: of::<Submission>() });
    published.push(Published { name: "cursor.v1", schema: of::<CursorRecord>() });
    published.push(Published { name: "source.coverage.v1", schema: of::<SourceCoverage>() });
    published.push(Published { name: "author.purge.v1", schema: of::<PurgeRequest>() });
    published
}

fn of_event(event_type: EventType) -> Published {
    let schema = match event_type {
        EventType::MentionObserved => of::<Observed>(),
        EventType::MentionDeleted => of::<Deleted>(),
        EventType::MentionEnriched => of::<Enriched>(),
        EventType::MentionUnmatched | EventType::MentionErased => of::<Retracted>(),
    };
    Published { name: event_type.schema_name(), schema }
}

fn of<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>()
}
