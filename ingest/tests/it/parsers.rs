//! The parser of every kind of source, fed what a platform says with parts of it broken: it never
//! panics, takes a bounded time, and whatever it makes of it is accepted or refused with a reason.
//!
//! `PROPTEST_CASES=20000 cargo test -p echolot-ingest --test it parsers` looks for longer.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use bytes::Bytes;
use echolot_ingest::{
    observe::Observer,
    sources::{CommonSettings, KINDS, SampleContext, SourceOptions, kind},
};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

use crate::{
    jetstream::{as_v2, recorded},
    log::{clock, observer, settings, source},
};

/// Longest that one input may take, unoptimised and on a busy machine.
const LONGEST: Duration = Duration::from_secs(2);
/// Most bytes of one input, so that repeated parts do not grow for ever.
const MOST: usize = 1 << 20;

/// Parts that break parsers more often than chance finds them.
const TOKENS: [&[u8]; 34] = [
    b"<",
    b">",
    b"&",
    b"\"",
    b"'",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"\\",
    b"\\ud800",
    b"\\u0000",
    b"null",
    b"true",
    b"-1",
    b"1e999",
    b"99999999999999999999",
    b"-9223372036854775808",
    b"0.1",
    b"{}",
    b"[]",
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"<!DOCTYPE a [<!ENTITY b \"&b;&b;\">]>",
    b"&#x110000;",
    b"&#0;",
    b"xmlns:a=\"\"",
    "\u{202e}ä👍\u{feff}".as_bytes(),
    b"\xff\xfe",
    b"\0",
    b"\n",
];

/// One thing done to the bytes.
#[derive(Clone, Debug)]
enum Edit {
    Cut(Index),
    Remove(Index, Index),
    Repeat(Index, Index, u8),
    Insert(Index, Index),
    Flip(Index, u8),
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let range = |from: &Index, to: &Index| {
            let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
            from.min(to)..from.max(to)
        };
        match self {
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Remove(from, to) => drop(bytes.drain(range(from, to))),
            Self::Repeat(from, to, times) => {
                let range = range(from, to);
                let most = MOST.saturating_sub(bytes.len()) / range.len().max(1);
                let again = bytes[range.clone()].repeat(usize::from(*times).min(most));
                bytes.splice(range.end..range.end, again);
            }
            Self::Insert(at, token) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, token.get(&TOKENS).iter().copied());
            }
            Self::Flip(at, bits) => {
                let at = at.index(bytes.len());
                bytes[at] ^= bits;
            }
        }
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    prop_oneof![
        1 => at().prop_map(Edit::Cut),
        2 => (at(), at()).prop_map(|(from, to)| Edit::Remove(from, to)),
        1 => (at(), at(), any::<u8>()).prop_map(|(from, to, times)| Edit::Repeat(from, to, times)),
        4 => (at(), at()).prop_map(|(at, token)| Edit::Insert(at, token)),
        2 => (at(), any::<u8>()).prop_map(|(at, bits)| Edit::Flip(at, bits)),
    ]
}

