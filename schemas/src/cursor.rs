//! Where a source goes on: the value on `ingest.cursors`, keyed by cursor name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A source's place, saved only after everything before it was acknowledged by Kafka.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CursorRecord {
    /// The place, in the source's own terms.
    pub position: String,
    /// When it was saved.
    pub saved_at: Timestamp,
}
