//! Whatever fails and whenever: each item is said once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use echolot_ingest::source::Source as _;
use echolot_schemas::{Timestamp, cursor::CursorRecord};
use proptest::prelude::*;
use serde_json::json;

use super::{Played, Turned, ids, serve, source};

const NEWEST: u64 = 60;
const START: u64 = 1_780_315_200;

/// A subreddit of `NEWEST` comments, of which one more shows with every request.
fn listing(shown: u64, after: Option<&str>) -> String {
    let before = after.map_or(u64::MAX, |name| name[3..].parse().unwrap());
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
}

async fn run(failures: Vec<u8>) -> Vec<String> {
    let asked = Arc::new(AtomicUsize::new(0));
    let (requests, script) = (Arc::clone(&asked), Arc::new(failures));
    let api = serve(move |request| {
        if request.path == "/api/v1/access_token" {
            return Played::ok(r#"{"access_token":"t","expires_in":3600}"#);
        }
        let number = requests.fetch_add(1, Ordering::SeqCst);
        let shown = (10 + number as u64).min(NEWEST);
        let body = listing(shown, request.param("after"));
        match script.get(number) {
            Some(0) => Played::status(500),
            Some(1) => Played::ok(body[..body.len() / 2].to_owned()),
            _ => Played::ok(body),
        }
    })
    .await;
    let time = Turned::at("2026-06-01T12:30:00Z");
    let options = json!({ "approved": true, "client_id": "c", "client_secret": "s", "posts": false,
        "subreddits": ["de"], "api": api, "login": api });
    let mut said = Vec::new();
    let mut cursor: Option<CursorRecord> = None;
    let mut reddit = source("reddit", options.clone(), &time);
    reddit.resume(None).await.unwrap();
    for _ in 0..200 {
        if let Ok(page) = reddit.next_page().await {
            let page = page.unwrap();
            said.extend(ids(&page));
            let saved_at = Timestamp::from_millis(0);
            cursor = page.cursor.map(|position| CursorRecord { position, saved_at });
            if said.len() as u64 == NEWEST {
                break;
            }
        } else {
            // A process that dies goes on at what was saved.
            reddit = source("reddit", options.clone(), &time);
            reddit.resume(cursor.clone()).await.unwrap();
        }
    }
    said
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_schedule_of_failures_and_restarts_yields_each_item_once(
        failures in prop::collection::vec(0_u8..5, 0..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut said = runtime.block_on(run(failures));
        said.sort_by_key(|name| name[3..].parse::<u64>().unwrap());
        let expected: Vec<String> = (1..=NEWEST).map(|id| format!("t1_{id}")).collect();
        prop_assert_eq!(said, expected);
    }
}