/// What a platform says, and the options to read it with.
fn samples(name: &str) -> (Value, Vec<Vec<u8>>) {
    let one = |value: Value| (json!({}), vec![value.to_string().into_bytes()]);
    match name {
        "discourse" => {
            let post = json!({ "id": 7, "topic_id": 9, "post_number": 2, "post_type": 1, "version": 2,
                "username": "ada", "created_at": "2026-06-01T12:00:00Z",
                "updated_at": "2026-06-01T12:10:00Z", "cooked": "<p>Hallo <b>Welt</b></p>",
                "reply_to_post_number": 1, "category_id": 5, "reads": 3, "topic_title": "Bahn",
                "actions_summary": [{ "id": 2, "count": 4 }] });
            (json!({ "url": "https://forum.example" }), one(json!({ "latest_posts": [post] })).1)
        }
        "feed" => {
            let read = |name: &str| fs::read(format!("tests/feeds/{name}")).unwrap();
            let names =
                ["rss-2.0.xml", "atom-1.0.xml", "json-1.1.json", "rss-entities.xml", "rss-1.0.xml"];
            (json!({}), names.map(read).to_vec())
        }
        "googleplay" => one(json!({ "reviews": [{ "reviewId": "gp:1", "comments": [
            { "userComment": { "text": "Gut\tLäuft", "lastModified": { "seconds": "1780315200" },
                "starRating": 4, "reviewerLanguage": "de", "thumbsUpCount": 3 } },
            { "developerComment": { "text": "Danke", "lastModified": { "seconds": "1780318800" } } }] }] })),
        "hackernews" => {
            one(json!({ "id": 8, "type": "comment", "by": "ada", "time": 1_780_315_200,
            "text": "I &amp; you<p>agree", "parent": 7, "kids": [9, 10] }))
        }
        "jetstream" => {
            let lines = recorded();
            let framed = |(line, seq): (&String, i64)| as_v2(line, seq);
            let framed: Vec<String> = lines.iter().zip(1..).map(framed).collect();
            (json!({}), vec![framed.join("\n").into_bytes()])
        }
        "mastodon" => {
            let status = json!({ "id": "1", "created_at": "2026-06-01T12:00:00Z", "visibility": "public",
                "content": "<p>Hallo <a href='https://x.example'>Welt</a></p>", "language": "de",
                "uri": "https://m.example/1", "url": "https://m.example/@ada/1", "spoiler_text": "Politik",
                "in_reply_to_id": "0", "account": { "acct": "ada" }, "tags": [{ "name": "bahn" }],
                "favourites_count": 1, "reblogs_count": 2, "replies_count": 3 });
            let event =
                json!({ "stream": ["public"], "event": "update", "payload": status.to_string() });
            let options = json!({ "url": "https://m.example" });
            (options, [json!([status]), event].map(|said| said.to_string().into_bytes()).to_vec())
        }
        "mattermost" => {
            let post = json!({ "id": "a", "channel_id": "c", "create_at": 1_780_315_200_000_i64,
                "update_at": 1_780_315_200_000_i64, "root_id": "", "message": "Mehr *Homeoffice*",
                "hashtags": "#mobil", "reply_count": 1 });
            one(json!({ "event": "posted", "data": { "post": post.to_string() }, "seq": 1 }))
        }
        "reddit" => {
            one(json!({ "kind": "Listing", "data": { "children": [{ "kind": "t1", "data": {
            "name": "t1_b", "link_id": "t3_a", "parent_id": "t3_a", "author": "ada",
            "created_utc": 1_780_315_200.0, "edited": false, "score": 3, "body": "*Läuft*",
            "body_html": "<p><em>Läuft</em></p>", "subreddit": "de" } }] } }))
        }
        "viva" => one(json!({ "messages": [{ "id": 72, "replied_to_id": 71, "thread_id": 71,
            "created_at": "2026/06/01 14:00:00 +0200", "message_type": "update",
            "body": { "plain": "Die neue Kantine ist top" }, "liked_by": { "count": 3 },
            "web_url": "https://www.yammer.com/e/messages/72", "system_message": false }] })),
        "webhook" => (
            json!({ "items": "/events", "auth": { "scheme": "token", "secret": "a good long secret" },
                "fields": { "id": { "from": "/id", "prefix": "i-" }, "text": { "from": "/body", "html": true },
                    "published_at": { "from": "/at", "format": "%d.%m.%Y %H:%M", "zone": "Europe/Berlin" },
                    "tags": ["/topics"], "likes": "/votes" } }),
            one(json!({ "events": [{ "id": 17, "body": "<p>Bitte</p>", "at": "01.06.2026 14:00",
                "topics": ["Rad"], "votes": "12" }] }))
            .1,
        ),
        "youtube" => {
            one(json!({ "items": [{ "id": "Ug", "snippet": { "videoId": "v1", "totalReplyCount": 0,
            "topLevelComment": { "id": "Ug", "snippet": { "videoId": "v1", "textDisplay": "Stimmt", "parentId": null,
                "authorChannelId": { "value": "UC1" }, "likeCount": 2,
                "publishedAt": "2026-06-01T12:00:00Z", "updatedAt": "2026-06-01T12:05:00Z" } } } }] }))
        }
        other => panic!("no sample of kind {other}: give it one"),
    }
}

/// Reads as `echolot source test` does; mentions and rejections.
fn read(options: &dyn SourceOptions, observer: &Observer, bytes: Vec<u8>) -> (usize, Vec<String>) {
    let (name, common, clock) = (source("played"), CommonSettings::default(), clock());
    let file = Path::new("sample");
    let context = SampleContext { name: &name, file, common: &common, clock: &clock };
    let began = Instant::now();
    let page = match options.judge_sample(&context, Bytes::from(bytes)) {
        Ok(page) => page,
        Err(rejection) => return (0, vec![rejection.detail]),
    };
    let mut told: Vec<_> = page.rejected.into_iter().map(|one| one.rejection.detail).collect();
    let mut accepted = 0;
    let later = "2026-08-01T00:00:00Z".parse().unwrap();
    for one in page.observations {
        match observer.observe(&one.source, one.submission, later) {
            Ok(_) => accepted += 1,
            Err(rejection) => told.push(rejection.detail),
        }
    }
    let took = began.elapsed();
    assert!(took < LONGEST, "{took:?}");
    (accepted, told)
}

fn options(name: &str, options: Value) -> std::sync::Arc<dyn SourceOptions> {
    kind(name).unwrap().read(options).unwrap()
}

#[test]
fn what_each_platform_says_is_read_whole() {
    let observer = observer(&settings());
    for kind in KINDS {
        let (given, samples) = samples(kind.name);
        for sample in samples {
            let (accepted, rejected) =
                read(options(kind.name, given.clone()).as_ref(), &observer, sample);
            assert!(accepted > 0 && rejected.is_empty(), "{}: {accepted}, {rejected:?}", kind.name);
        }
    }
}

proptest! {
    #[test]
    fn nothing_that_a_platform_may_say_makes_its_parser_panic_or_slow(
        edits in prop::collection::vec(edit(), 1..12),
        which in any::<Index>(),
    ) {
        let observer = observer(&settings());
        for kind in KINDS {
            let (given, samples) = samples(kind.name);
            let mut bytes = which.get(&samples).clone();
            for edit in &edits {
                edit.apply(&mut bytes);
            }
            let (_, rejected) = read(options(kind.name, given).as_ref(), &observer, bytes);
            for detail in rejected {
                prop_assert!(!detail.is_empty() && detail.len() < 2000, "{}: {detail}", kind.name);
            }
        }
    }
}
