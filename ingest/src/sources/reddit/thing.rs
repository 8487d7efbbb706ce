//! Posts (`t3`) and comments (`t1`) of Reddit's listings as submissions.

use bytes::Bytes;
use echolot_pipeline::stage::Rejection;
use echolot_schemas::{Timestamp, limits, mention::Engagement, submission::Submission};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, value::RawValue};

use crate::{submission::malformed_json, text};

/// A listing, as `/r/NAME/new`, `/r/NAME/comments` and `/api/info` answer.
#[derive(Deserialize)]
pub(crate) struct Listing {
    pub(crate) data: Slice,
}

/// One slice of a listing, newest first.
#[derive(Deserialize)]
pub(crate) struct Slice {
    pub(crate) children: Vec<Box<RawValue>>,
    /// Where the next slice begins; none at the end.
    pub(crate) after: Option<String>,
}

/// What is known of a thing before its content is read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Head {
    /// `t1_…` or `t3_…`.
    pub(crate) name: String,
    pub(crate) created: Timestamp,
}

/// What a thing is now.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum State {
    /// There to be read.
    Said(Box<Submission>),
    /// Deleted by its author or removed by a moderator.
    Gone,
    /// Neither post nor comment.
    Other,
}

#[derive(Deserialize)]
struct Envelope<T> {
    data: T,
}

#[derive(Deserialize)]
struct Content {
    name: String,
    author: Option<String>,
    /// Seconds since 1970, with a fraction of zero.
    created_utc: f64,
    /// `false`, seconds, or `true` for edits of the earliest years.
    #[serde(default)]
    edited: Value,
    title: Option<String>,
    selftext: Option<String>,
    selftext_html: Option<String>,
    body: Option<String>,
    body_html: Option<String>,
    subreddit: Option<String>,
    link_flair_text: Option<String>,
    permalink: Option<String>,
    parent_id: Option<String>,
    link_id: Option<String>,
    #[serde(default, deserialize_with = "score")]
    score: Option<u64>,
    #[serde(default, alias = "hide_score")]
    score_hidden: bool,
    num_comments: Option<u64>,
    num_crossposts: Option<u64>,
    removed_by_category: Option<String>,
}

/// Scores go below zero; likes do not.
fn score<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let score = Option::<i64>::deserialize(deserializer)?;
    Ok(score.map(|score| u64::try_from(score).unwrap_or(0)))
}

/// Name and time, which is all that a walk needs.
pub(crate) fn head(json: &RawValue) -> Option<Head> {
    #[derive(Deserialize)]
    struct Minimum {
        name: String,
        created_utc: f64,
    }
    let thing: Envelope<Minimum> = serde_json::from_str(json.get()).ok()?;
    Some(Head { name: thing.data.name, created: seconds(thing.data.created_utc) })
}

/// Reads one child of a listing.
pub(crate) fn read(json: &Bytes) -> Result<State, Rejection> {
    #[derive(Deserialize)]
    struct Kind {
        kind: String,
    }
    let malformed = |error| malformed_json(json, &error);
    let kind: Kind = serde_json::from_slice(json).map_err(malformed)?;
    if kind.kind != "t1" && kind.kind != "t3" {
        return Ok(State::Other);
    }
    let thing: Envelope<Content> = serde_json::from_slice(json).map_err(malformed)?;
    let content = thing.data;
    if content.is_gone() {
        return Ok(State::Gone);
    }
    Ok(State::Said(Box::new(content.submission())))
}

impl Content {
    /// A comment that merely says "[deleted]" has an author. Where only the account is gone, the
    /// text is still there.
    fn is_gone(&self) -> bool {
        let anonymous = self.author.as_deref().is_none_or(|author| author == "[deleted]");
        let text = self.body.as_deref().or(self.selftext.as_deref()).map(str::trim);
        let taken_away = match text {
            Some("[removed]" | "[ Removed by Reddit ]") => true,
            Some("[deleted]") => anonymous,
            _ => false,
        };
        taken_away || self.removed_by_category.is_some()
    }

