//! From a Bluesky post to a submission (lexicon `app.bsky.feed.post`).
//!
//! * Native id: the post's `at://` address, which replies name as well.
//! * Sort time: `createdAt`, which the author's program claims; where that is missing, absurd or in
//!   the future, the time at which Jetstream witnessed the post. An edit keeps `createdAt`.
//! * Author: the DID, which outlives handles and is what an account purge names.

use std::borrow::Cow;

use echolot_schemas::{Timestamp, limits, submission::Submission};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::frame::{Commit, Event, Operation};

/// The collection that holds posts.
pub const POSTS: &str = "app.bsky.feed.post";
/// Longest DID that the AT protocol's specification advises for.
const DID_BYTES: usize = 256;
/// Longest record key.
const RKEY_BYTES: usize = 512;

/// What a commit on posts means.
#[derive(Clone, Debug, PartialEq)]
pub enum Post {
    /// The post in its full present state.
    Said(Submission),
    /// The post is gone.
    Gone(Submission),
    /// A new post of pictures alone: nothing was said.
    Wordless,
}

/// Why a post cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The address is not one.
    #[error("{0} is no identifier of the AT protocol")]
    Address(&'static str),
    /// A post without a record.
    #[error("a post was written, but its record is missing")]
    NoRecord,
    /// The record does not keep to the lexicon.
    #[error("no app.bsky.feed.post: {0}")]
    Malformed(#[from] serde_json::Error),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
    #[serde(borrow, default)]
    created_at: Option<Cow<'a, str>>,
    #[serde(default)]
    langs: Option<Vec<String>>,
    #[serde(default)]
    reply: Option<Reply>,
    #[serde(default)]
    facets: Option<Vec<Facet>>,
    #[serde(default)]
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Reply {
    root: Reference,
    parent: Reference,
}

#[derive(Deserialize)]
struct Reference {
    uri: String,
}

#[derive(Deserialize)]
struct Facet {
    #[serde(default)]
    features: Vec<Feature>,
}

#[derive(Deserialize)]
struct Feature {
    #[serde(default)]
    tag: Option<String>,
}

impl Post {
    /// Reads what `commit`, a part of `event`, does to a post.
    pub fn read(event: &Event<'_>, commit: &Commit<'_>) -> Result<Self, PostError> {
        let id = native_id(&event.did, &commit.rkey)?;
        match (commit.operation, commit.record) {
            (Operation::Delete, _) => Ok(Self::gone(id)),
            (_, None) => Err(PostError::NoRecord),
            (operation, Some(record)) => {
                let said = submission(id, event, commit, operation, record)?;
                Ok(
                    match (
                        said.text.as_deref().is_none_or(|text| text.trim().is_empty()),
                        operation,
                    ) {
                        (false, _) => Self::Said(said),
                        // Its earlier words must not outlive the edit that took them away.
                        (true, Operation::Update) => Self::gone(said.id),
                        (true, _) => Self::Wordless,
                    },
                )
            }
        }
    }

    fn gone(id: String) -> Self {
        Self::Gone(Submission { id, deleted: true, ..Submission::default() })
    }
}

/// The native id of a post.
fn native_id(did: &str, rkey: &str) -> Result<String, PostError> {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-');
    if !did.starts_with("did:")
        || did.len() > DID_BYTES
        || !did.bytes().all(|byte| plain(byte) || byte == b'%')
    {
        return Err(PostError::Address("did"));
    }
    if rkey.is_empty()
        || rkey.len() > RKEY_BYTES
        || !rkey.bytes().all(|byte| plain(byte) || byte == b'~')
    {
        return Err(PostError::Address("rkey"));
    }
    Ok(format!("at://{did}/{POSTS}/{rkey}"))
}

fn submission(
    id: String,
    event: &Event<'_>,
    commit: &Commit<'_>,
    operation: Operation,
    record: &RawValue,
) -> Result<Submission, PostError> {
    let record: Record<'_> = serde_json::from_str(record.get())?;
    let witnessed = Timestamp::from_millis(event.mark.time_us.div_euclid(1000));
    let claimed = record.created_at.and_then(|text| text.parse::<Timestamp>().ok());
    let (parent, thread) = record.reply.map(|reply| (reply.parent.uri, reply.root.uri)).unzip();
    Ok(Submission {
        id,
        text: Some(record.text.into_owned()),
        published_at: Some(
            claimed.filter(|at| (limits::EARLIEST..=witnessed).contains(at)).unwrap_or(witnessed),
        ),
        edited_at: (operation == Operation::Update).then_some(witnessed),
        language: record.langs.and_then(|langs| langs.into_iter().next()),
        author: Some(event.did.to_string()),
        url: Some(format!("https://bsky.app/profile/{}/post/{}", event.did, commit.rkey)),
        parent,
        thread,
        tags: tags(record.facets, record.tags),
        ..Submission::default()
    })
}

/// Hashtags in the text and those that stand beside it, each once.
fn tags(facets: Option<Vec<Facet>>, beside: Option<Vec<String>>) -> Vec<String> {
    let features = facets.into_iter().flatten().flat_map(|facet| facet.features);
    let mut tags: Vec<String> = Vec::new();
    for tag in features.filter_map(|feature| feature.tag).chain(beside.into_iter().flatten()) {
        if tags.len() < limits::TAGS && !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}
