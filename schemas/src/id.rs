//! Identities: which mention, from which source.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Namespace of all mention ids: drawn once, fixed for ever.
const NAMESPACE: Uuid = Uuid::from_u128(0x8f6a_0a0e_7d0d_5f6c_9b7e_3c1f_52e4_a901);

/// Which mention: UUIDv5 (RFC 9562) of `(source, native id)`.
///
/// The same post seen twice (reconnect, overlap, repeated backfill) has the same id, so it is one
/// mention. It is also the key of every Kafka record about the mention.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct MentionId(Uuid);

impl MentionId {
    /// The id of the post that `source` knows as `native_id`.
    pub fn derive(source: &SourceName, native_id: &str) -> Self {
        // A unit separator cannot occur in a source name, so no two pairs share a spelling.
        let mut name = Vec::with_capacity(source.as_str().len() + 1 + native_id.len());
        name.extend_from_slice(source.as_str().as_bytes());
        name.push(0x1f);
        name.extend_from_slice(native_id.as_bytes());
        Self(Uuid::new_v5(&NAMESPACE, &name))
    }

    /// The id as a UUID.
    pub const fn as_uuid(&self) -> &Uuid {
        &self.0
    }
}

impl From<Uuid> for MentionId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for MentionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for MentionId {
    type Err = uuid::Error;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(s).map(Self)
    }
}

/// Name of a source: 1 to 64 of `a-z 0-9 . _ -`, beginning with a letter or digit.
///
/// It is part of the mention id and of metric labels, hence the narrow alphabet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceName(String);

/// A name that breaks the rule of [`SourceName`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("source name {0:?} must be 1 to 64 of a-z 0-9 . _ - and begin with a letter or digit")]
pub struct InvalidName(String);

impl SourceName {
    /// Checks and wraps a name.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidName> {
        let name = name.into();
        let bytes = name.as_bytes();
        let allowed = |b: &u8| {
            b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-')
        };
        let starts_well = bytes.first().is_some_and(u8::is_ascii_alphanumeric);
        if starts_well && bytes.len() <= 64 && bytes.iter().all(allowed) {
            Ok(Self(name))
        } else {
            // An attacker's megabyte must not travel on in the error.
            Err(InvalidName(name.chars().take(80).collect()))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl JsonSchema for SourceName {
    fn schema_name() -> Cow<'static, str> {
        "SourceName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,63}$" })
    }
}

impl TryFrom<String> for SourceName {
    type Error = InvalidName;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl From<SourceName> for String {
    fn from(name: SourceName) -> Self {
        name.0
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SourceName {
    type Err = InvalidName;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::new(s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_post_has_the_same_id_and_another_source_another() {
        let forum = SourceName::new("forum").unwrap();
        let ideas = SourceName::new("ideas").unwrap();
        assert_eq!(MentionId::derive(&forum, "1"), MentionId::derive(&forum, "1"));
        assert_ne!(MentionId::derive(&forum, "1"), MentionId::derive(&ideas, "1"));
    }

    #[test]
    fn ids_never_change_between_releases() {
        let forum = SourceName::new("forum").unwrap();
        insta::assert_snapshot!(MentionId::derive(&forum, "post-1"), @"aae82b26-93e4-5c9d-8be7-697fd8c2819c");
    }

    #[test]
    fn names_that_could_break_a_label_are_refused() {
        for bad in ["", "A", "ä", "-x", "a b", "a\u{1f}b", &"x".repeat(65)] {
            assert!(SourceName::new(bad).is_err(), "{bad:?}");
        }
        for good in ["forum", "rss.heise", "0-x_y", &"x".repeat(64)] {
            assert!(SourceName::new(good).is_ok(), "{good:?}");
        }
    }
}
