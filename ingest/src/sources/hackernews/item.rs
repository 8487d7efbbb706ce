//! An item of the Hacker News API (<https://github.com/HackerNews/API>) as a submission.

use echolot_schemas::{Timestamp, mention::Engagement, submission::Submission};
use serde::Deserialize;

use crate::text;

/// One item, as `/v0/item/ID.json` tells it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Item {
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) deleted: bool,
    #[serde(default)]
    pub(crate) dead: bool,
    #[serde(rename = "type", default)]
    kind: Kind,
    by: Option<String>,
    /// Seconds since 1970.
    pub(crate) time: Option<i64>,
    /// HTML.
    text: Option<String>,
    pub(crate) parent: Option<u64>,
    /// HTML.
    title: Option<String>,
    score: Option<i64>,
    #[serde(default)]
    kids: Vec<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Story,
    Comment,
    Job,
    Poll,
    /// Options of polls, and what may come.
    #[default]
    #[serde(other)]
    Other,
}

impl Item {
    /// True when its author or a moderator took it away.
    pub(crate) const fn is_gone(&self) -> bool {
        self.deleted || self.dead
    }

    /// The mention that it is; none for options of polls and for what is gone. `thread` is the story.
    pub(crate) fn submission(&self, thread: Option<u64>) -> Option<Submission> {
        if self.is_gone() || self.kind == Kind::Other {
            return None;
        }
        let engagement = Engagement {
            likes: self.score.and_then(|score| u64::try_from(score).ok()),
            replies: Some(self.kids.len() as u64),
            ..Engagement::default()
        };
        Some(Submission {
            id: self.id.to_string(),
            text: self.text.as_deref().map(text::of_html),
            title: self.title.as_deref().map(text::of_html),
            published_at: self.published(),
            author: self.by.clone(),
            url: Some(format!("https://news.ycombinator.com/item?id={}", self.id)),
            parent: self.parent.map(|id| id.to_string()),
            thread: thread.map(|id| id.to_string()),
            engagement: Some(engagement),
            ..Submission::default()
        })
    }

    /// When it was written.
    pub(crate) fn published(&self) -> Option<Timestamp> {
        self.time.and_then(|seconds| seconds.checked_mul(1000)).map(Timestamp::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn item(json: &str) -> Item {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_comment_is_plain_text_with_parent_thread_and_replies() {
        let comment = item(
            r#"{"by":"ada","id":11,"kids":[12,13],"parent":10,"text":"It&#x27;s <i>fine</i><p>Really.",
                "time":1780315200,"type":"comment"}"#,
        );
        let submission = comment.submission(Some(9)).unwrap();
        assert_eq!(submission.text.as_deref(), Some("It's fine\n\nReally."));
        assert_eq!(submission.parent.as_deref(), Some("10"));
        assert_eq!(submission.thread.as_deref(), Some("9"));
        assert_eq!(submission.engagement.unwrap().replies, Some(2));
        assert_eq!(submission.published_at.unwrap().to_string(), "2026-06-01T12:00:00.000Z");
    }

    #[test]
    fn options_of_polls_and_what_is_gone_are_no_mentions() {
        for json in [
            r#"{"id":1,"type":"pollopt","text":"yes","time":1}"#,
            r#"{"id":1,"type":"comment","deleted":true,"time":1}"#,
            r#"{"id":1,"type":"story","dead":true,"title":"x","time":1}"#,
            r#"{"id":1,"type":"of a later day"}"#,
        ] {
            assert_eq!(item(json).submission(None), None, "{json}");
        }
    }

    proptest! {
        #[test]
        fn no_item_makes_the_reader_panic(
            id in any::<u64>(), time in any::<Option<i64>>(), text in ".{0,80}", score in any::<i64>(),
        ) {
            let json = serde_json::json!({
                "id": id, "time": time, "text": text, "score": score, "type": "story", "title": text,
            });
            let read: Item = serde_json::from_value(json).unwrap();
            let _ = read.submission(None);
        }
    }
}
