//! An author who is gone: the value on `ingest.purges`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{SourceName, Timestamp};

/// Every mention of this author at this source is to be deleted. Holds no handle.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct PurgeRequest {
    /// Where.
    pub source: SourceName,
    /// The author's pseudonym, as in `mention.observed`.
    pub pseudonym: String,
    /// When ingest learned of it.
    pub requested_at: Timestamp,
}

impl PurgeRequest {
    /// Its key on the topic. A second request for the same author has another one, so that what
    /// takes back the first leaves the second.
    pub fn key(&self) -> String {
        format!("{}@{}", self.pseudonym, self.requested_at.as_millis())
    }
}
