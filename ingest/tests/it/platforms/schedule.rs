//! Whatever fails and whenever, and whenever the process dies: each item is said once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use echolot_ingest::source::Source as _;
use echolot_schemas::{Timestamp, cursor::CursorRecord};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Asked, Played, Turned, ids, serve, source};

const NEWEST: u64 = 60;
const START: u64 = 1_780_315_200;

/// A platform that shows `NEWEST` items, one more with every request, and what it is called.
struct Show {
    kind: &'static str,
    prefix: &'static str,
    /// What it answers when so many are shown.
    answer: fn(u64, &Asked) -> String,
    /// Options beside its address.
    options: fn(&str) -> Value,
}

const REDDIT: Show = Show {
    kind: "reddit",
    prefix: "t1_",
    answer: |shown, asked| {
        let before = asked.param("after").map_or(u64::MAX, |name| name[3..].parse().unwrap());
        let fitting: Vec<u64> = (1..=shown).rev().filter(|id| *id < before).collect();
        let slice = &fitting[..fitting.len().min(7)];
        let children: Vec<_> = slice
            .iter()
            .map(|id| {
                json!({ "kind": "t1", "data": { "name": format!("t1_{id}"), "created_utc": START + id,
                    "author": "ada", "body": "says", "link_id": "t3_1", "parent_id": "t3_1" } })
            })
            .collect();
        let more = fitting.len() > slice.len();
        let after = slice.last().filter(|_| more).map(|id| format!("t1_{id}"));
        json!({ "kind": "Listing", "data": { "children": children, "after": after } }).to_string()
    },
    options: |api| {
        json!({ "approved": true, "client_id": "c", "client_secret": "s", "posts": false,
            "subreddits": ["de"], "api": api, "login": api })
    },
};

const MASTODON: Show = Show {
    kind: "mastodon",
    prefix: "",
    answer: |shown, asked| {
        let least: u64 = asked.param("min_id").map_or(0, |id| id.parse().unwrap());
        let newer: Vec<u64> = (1..=shown).filter(|id| *id > least).collect();
        let at = |id: u64| Timestamp::from_millis(i64::try_from(START + id).unwrap() * 1000);
        let status = |id: &u64| {
            json!({ "id": id.to_string(), "created_at": at(*id), "visibility": "public",
                "content": "<p>says</p>", "account": { "acct": "ada" } })
        };
        // Those right behind `min_id`, newest first.
        let slice = newer.iter().take(40).rev().map(status);
        Value::Array(slice.collect()).to_string()
    },
    options: |api| json!({ "url": api, "timelines": ["#bahn"], "pace": "0s" }),
};

const FEED: Show = Show {
    kind: "feed",
    prefix: "",
    answer: |shown, _| {
        let item = |id: u64| {
            format!("<item><guid isPermaLink='false'>{id}</guid><title>says {id}</title></item>")
        };
        // As in most feeds, the twenty newest.
        let items: String = (1..=shown).rev().take(20).map(item).collect();
        format!("<rss version='2.0'><channel><title>t</title>{items}</channel></rss>")
    },
    options: |api| json!({ "urls": [api] }),
};

async fn run(show: &Show, failures: Vec<u8>) -> Vec<String> {
    let asked = Arc::new(AtomicUsize::new(0));
    let (requests, script, answer) = (Arc::clone(&asked), Arc::new(failures), show.answer);
    let api = serve(move |request| {
        if request.path == "/api/v1/access_token" {
            return Played::ok(r#"{"access_token":"t","expires_in":3600}"#);
        }
        let number = requests.fetch_add(1, Ordering::SeqCst);
        let shown = (10 + number as u64).min(NEWEST);
        let body = answer(shown, &request);
        match script.get(number) {
            Some(0) => Played::status(500),
            Some(1) => Played::ok(body[..body.len() / 2].to_owned()),
            _ => Played::ok(body),
        }
    })
    .await;
    let time = Turned::at("2026-06-01T12:30:00Z");
    let options = (show.options)(&api);
    let mut said = Vec::new();
    let mut cursor: Option<CursorRecord> = None;
    let mut platform = source(show.kind, options.clone(), &time);
    platform.resume(None).await.unwrap();
    for _ in 0..200 {
        if let Ok(page) = platform.next_page().await {
            let page = page.unwrap();
            said.extend(ids(&page));
            let saved_at = Timestamp::from_millis(0);
            cursor = page.cursor.map(|position| CursorRecord { position, saved_at }).or(cursor);
            if said.len() as u64 >= NEWEST {
                break;
            }
        } else {
            // A process that dies goes on at what was saved.
            platform = source(show.kind, options.clone(), &time);
            platform.resume(cursor.clone()).await.unwrap();
        }
    }
    said
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_schedule_of_failures_and_restarts_yields_each_item_once(
        // A feed shows twenty: more failures in a row than that would be a gap.
        failures in prop::collection::vec(0_u8..5, 0..40).prop_filter("less than a window", |all| {
            all.split(|one| *one > 1).all(|row| row.len() < 9)
        }),
    ) {
        for show in [REDDIT, MASTODON, FEED] {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let mut said = runtime.block_on(run(&show, failures.clone()));
            let number = |name: &String| name[show.prefix.len()..].parse::<u64>().unwrap();
            said.sort_by_key(number);
            let expected: Vec<_> = (1..=NEWEST).map(|id| format!("{}{id}", show.prefix)).collect();
            prop_assert_eq!(said, expected, "{}", show.kind);
        }
    }
}
