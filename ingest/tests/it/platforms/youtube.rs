use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use echolot_ingest::source::{Notice, Source as _, SourceFault};
use echolot_schemas::{Timestamp, coverage::GapReason, cursor::CursorRecord};
use serde_json::{Value, json};

use super::{Asked, Played, Turned, ids, serve, source};

fn comment(id: &str, minute: u64, parent: Option<&str>) -> Value {
    json!({ "id": id, "snippet": { "textDisplay": format!("says {id}"), "parentId": parent,
        "authorChannelId": { "value": "UC1" }, "likeCount": 1,
        "publishedAt": format!("2026-06-01T11:{minute:02}:00Z") } })
}

/// Threads `t0`, `t1` …, `t0` with three replies of which the thread itself holds one.
fn thread(number: u64) -> Value {
    let id = format!("t{number}");
    let replies = if number == 0 { 3 } else { 0 };
    let held: Vec<_> = (0..replies.min(1)).map(|_| comment("t0.0", 30, Some("t0"))).collect();
    json!({ "id": id, "snippet": { "videoId": "v", "totalReplyCount": replies,
        "topLevelComment": comment(&id, number, None) }, "replies": { "comments": held } })
}

fn list(threads: &[u64], asked: &Asked) -> Played {
    if asked.path.ends_with("/comments") {
        let replies: Vec<_> = match (asked.param("parentId"), asked.param("id")) {
            (Some(_), _) => ["t0.0", "t0.1", "t0.2"].map(|id| comment(id, 30, Some("t0"))).into(),
            (None, ids) => ids
                .unwrap()
                .split(',')
                .filter(|id| *id != "t0.2")
                .map(|id| comment(id, 30, Some("t0")))
                .collect(),
        };
        return Played::ok(json!({ "items": replies }).to_string());
    }
    if let Some(wanted) = asked.param("id") {
        let there = |number: &&u64| wanted.split(',').any(|id| id == format!("t{number}"));
        let items: Vec<_> = threads.iter().filter(there).map(|number| thread(*number)).collect();
        return Played::ok(json!({ "items": items }).to_string());
    }
    assert_eq!(asked.param("order"), Some("time"));
    let from: usize = asked.param("pageToken").map_or(0, |token| token.parse().unwrap());
    let items: Vec<_> = threads.iter().rev().skip(from).take(4).map(|n| thread(*n)).collect();
    let next = (from + 4 < threads.len()).then(|| (from + 4).to_string());
    Played::ok(json!({ "items": items, "nextPageToken": next }).to_string())
}

#[tokio::test]
async fn threads_and_all_replies_come_and_what_is_gone_is_deleted() {
    let threads = Arc::new(Mutex::new((0..6).collect::<Vec<u64>>()));
    let site = Arc::clone(&threads);
    let api = serve(move |asked| list(&site.lock().unwrap(), &asked)).await;
    let time = Turned::at("2026-06-01T12:00:00Z");
    let mut youtube = source("youtube", json!({ "key": "k", "videos": ["v"], "api": api }), &time);
    youtube.resume(None).await.unwrap();
    let page = youtube.next_page().await.unwrap().unwrap();
    let mut said = ids(&page);
    said.sort();
    said.dedup();
    assert_eq!(said, ["t0", "t0.0", "t0.1", "t0.2", "t1", "t2", "t3", "t4", "t5"]);
    threads.lock().unwrap().push(6);
    assert_eq!(ids(&youtube.next_page().await.unwrap().unwrap()), ["t6"]);

    threads.lock().unwrap().retain(|number| *number != 4);
    time.advance(Duration::from_hours(1));
    let page = youtube.next_page().await.unwrap().unwrap();
    let gone: Vec<_> = ids(&page).into_iter().filter(|id| id.starts_with('-')).collect();
    assert_eq!(gone, ["-t4", "-t0.2"]);
}

