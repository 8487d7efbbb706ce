use echolot_ingest::{observe::Observer, submission::read_submission};
use echolot_schemas::{Mention, MentionId, RawEvent, dead_letter::Reason, limits};

use crate::log::{NOW, observer, settings, source};

fn event(observer: &Observer, json: &str) -> Result<RawEvent, String> {
    let submission = read_submission(json.as_bytes()).map_err(|rejection| rejection.detail)?;
    observer.observe(&source("forum"), submission, NOW).map_err(|rejection| {
        assert_eq!(rejection.reason, Reason::Invalid);
        rejection.detail
    })
}

fn mention(observer: &Observer, json: &str) -> Mention {
    match event(observer, json).unwrap() {
        RawEvent::Observed(seen) => seen.mention,
        RawEvent::Deleted(_) => panic!("deleted"),
    }
}

const FULL: &str = r##"{
    "id": "p1", "text": "Läuft!", "title": "Update", "published_at": "2026-06-01T12:00:00Z",
    "edited_at": "2026-06-01T13:00:00Z", "language": "de", "author": "ada",
    "url": "https://forum.example/p1", "parent": "p0", "thread": "p0",
    "engagement": {"likes": 3}, "tags": ["#Lob", "release", ""], "country": "DE", "rating": 5
}"##;

#[test]
fn everything_a_submission_says_is_in_the_mention() {
    let mention = mention(&observer(&settings()), FULL);
    let forum = source("forum");
    assert_eq!(mention.id, MentionId::derive(&forum, "p1"));
    assert_eq!(mention.parent_id, Some(MentionId::derive(&forum, "p0")));
    assert_eq!(mention.thread_id, mention.parent_id);
    assert_eq!(mention.tags, ["Lob", "release"]);
    assert_eq!(mention.engagement.likes, Some(3));
    assert_eq!((mention.text.as_str(), mention.rating), ("Läuft!", Some(5)));
    assert_eq!(mention.declared_language.as_deref(), Some("de"));
}

#[test]
fn an_author_is_a_pseudonym_unless_handles_are_kept() {
    let mut settings = settings();
    let author = mention(&observer(&settings), FULL).author.unwrap();
    assert_eq!((author.pseudonym.len(), author.handle), (32, None));
    settings.privacy.keep_handles = true;
    let kept = mention(&observer(&settings), FULL).author.unwrap();
    assert_eq!((kept.pseudonym, kept.handle.as_deref()), (author.pseudonym, Some("ada")));
}

#[test]
fn an_internal_source_never_has_an_author_even_where_handles_are_kept() {
    let mut settings = settings();
    settings.privacy.keep_handles = true;
    settings.ingest.internal_sources = vec!["forum".to_owned()];
    let mention = mention(&observer(&settings), FULL);
    assert!(mention.internal && mention.author.is_none());
}

#[test]
fn a_delete_needs_an_id_alone_and_keeps_no_personal_data() {
    let observer = observer(&settings());
    let deleted = event(&observer, r#"{"id":"p1","deleted":true,"text":"x","author":"ada"}"#);
    let json = echolot_schemas::Event::to_json(&deleted.unwrap()).unwrap();
    let json = String::from_utf8(json).unwrap();
    assert!(!json.contains("ada") && !json.contains("p1") && !json.contains("text"), "{json}");
}

#[test]
fn what_is_missing_or_past_a_limit_is_refused_by_the_senders_name_for_it() {
    let observer = observer(&settings());
    let long = "x".repeat(limits::TEXT_BYTES + 1);
    let time = r#""published_at":"2026-06-01T12:00:00Z""#;
    for (json, detail) in [
        (format!(r#"{{"id":"","text":"a",{time}}}"#), "id: is empty"),
        (r#"{"id":"1","text":"a"}"#.to_owned(), "published_at: is missing"),
        (format!(r#"{{"id":"1",{time}}}"#), "text: is empty; a mention needs a text or a title"),
        (format!(r#"{{"id":"1","text":"  \n",{time}}}"#), "text: is empty"),
        (format!(r#"{{"id":"1","text":"{long}",{time}}}"#), "text: is 65537 bytes, at most 65536"),
        (format!(r#"{{"id":"1","text":"a\u0000b",{time}}}"#), "text: holds a NUL character"),
        (format!(r#"{{"id":"1\u0000","text":"a",{time}}}"#), "id: holds a NUL character"),
        (format!(r#"{{"id":"{long}","text":"a",{time}}}"#), "id: is 65537 bytes, at most 512"),
        (format!(r#"{{"id":"1","text":"a","author":"{long}",{time}}}"#), "author: is 65537 bytes"),
        (format!(r#"{{"id":"1","text":"a","parent":"{long}",{time}}}"#), "parent: is 65537 bytes"),
        (format!(r#"{{"id":"1","text":"a","language":"{long}",{time}}}"#), "language: is 65537"),
        (format!(r#"{{"id":"1","text":"a","url":"javascript:x",{time}}}"#), "url: must begin with"),
        (format!(r#"{{"id":"1","text":"a","rating":6,{time}}}"#), "rating: must be 1 to 5"),
        (
            r#"{"id":"1","text":"a","published_at":"1970-01-01T00:00:00Z"}"#.to_owned(),
            "published_at: 1970-01-01T00:00:00.000Z lies before",
        ),
        (
            r#"{"id":"1","text":"a","published_at":"2100-01-01T00:00:00Z"}"#.to_owned(),
            "published_at: 2100-01-01T00:00:00.000Z lies more than a day after",
        ),
    ] {
        let refused = event(&observer, &json).unwrap_err();
        assert!(refused.starts_with(detail), "{refused:?} should begin with {detail:?}");
    }
}

#[test]
fn an_optional_field_that_is_empty_counts_as_absent() {
    let json = r#"{"id":"1","text":"a","published_at":"2026-06-01T12:00:00Z",
                   "url":"","author":"","parent":"","title":"","language":""}"#;
    let mention = mention(&observer(&settings()), json);
    assert_eq!((mention.url, mention.author, mention.parent_id), (None, None, None));
}

#[test]
fn json_that_is_no_submission_is_refused_with_the_column() {
    for (json, detail) in [
        (r#"{"id":"1","id":"2"}"#, "duplicate field `id` (column 14)"),
        (r#"{"id":"1","colour":"red"}"#, "unknown field `colour`"),
        (r#"{"id":1}"#, "invalid type: integer `1`, expected a string"),
        (r#"{"id":"1""#, "EOF while parsing an object"),
        (r#"{"text":"a"}"#, "missing field `id`"),
        ("[]", "invalid length 0"),
    ] {
        let refused = read_submission(json.as_bytes()).unwrap_err();
        assert_eq!(refused.reason, Reason::Malformed);
        assert!(refused.detail.starts_with(detail), "{json}: {}", refused.detail);
    }
    let refused = read_submission(b"{\"id\":\"\xe4\"}").unwrap_err();
    assert!(refused.detail.starts_with("byte 8 (0xe4) is no valid UTF-8"), "{}", refused.detail);
}
