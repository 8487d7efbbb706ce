use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use echolot_ingest::source::{Source as _, SourceFault};
use serde_json::{Value, json};

use super::{Played, Turned, ids, serve, source};

/// What the played site holds.
#[derive(Default)]
struct Site {
    items: BTreeMap<u64, Value>,
    updates: Vec<u64>,
    newest: u64,
}

fn item(id: u64, parent: Option<u64>) -> Value {
    let kind = if parent.is_some() { "comment" } else { "story" };
    json!({ "id": id, "type": kind, "by": "ada", "time": 1_780_315_200 + id, "parent": parent,
            "text": format!("says {id}"), "title": parent.is_none().then_some("A title") })
}

async fn played(site: &Arc<Mutex<Site>>) -> String {
    let site = Arc::clone(site);
    serve(move |asked| {
        let site = site.lock().unwrap();
        let path = asked.path.trim_start_matches("/v0/").trim_end_matches(".json");
        match path {
            "maxitem" => Played::ok(site.newest.to_string()),
            "updates" => Played::ok(json!({ "items": site.updates, "profiles": [] }).to_string()),
            path => {
                let id: u64 = path.trim_start_matches("item/").parse().unwrap();
                Played::ok(site.items.get(&id).unwrap_or(&Value::Null).to_string())
            }
        }
    })
    .await
}

#[tokio::test]
async fn new_items_edits_deletions_and_late_ones_come_each_once() {
    let site = Arc::new(Mutex::new(Site::default()));
    {
        let mut site = site.lock().unwrap();
        site.newest = 4;
        site.items = [(1, item(1, None)), (2, item(2, Some(1))), (4, item(4, Some(2)))].into();
    }
    let api = played(&site).await;
    let time = Turned::at("2026-06-01T12:00:00Z");
    let mut hn = source("hackernews", json!({ "api": api, "lookback": 3 }), &time);
    hn.resume(None).await.unwrap();
    let page = hn.next_page().await.unwrap().unwrap();
    assert_eq!(ids(&page), ["1", "2", "4"], "3 is not there yet");
    let threads: Vec<_> =
        page.observations.iter().map(|one| one.submission.thread.as_deref()).collect();
    assert_eq!(threads, [None, Some("1"), Some("1")]);

    {
        let mut site = site.lock().unwrap();
        site.items.insert(3, item(3, Some(1)));
        site.items.insert(2, json!({ "id": 2, "type": "comment", "deleted": true, "time": 1 }));
        site.items.insert(5, json!({ "id": 5, "type": "story", "dead": true, "time": 1 }));
        site.updates = vec![2, 4];
        site.newest = 5;
    }
    let page = hn.next_page().await.unwrap().unwrap();
    assert_eq!(ids(&page), ["3", "-2", "4"], "5 was dead when it was first seen");
}

#[tokio::test]
async fn what_was_deleted_while_nobody_listened_is_found_at_the_second_look() {
    let site = Arc::new(Mutex::new(Site::default()));
    {
        let mut site = site.lock().unwrap();
        site.newest = 2;
        site.items = [(1, item(1, None)), (2, item(2, Some(1)))].into();
    }
    let api = played(&site).await;
    let time = Turned::at("2026-06-01T12:00:00Z");
    let options = json!({ "api": api, "lookback": 1, "recheck_after": "2h" });
    let mut hn = source("hackernews", options.clone(), &time);
    hn.resume(None).await.unwrap();
    let cursor = hn.next_page().await.unwrap().unwrap().cursor.unwrap();
    let gone = json!({ "id": 2, "type": "comment", "deleted": true, "time": 1_780_315_202 });
    site.lock().unwrap().items.insert(2, gone);

    time.advance(Duration::from_hours(3));
    let mut hn = source("hackernews", options, &time);
    let saved_at = echolot_schemas::Timestamp::from_millis(0);
    let record = echolot_schemas::cursor::CursorRecord { position: cursor, saved_at };
    hn.resume(Some(record)).await.unwrap();
    assert_eq!(ids(&hn.next_page().await.unwrap().unwrap()), ["1", "-2"]);
    assert_eq!(ids(&hn.next_page().await.unwrap().unwrap()), Vec::<String>::new());
}

#[tokio::test]
async fn half_an_answer_and_a_failing_server_are_waited_out() {
    for (played, kind) in [
        (Played::ok("[1, 2"), "transient"),
        (Played::status(503), "transient"),
        (Played::status(429).with("Retry-After", "7"), "rate_limited"),
        (Played::status(403), "unauthorised"),
    ] {
        let played = Arc::new((played.status, played.headers, played.body));
        let api = serve(move |_| {
            let (status, headers, body) = (*played).clone();
            Played { status, headers, body }
        })
        .await;
        let time = Turned::at("2026-06-01T12:00:00Z");
        let mut hn = source("hackernews", json!({ "api": api }), &time);
        let fault = hn.resume(None).await.unwrap_err();
        assert_eq!(fault.kind(), kind, "{fault}");
        if let SourceFault::RateLimited { retry_after, .. } = fault {
            assert_eq!(retry_after, Some(Duration::from_secs(7)));
        }
    }
}
