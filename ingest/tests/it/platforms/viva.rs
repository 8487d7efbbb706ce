use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use echolot_ingest::source::{Notice, Source as _};
use echolot_schemas::coverage::GapReason;
use serde_json::json;

use super::{Asked, Played, Turned, ids, serve, source};

fn message(id: u64) -> serde_json::Value {
    json!({ "id": id, "sender_id": 5, "created_at": "2026/06/01 12:00:00 +0000", "thread_id": 1,
            "body": { "plain": format!("says {id}") }, "liked_by": { "count": 1 } })
}

/// Lists at most 20, newest first, as the API does.
fn list(messages: &BTreeSet<u64>, asked: &Asked) -> Played {
    let bound = |name, or: u64| asked.param(name).map_or(or, |id| id.parse().unwrap());
    let (newer, older) = (bound("newer_than", 0), bound("older_than", u64::MAX));
    let fitting: Vec<u64> =
        messages.iter().rev().copied().filter(|id| *id > newer && *id < older).collect();
    let shown: Vec<_> = fitting.iter().take(20).map(|id| message(*id)).collect();
    let older_available = fitting.len() > 20;
    Played::ok(
        json!({ "messages": shown, "meta": { "older_available": older_available } }).to_string(),
    )
}

#[tokio::test]
async fn every_message_comes_once_across_answers_and_one_that_is_gone_is_deleted() {
    let messages: Arc<Mutex<BTreeSet<u64>>> = Arc::new(Mutex::new((1..=5).collect()));
    let site = Arc::clone(&messages);
    let api = serve(move |asked| {
        let messages = site.lock().unwrap();
        assert_eq!(asked.authorization, "Bearer a-token");
        if asked.path == "/api/v1/messages.json" {
            return list(&messages, &asked);
        }
        let id = asked.path.trim_start_matches("/api/v1/messages/").trim_end_matches(".json");
        match id.parse().ok().filter(|id| messages.contains(id)) {
            Some(id) => Played::ok(message(id).to_string()),
            None => Played::status(404),
        }
    })
    .await;
    let time = Turned::at("2026-06-01T12:00:00Z");
    let mut viva = source("viva", json!({ "api": api, "token": "a-token" }), &time);
    viva.resume(None).await.unwrap();
    let page = viva.next_page().await.unwrap().unwrap();
    assert_eq!(ids(&page), ["1", "2", "3", "4", "5"]);
    assert!(page.observations.iter().all(|one| one.submission.author.is_none()));

    messages.lock().unwrap().extend(6..=70);
    let expected: Vec<String> = (6..=70).map(|id: u64| id.to_string()).collect();
    assert_eq!(ids(&viva.next_page().await.unwrap().unwrap()), expected);
    assert_eq!(ids(&viva.next_page().await.unwrap().unwrap()), Vec::<String>::new());

    messages.lock().unwrap().remove(&3);
    time.advance(Duration::from_mins(31));
    assert_eq!(ids(&viva.next_page().await.unwrap().unwrap()), ["1", "10", "11", "12", "13"]);
    let mut found = Vec::new();
    for _ in 0..13 {
        found.extend(ids(&viva.next_page().await.unwrap().unwrap()));
    }
    assert!(found.contains(&"-3".to_owned()), "{found:?}");
    assert_eq!(found.len(), 65, "each is looked at once");
}

#[tokio::test]
async fn a_platform_that_is_asked_too_often_is_left_alone_as_long_as_it_says() {
    let api = serve(|_| Played::status(429).with("Retry-After", "30")).await;
    let time = Turned::at("2026-06-01T12:00:00Z");
    let mut viva = source("viva", json!({ "api": api, "token": "a-token" }), &time);
    viva.resume(None).await.unwrap();
    let fault = viva.next_page().await.unwrap_err();
    assert_eq!(fault.kind(), "rate_limited");
}

#[tokio::test]
async fn more_messages_than_a_walk_reads_are_a_gap_up_to_the_oldest_that_it_read() {
    let messages: Arc<Mutex<BTreeSet<u64>>> = Arc::new(Mutex::new((1..=5).collect()));
    let site = Arc::clone(&messages);
    let api = serve(move |asked| list(&site.lock().unwrap(), &asked)).await;
    let time = Turned::at("2026-06-01T11:00:00Z");
    let mut viva = source("viva", json!({ "api": api, "token": "a-token" }), &time);
    viva.resume(None).await.unwrap();
    assert_eq!(viva.next_page().await.unwrap().unwrap().notices, []);

    messages.lock().unwrap().extend(6..=1_100);
    time.advance(Duration::from_mins(90));
    let page = viva.next_page().await.unwrap().unwrap();
    assert_eq!(page.observations.len(), 1_000);
    let at = |text: &str| text.parse().unwrap();
    let (from, to) = (at("2026-06-01T11:00:00Z"), at("2026-06-01T12:00:00Z"));
    assert_eq!(page.notices, [Notice::Gap { from, to, why: GapReason::Window }]);
}
