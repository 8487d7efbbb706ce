//! Comments of the `YouTube` Data API v3 as submissions.

use bytes::Bytes;
use echolot_pipeline::stage::Rejection;
use echolot_schemas::{Timestamp, mention::Engagement, submission::Submission};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::submission::malformed_json;

/// `commentThreads.list`, `comments.list`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct List {
    #[serde(default)]
    pub(crate) items: Vec<Box<RawValue>>,
    pub(crate) next_page_token: Option<String>,
}

/// A comment thread: its first comment, and some of its replies.
#[derive(Deserialize)]
pub(crate) struct Thread {
    pub(crate) id: String,
    pub(crate) snippet: ThreadSnippet,
    #[serde(default)]
    pub(crate) replies: Replies,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ThreadSnippet {
    pub(crate) top_level_comment: Box<RawValue>,
    #[serde(default)]
    pub(crate) total_reply_count: u64,
    video_id: Option<String>,
}

#[derive(Default, Deserialize)]
pub(crate) struct Replies {
    #[serde(default)]
    pub(crate) comments: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Comment {
    id: String,
    snippet: Snippet,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Snippet {
    text_display: String,
    author_display_name: Option<String>,
    author_channel_id: Option<Channel>,
    video_id: Option<String>,
    parent_id: Option<String>,
    like_count: Option<u64>,
    published_at: Timestamp,
    updated_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Channel {
    value: String,
}

/// The id of a thread or comment that may be unreadable otherwise.
pub(crate) fn id(json: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        id: String,
    }
    serde_json::from_str::<Named>(json.get()).ok().map(|named| named.id)
}

/// What is known of a comment before its content is read.
pub(crate) struct Head {
    pub(crate) id: String,
    pub(crate) published: Timestamp,
}

impl Thread {
    /// The video that it is below.
    pub(crate) fn video(&self) -> Option<&str> {
        self.snippet.video_id.as_deref()
    }
}

/// Id and time, whatever else is wrong with a comment.
pub(crate) fn head(json: &RawValue) -> Option<Head> {
    #[derive(Deserialize)]
    struct Minimum {
        id: String,
        snippet: Times,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Times {
        published_at: Timestamp,
    }
    let comment: Minimum = serde_json::from_str(json.get()).ok()?;
    Some(Head { id: comment.id, published: comment.snippet.published_at })
}

/// The mention that a comment is. Replies of `comments.list` do not name their video.
pub(crate) fn read(
    json: &Bytes,
    video: Option<&str>,
    replies: Option<u64>,
) -> Result<Option<Submission>, Rejection> {
    let Comment { id, snippet } =
        serde_json::from_slice(json).map_err(|error| malformed_json(json, &error))?;
    let video = snippet.video_id.as_deref().or(video);
    let author = snippet.author_channel_id.map(|channel| channel.value);
    Ok(Some(Submission {
        url: video.map(|video| format!("https://www.youtube.com/watch?v={video}&lc={id}")),
        id,
        text: Some(snippet.text_display),
        published_at: Some(snippet.published_at),
        edited_at: snippet.updated_at.filter(|at| *at > snippet.published_at),
        author: author.or(snippet.author_display_name),
        parent: snippet.parent_id.clone(),
        thread: snippet.parent_id,
        engagement: Some(Engagement {
            likes: snippet.like_count,
            replies,
            ..Engagement::default()
        }),
        ..Submission::default()
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REPLY: &str = r#"{"kind":"youtube#comment","id":"Ug.r","snippet":{"videoId":"v1",
        "textDisplay":"Stimmt & gut","textOriginal":"Stimmt & gut","parentId":"Ug",
        "authorDisplayName":"@ada","authorChannelId":{"value":"UC1"},"likeCount":2,
        "publishedAt":"2026-06-01T12:00:00Z","updatedAt":"2026-06-01T12:05:00Z"}}"#;

    #[test]
    fn a_reply_has_thread_likes_edit_and_a_link_to_itself() {
        let said = read(&Bytes::from(REPLY), None, None).unwrap().unwrap();
        assert_eq!(said.thread.as_deref(), Some("Ug"));
        assert_eq!(said.author.as_deref(), Some("UC1"));
        assert_eq!(said.engagement.unwrap().likes, Some(2));
        assert_eq!(said.edited_at.unwrap().to_string(), "2026-06-01T12:05:00.000Z");
        assert_eq!(said.url.as_deref(), Some("https://www.youtube.com/watch?v=v1&lc=Ug.r"));
    }

    proptest! {
        #[test]
        fn a_comment_cut_or_changed_anywhere_makes_nothing_panic(
            cut in any::<prop::sample::Index>(), byte in any::<u8>(),
        ) {
            let mut bytes = REPLY.as_bytes().to_vec();
            let at = cut.index(bytes.len());
            bytes[at] = byte;
            let _ = read(&Bytes::from(bytes.clone()), None, None);
            bytes.truncate(at);
            let _ = read(&Bytes::from(bytes), None, None);
        }
    }
}
