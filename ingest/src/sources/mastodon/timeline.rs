//! Which timelines are followed, by the names that the streaming API gives them.

use std::{fmt, str::FromStr};

use serde::Deserialize;
use serde_json::json;

/// A timeline of an instance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub enum Timeline {
    /// `public`: everything public that the instance knows.
    Public,
    /// `public:local`: what its own people say in public.
    Local,
    /// `#tag`: what carries a hashtag.
    Tag(String),
}

/// A name that is no timeline.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no timeline; say \"public\", \"public:local\" or \"#hashtag\"")]
pub struct InvalidTimeline(String);

impl Timeline {
    /// Path and parameters of its REST form.
    pub fn path(&self) -> (String, &'static [(&'static str, &'static str)]) {
        match self {
            Self::Public => ("api/v1/timelines/public".to_owned(), &[]),
            Self::Local => ("api/v1/timelines/public".to_owned(), &[("local", "true")]),
            Self::Tag(tag) => (format!("api/v1/timelines/tag/{tag}"), &[]),
        }
    }

    /// The message that subscribes to it.
    pub fn subscription(&self) -> String {
        match self {
            Self::Public => json!({"type": "subscribe", "stream": "public"}),
            Self::Local => json!({"type": "subscribe", "stream": "public:local"}),
            Self::Tag(tag) => json!({"type": "subscribe", "stream": "hashtag", "tag": tag}),
        }
        .to_string()
    }

    /// True when a message with this `stream` came through it.
    pub fn is_streamed_as(&self, stream: &[String]) -> bool {
        match (self, stream) {
            (Self::Public, [name, ..]) => name == "public",
            (Self::Local, [name, ..]) => name == "public:local",
            (Self::Tag(tag), [name, streamed, ..]) => {
                name == "hashtag" && streamed.to_lowercase() == tag.to_lowercase()
            }
            _ => false,
        }
    }

    /// True for the timelines that are never empty on an instance where people write.
    pub fn is_public(&self) -> bool {
        matches!(self, Self::Public | Self::Local)
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::Local => f.write_str("public:local"),
            Self::Tag(tag) => write!(f, "#{tag}"),
        }
    }
}

impl FromStr for Timeline {
    type Err = InvalidTimeline;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidTimeline(name.chars().take(80).collect());
        match name {
            "public" => Ok(Self::Public),
            "public:local" => Ok(Self::Local),
            tag => {
                let tag = tag.strip_prefix('#').ok_or_else(invalid)?;
                let plain = |c: char| c.is_alphanumeric() || c == '_';
                // The tag becomes part of a path.
                if tag.is_empty() || tag.len() > 200 || !tag.chars().all(plain) {
                    return Err(invalid());
                }
                Ok(Self::Tag(tag.to_owned()))
            }
        }
    }
}

impl TryFrom<String> for Timeline {
    type Error = InvalidTimeline;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}
