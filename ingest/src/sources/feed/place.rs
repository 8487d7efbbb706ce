//! Where a feed goes on: what its server said to say next time, and what was seen.

use std::collections::BTreeMap;

use echolot_schemas::Timestamp;
use serde::{Deserialize, Serialize};

/// The cursor of a feed source: a place for each configured address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Places(pub(super) BTreeMap<String, Place>);

/// One address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    /// Where it has moved for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) moved: Option<String>,
    /// For `If-None-Match`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) etag: Option<String>,
    /// For `If-Modified-Since`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) modified: Option<String>,
    /// Publication time of the newest entry seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) newest: Option<Timestamp>,
    /// The same as of the document before: where a gap would begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gap_from: Option<Timestamp>,
    /// Entries of the document before: hash of the id, hash of the state.
    pub(super) seen: BTreeMap<u64, u64>,
    /// True once the owner said that it is gone (410).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) gone: bool,
}