#[tokio::test]
async fn a_thread_that_cannot_be_read_is_told_once_and_never_taken_for_deleted() {
    let broken = Arc::new(AtomicU64::new(0));
    let breaks = Arc::clone(&broken);
    let api = serve(move |asked| match breaks.load(Ordering::SeqCst) {
        0 => list(&[1, 2], &asked),
        1 => Played::ok(
            json!({ "items": [{ "id": "t1" }, { "id": "t2", "snippet": 7 }] }).to_string(),
        ),
        _ => Played::ok(json!({ "items": [{ "snippet": {} }] }).to_string()),
    })
    .await;
    let time = Turned::at("2026-06-01T12:00:00Z");
    let mut youtube = source("youtube", json!({ "key": "k", "videos": ["v"], "api": api }), &time);
    youtube.resume(None).await.unwrap();
    let page = youtube.next_page().await.unwrap().unwrap();
    assert!(page.rejected.is_empty() && ids(&page).contains(&"t2".to_owned()), "{page:?}");
    for (round, told) in [(1, 2), (1, 0), (2, 1), (2, 0)] {
        broken.store(round, Ordering::SeqCst);
        time.advance(Duration::from_hours(1));
        let page = youtube.next_page().await.unwrap().unwrap();
        assert_eq!(page.rejected.len(), told, "{:?}", page.rejected);
        assert_eq!(ids(&page), [""; 0]);
    }
}

#[tokio::test]
async fn units_used_are_counted_across_a_failure_and_a_restart_and_come_back_at_midnight_in_california()
 {
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    let api = serve(move |request| match count.fetch_add(1, Ordering::SeqCst) {
        1 => Played::status(500),
        _ => list(&[], &request),
    })
    .await;
    let time = Turned::at("2026-06-01T12:00:00Z");
    let options = json!({ "key": "k", "videos": ["v"], "daily_units": 4, "api": api });
    let mut youtube = source("youtube", options.clone(), &time);
    youtube.resume(None).await.unwrap();
    youtube.next_page().await.unwrap();
    assert_eq!(youtube.next_page().await.unwrap_err().kind(), "transient");
    let position = youtube.next_page().await.unwrap().unwrap().cursor.unwrap();

    // Three units are used, one of them for the failure; another process knows it by the cursor.
    let mut youtube = source("youtube", options, &time);
    let saved_at = Timestamp::from_millis(0);
    youtube.resume(Some(CursorRecord { position, saved_at })).await.unwrap();
    youtube.next_page().await.unwrap();
    let fault = youtube.next_page().await.unwrap_err();
    let SourceFault::RateLimited { retry_after, .. } = fault else { panic!("{fault}") };
    assert_eq!(retry_after, Some(Duration::from_hours(19)));
    assert_eq!(asked.load(Ordering::SeqCst), 4);
    time.advance(Duration::from_hours(19));
    youtube.next_page().await.unwrap();
}

/// A refusal of the platform, for this reason.
fn refusal(reason: &str) -> Played {
    let body = json!({ "error": { "code": 403, "errors": [{ "reason": reason }] } });
    Played { body: body.to_string().into(), ..Played::status(403) }
}

#[tokio::test]
async fn switched_off_comments_are_a_gap_that_is_told_once() {
    let disabled = serve(move |_| refusal("commentsDisabled")).await;
    let time = Turned::at("2026-06-01T12:00:00Z");
    let mut youtube =
        source("youtube", json!({ "key": "k", "videos": ["v"], "api": disabled }), &time);
    youtube.resume(None).await.unwrap();
    let page = youtube.next_page().await.unwrap().unwrap();
    assert!(matches!(page.notices[..], [Notice::Gap { why: GapReason::Closed, .. }]));
    assert_eq!(youtube.next_page().await.unwrap().unwrap().notices, []);
}

#[tokio::test]
async fn a_quota_that_google_calls_exceeded_is_waited_out_and_a_key_without_the_api_is_not() {
    let time = Turned::at("2026-06-01T12:00:00Z");
    for (reason, kind) in [
        ("quotaExceeded", "rate_limited"),
        ("rateLimitExceeded", "rate_limited"),
        ("accessNotConfigured", "unauthorised"),
    ] {
        let api = serve(move |_| refusal(reason)).await;
        let mut youtube =
            source("youtube", json!({ "key": "k", "videos": ["v"], "api": api }), &time);
        youtube.resume(None).await.unwrap();
        assert_eq!(youtube.next_page().await.unwrap_err().kind(), kind, "{reason}");
    }
}