    fn submission(self) -> Submission {
        let html = self.body_html.or(self.selftext_html).map(|html| text::of_html(&html));
        let plain = self.body.or(self.selftext);
        let url = match (&self.permalink, &self.link_id) {
            (Some(path), _) => Some(format!("https://www.reddit.com{path}")),
            (None, Some(post)) => {
                let (post, id) = (short(post), short(&self.name));
                Some(format!("https://www.reddit.com/comments/{post}/_/{id}"))
            }
            (None, None) => None,
        };
        let fits = |tag: &String| !tag.is_empty() && tag.len() <= limits::TAG_BYTES;
        let tags = [self.subreddit, self.link_flair_text].into_iter().flatten().filter(fits);
        let engagement = Engagement {
            likes: self.score.filter(|_| !self.score_hidden),
            replies: self.num_comments,
            shares: self.num_crossposts,
            reach: None,
        };
        Submission {
            id: self.name,
            text: html.or(plain),
            title: self.title,
            published_at: Some(seconds(self.created_utc)),
            edited_at: self.edited.as_f64().map(seconds),
            author: self.author.filter(|author| author != "[deleted]"),
            url,
            parent: self.parent_id,
            thread: self.link_id,
            engagement: Some(engagement).filter(|engagement| !engagement.is_empty()),
            tags: tags.collect(),
            ..Submission::default()
        }
    }
}

/// `t3_abc` without its kind.
fn short(name: &str) -> &str {
    name.split_once('_').map_or(name, |(_, id)| id)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "what does not fit is no plausible time, and the observer says so"
)]
fn seconds(seconds: f64) -> Timestamp {
    Timestamp::from_millis((seconds * 1000.0) as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COMMENT: &str = r#"{"kind":"t1","data":{"name":"t1_b","link_id":"t3_a","parent_id":"t3_a",
        "author":"ada","created_utc":1780315200.0,"edited":1780315260.0,"score":-3,
        "body":"*Läuft*","body_html":"<div class=\"md\"><p><em>Läuft</em></p>\n</div>",
        "subreddit":"de","removed_by_category":null}}"#;

    fn state(json: &str) -> State {
        read(&Bytes::copy_from_slice(json.as_bytes())).unwrap()
    }

    #[test]
    fn a_comment_has_plain_text_thread_parent_edit_and_no_negative_likes() {
        let State::Said(said) = state(COMMENT) else { panic!("it is there") };
        assert_eq!(said.text.as_deref(), Some("Läuft"));
        assert_eq!(said.thread.as_deref(), Some("t3_a"));
        assert_eq!(said.parent.as_deref(), Some("t3_a"));
        assert_eq!(said.edited_at.unwrap().to_string(), "2026-06-01T12:01:00.000Z");
        assert_eq!(said.engagement.unwrap().likes, Some(0));
        assert_eq!(said.url.as_deref(), Some("https://www.reddit.com/comments/a/_/b"));
        assert_eq!(said.tags, ["de"]);
    }

    #[test]
    fn deleted_and_removed_are_gone_and_somebody_who_says_deleted_is_not() {
        let deleted = COMMENT.replace("*Läuft*", "[deleted]");
        assert!(matches!(state(&deleted), State::Said(_)));
        assert_eq!(state(&deleted.replace("\"ada\"", "\"[deleted]\"")), State::Gone);
        assert_eq!(state(&COMMENT.replace("*Läuft*", "[removed]")), State::Gone);
        let moderated = r#""removed_by_category":"moderator""#;
        let removed = COMMENT.replace(r#""removed_by_category":null"#, moderated);
        assert_eq!(state(&removed), State::Gone);
        let State::Said(orphan) = state(&COMMENT.replace("\"ada\"", "\"[deleted]\"")) else {
            panic!("only its author is gone")
        };
        assert_eq!(orphan.author, None);
    }

    proptest! {
        #[test]
        fn a_thing_cut_or_changed_anywhere_makes_nothing_panic(
            cut in any::<prop::sample::Index>(), byte in any::<u8>(),
        ) {
            let mut bytes = COMMENT.as_bytes().to_vec();
            let at = cut.index(bytes.len());
            bytes[at] = byte;
            let _ = read(&Bytes::from(bytes.clone()));
            bytes.truncate(at);
            let _ = read(&Bytes::from(bytes));
        }
    }
}
