//! A message of Viva Engage (the Yammer REST API) as a submission.

use bytes::Bytes;
use echolot_pipeline::stage::Rejection;
use echolot_schemas::{Timestamp, mention::Engagement, submission::Submission};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::submission::{malformed, malformed_json};

/// `GET /api/v1/messages….json`.
#[derive(Deserialize)]
pub(crate) struct Messages {
    pub(crate) messages: Vec<Box<RawValue>>,
    #[serde(default)]
    pub(crate) meta: Meta,
}

#[derive(Default, Deserialize)]
pub(crate) struct Meta {
    /// True when messages older than those listed fit the request.
    #[serde(default)]
    pub(crate) older_available: bool,
}

/// What a message may hold that is of use. Who sent it is not read at all.
#[derive(Deserialize)]
struct Message {
    id: u64,
    replied_to_id: Option<u64>,
    thread_id: Option<u64>,
    created_at: String,
    #[serde(default)]
    body: Body,
    title: Option<String>,
    web_url: Option<String>,
    language: Option<String>,
    #[serde(default)]
    liked_by: Count,
    #[serde(default)]
    #[serde(rename = "system_message")]
    by_system: bool,
}

#[derive(Default, Deserialize)]
struct Body {
    #[serde(default)]
    plain: String,
}

#[derive(Default, Deserialize)]
struct Count {
    count: Option<u64>,
}

/// The id of a message, whatever else is wrong with it.
pub(crate) fn id(json: &RawValue) -> Option<u64> {
    #[derive(Deserialize)]
    struct Id {
        id: u64,
    }
    serde_json::from_str::<Id>(json.get()).ok().map(|message| message.id)
}

/// The mention that a message is; none for what the system itself says ("… joined").
pub(crate) fn read(json: &Bytes) -> Result<Option<Submission>, Rejection> {
    let message: Message =
        serde_json::from_slice(json).map_err(|error| malformed_json(json, &error))?;
    if message.by_system {
        return Ok(None);
    }
    let published_at = time(&message.created_at)?;
    let thread = message.thread_id.filter(|thread| *thread != message.id);
    Ok(Some(Submission {
        id: message.id.to_string(),
        text: Some(message.body.plain),
        title: message.title,
        published_at: Some(published_at),
        language: message.language,
        url: message.web_url,
        parent: message.replied_to_id.map(|id| id.to_string()),
        thread: thread.map(|id| id.to_string()),
        engagement: Some(Engagement { likes: message.liked_by.count, ..Engagement::default() }),
        ..Submission::default()
    }))
}

/// `2026/06/01 12:00:00 +0000`.
fn time(text: &str) -> Result<Timestamp, Rejection> {
    jiff::fmt::strtime::parse("%Y/%m/%d %H:%M:%S %z", text)
        .and_then(|parsed| parsed.to_timestamp())
        .map(|at| Timestamp::from_millis(at.as_millisecond()))
        .map_err(|_| {
            malformed(format!("created_at: {text:.40?} is none such as 2026/06/01 12:00:00 +0000"))
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REPLY: &str = r#"{"id":72,"sender_id":4022984,"replied_to_id":71,"thread_id":71,
        "created_at":"2026/06/01 14:00:00 +0200","message_type":"update","sender_type":"user",
        "body":{"plain":"Die neue Kantine ist top","parsed":"…"},"privacy":"public",
        "web_url":"https://www.yammer.com/example.com/messages/72","language":"de",
        "liked_by":{"count":3,"names":[{"full_name":"someone"}]},"system_message":false}"#;

    #[test]
    fn a_reply_has_parent_thread_likes_and_no_author() {
        let submission = read(&Bytes::from(REPLY)).unwrap().unwrap();
        assert_eq!(submission.parent.as_deref(), Some("71"));
        assert_eq!(submission.thread.as_deref(), Some("71"));
        assert_eq!(submission.engagement.unwrap().likes, Some(3));
        assert_eq!(submission.published_at.unwrap().to_string(), "2026-06-01T12:00:00.000Z");
        assert_eq!(submission.author, None);
    }

    #[test]
    fn a_time_of_another_shape_is_named() {
        let rejection = read(&Bytes::from(REPLY.replace("2026/06/01", "June"))).unwrap_err();
        assert!(rejection.detail.starts_with("created_at: \"June"), "{}", rejection.detail);
    }

    #[test]
    fn what_the_system_says_is_no_mention() {
        let joined = REPLY.replace("\"system_message\":false", "\"system_message\":true");
        assert_eq!(read(&Bytes::from(joined)), Ok(None));
    }

    proptest! {
        #[test]
        fn a_message_cut_or_changed_anywhere_makes_nothing_panic(
            cut in any::<prop::sample::Index>(), byte in any::<u8>(),
        ) {
            let mut bytes = REPLY.as_bytes().to_vec();
            let at = cut.index(bytes.len());
            bytes[at] = byte;
            let _ = read(&Bytes::from(bytes.clone()));
            bytes.truncate(at);
            let _ = read(&Bytes::from(bytes));
        }
    }
}
