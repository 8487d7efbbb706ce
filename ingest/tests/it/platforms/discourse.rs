//! A forum that is asked for its posts, and one that calls.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::http::HeaderMap;
use bytes::Bytes;
use echolot_ingest::{
    hooks::Hook,
    source::{AnySource, Page, Source as _, SourceFault},
    sources::{CommonSettings, SourceContext, kind},
};
use echolot_schemas::{SourceName, Timestamp, cursor::CursorRecord};
use hmac::{Hmac, KeyInit as _, Mac as _};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Played, Turned, http, ids, serve, source};

const SECRET: &str = "a secret of the forum";

fn post(id: u64, version: u32) -> Value {
    json!({ "id": id, "topic_id": 9, "post_number": id, "post_type": 1, "version": version,
        "username": "ada", "created_at": "2026-06-01T12:00:00Z", "updated_at": "2026-06-01T12:10:00Z",
        "cooked": format!("<p>says {id}</p>"), "category_id": 5, "reads": 3 })
}

/// What a forum shows, and how it pages.
#[derive(Default)]
struct Board {
    /// Version by id.
    posts: BTreeMap<u64, u32>,
    /// Older servers look through fifty ids and no further.
    windowed: bool,
    page: usize,
}

impl Board {
    fn of(ids: impl IntoIterator<Item = u64>) -> Self {
        let posts = ids.into_iter().map(|id| (id, 1)).collect();
        Self { posts, windowed: false, page: 50 }
    }

    fn list(&self, before: Option<u64>) -> Value {
        let newest = self.posts.last_key_value().map_or(0, |(id, _)| *id);
        let from = before.unwrap_or(newest);
        let least = if self.windowed { (from + 1).saturating_sub(50) } else { 0 };
        let fitting = self.posts.range(least..=from).rev().take(self.page);
        json!({ "latest_posts": fitting.map(|(id, version)| post(*id, *version)).collect::<Vec<_>>() })
    }
}

type Shared = Arc<Mutex<Board>>;

async fn forum(board: &Shared) -> String {
    let board = Arc::clone(board);
    serve(move |asked| match asked.path.as_str() {
        "/site.json" => Played::ok(r#"{"categories":[{"id":5,"slug":"hilfe"}]}"#),
        "/posts.json" => {
            let before = asked.param("before").map(|id| id.parse().unwrap());
            Played::ok(board.lock().unwrap().list(before).to_string())
        }
        _ => Played::status(404),
    })
    .await
}

async fn next(forum: &mut AnySource) -> Page {
    forum.next_page().await.unwrap().unwrap()
}

#[tokio::test]
async fn posts_are_walked_to_the_last_known_one_whatever_was_written_meanwhile() {
    for windowed in [false, true] {
        let board = Shared::new(Mutex::new(Board { windowed, ..Board::of(1..=30) }));
        let url = forum(&board).await;
        let time = Turned::at("2026-06-01T12:30:00Z");
        let options = json!({ "url": url, "lookback": 10 });
        let mut discourse = source("discourse", options.clone(), &time);
        discourse.resume(None).await.unwrap();
        let first = next(&mut discourse).await;
        assert_eq!(ids(&first), (21..=30).map(|id| format!("9/{id}")).collect::<Vec<_>>());
        assert_eq!(first.observations[0].submission.tags, ["hilfe"]);

        // A long silence, with a hole wider than a page of an older server.
        board.lock().unwrap().posts.extend((31..=90).chain(300..=420).map(|id| (id, 1)));
        let mut seen = BTreeSet::new();
        let mut cursor = first.cursor;
        while seen.len() < 181 {
            // Every page by another process.
            let mut discourse = source("discourse", options.clone(), &time);
            let position = cursor.take().unwrap();
            let saved_at = Timestamp::from_millis(0);
            discourse.resume(Some(CursorRecord { position, saved_at })).await.unwrap();
            let page = next(&mut discourse).await;
            for id in ids(&page) {
                assert!(seen.insert(id.clone()), "{id} twice");
            }
            cursor = page.cursor;
        }
    }
}

#[tokio::test]
async fn an_edit_and_a_deletion_among_the_newest_are_seen_at_once_and_older_ones_later() {
    let board = Shared::new(Mutex::new(Board::of(1..=120)));
    let url = forum(&board).await;
    let time = Turned::at("2026-06-01T12:30:00Z");
    let mut discourse = source("discourse", json!({ "url": url, "lookback": 120 }), &time);
    discourse.resume(None).await.unwrap();
    let mut said = Vec::new();
    for _ in 0..3 {
        said.extend(ids(&next(&mut discourse).await));
    }
    assert_eq!(said.len(), 120);
    {
        let mut board = board.lock().unwrap();
        board.posts.insert(110, 2);
        for gone in [115, 40] {
            board.posts.remove(&gone);
        }
    }
    assert_eq!(ids(&next(&mut discourse).await), ["-9/115", "9/110"]);
    assert_eq!(ids(&next(&mut discourse).await), [""; 0]);
    // The second look shows every post with its present reads, and what is gone.
    time.advance(Duration::from_mins(31));
    let again: BTreeSet<_> = ids(&next(&mut discourse).await).into_iter().collect();
    assert!(again.contains("-9/40") && again.contains("9/41"), "{again:?}");
    assert_eq!(again.len(), 119);
    assert_eq!(ids(&next(&mut discourse).await), [""; 0], "until its time comes again");
}

/// All that is said until the forum is quiet; older servers answer a walk over a hole with nothing.
async fn until_quiet(forum: &mut AnySource) -> Vec<String> {
    let (mut said, mut quiet) = (Vec::new(), 0);
    while quiet < 20 {
        let page = ids(&next(forum).await);
        quiet = if page.is_empty() { quiet + 1 } else { 0 };
        said.extend(page);
    }
    said
}

#[tokio::test]
async fn a_post_that_shows_late_below_many_newer_ones_is_found_by_the_walk_or_the_second_look() {
    for newer in [10, 49, 100, 300] {
        for windowed in [false, true] {
            let shown = (1..=100).filter(|id| ![70, 95].contains(id));
            let board = Shared::new(Mutex::new(Board { windowed, ..Board::of(shown) }));
            let url = forum(&board).await;
            let time = Turned::at("2026-06-01T12:30:00Z");
            let options = json!({ "url": url, "lookback": 50 });
            let mut discourse = source("discourse", options, &time);
            discourse.resume(None).await.unwrap();
            until_quiet(&mut discourse).await;
            // Two posts were long in the making; one of them shows below the others at once, ...
            board.lock().unwrap().posts.extend((101..=100 + newer).map(|id| (id, 1)));
            board.lock().unwrap().posts.insert(95, 1);
            let said: BTreeSet<_> = until_quiet(&mut discourse).await.into_iter().collect();
            assert!(said.contains("9/95"), "{newer} newer posts: {said:?}");
            assert_eq!(said.len() as u64, newer + 1);
            // ... and the other when nobody looks there any more.
            board.lock().unwrap().posts.insert(70, 1);
            board.lock().unwrap().posts.extend((501..=620).map(|id| (id, 1)));
            until_quiet(&mut discourse).await;
            time.advance(Duration::from_mins(31));
            let again: BTreeSet<_> = until_quiet(&mut discourse).await.into_iter().collect();
            assert!(again.contains("9/70"), "{newer} newer posts: {again:?}");
        }
    }
}

#[tokio::test]
async fn a_forum_that_asks_to_be_left_alone_or_refuses_is_told_as_such() {
    let answers = Arc::new(Mutex::new(vec![
        Played::status(403),
        Played::status(429).with("retry-after", "7"),
    ]));
    let url = serve(move |_| answers.lock().unwrap().pop().unwrap()).await;
    let time = Turned::at("2026-06-01T12:30:00Z");
    let options = json!({ "url": url, "api_key": "a key of the forum" });
    let mut discourse = source("discourse", options, &time);
    let busy = discourse.resume(None).await.unwrap_err();
    assert!(
        matches!(busy, SourceFault::RateLimited { retry_after: Some(time), .. } if time == Duration::from_secs(7)),
        "{busy:?}"
    );
    // The client keeps away for as long as it was asked to; another one is told why it may not.
    let mut discourse = source("discourse", json!({ "url": url }), &time);
    let refused = discourse.resume(None).await.unwrap_err();
    assert!(
        matches!(&refused, SourceFault::Unauthorised(why) if why.contains("API Key")),
        "{refused:?}"
    );
}

fn hook() -> Arc<dyn Hook> {
    let options = json!({ "url": "https://forum.example", "secret": SECRET, "poll": false });
    let options = kind("discourse").unwrap().read(options).unwrap();
    let context = SourceContext {
        name: SourceName::new("forum").unwrap(),
        common: CommonSettings::default(),
        http: http(),
        clock: Turned::at("2026-06-01T12:30:00Z").clock(),
    };
    let parts = options.build(context).unwrap();
    assert!(parts.source.is_none());
    parts.hook.unwrap()
}

fn call(event: &str, body: &Value) -> (HeaderMap, Bytes) {
    let body = Bytes::from(body.to_string());
    let key: Hmac<Sha256> = Hmac::new_from_slice(SECRET.as_bytes()).unwrap();
    let signature = hex::encode(key.chain_update(&body).finalize().into_bytes());
    let mut headers = HeaderMap::new();
    headers.insert("x-discourse-event", event.parse().unwrap());
    let signature = format!("sha256={signature}").parse().unwrap();
    headers.insert("x-discourse-event-signature", signature);
    (headers, body)
}

fn called(event: &str, body: &Value) -> Page {
    let (headers, body) = call(event, body);
    let hook = hook();
    hook.authenticate(&headers, &body, Timestamp::from_millis(0)).unwrap();
    hook.translate(&headers, body)
}

#[test]
fn a_call_is_taken_only_with_the_signature_over_its_very_body() {
    let (headers, body) = call("post_created", &json!({ "post": post(7, 1) }));
    let now = Timestamp::from_millis(0);
    assert_eq!(hook().authenticate(&headers, &body, now), Ok(()));
    assert!(hook().authenticate(&headers, b"{}", now).is_err());
    assert!(hook().authenticate(&HeaderMap::new(), &body, now).is_err());
}

#[test]
fn posts_are_called_in_as_created_edited_destroyed_and_recovered() {
    let with_slug = |version| {
        let mut post = post(7, version);
        post["category_slug"] = json!("ideen");
        json!({ "post": post })
    };
    for (event, version) in [("post_created", 1), ("post_edited", 2), ("post_recovered", 2)] {
        let page = called(event, &with_slug(version));
        assert_eq!(ids(&page), ["9/7"], "{event}");
        assert_eq!(page.observations[0].submission.tags, ["ideen"]);
    }
    assert_eq!(ids(&called("post_destroyed", &with_slug(1))), ["-9/7"]);
}

#[test]
fn with_a_topic_its_posts_are_gone_and_with_a_user_what_they_wrote() {
    let topic = json!({ "topic": { "id": 9, "posts_count": 2, "highest_post_number": 3 } });
    assert_eq!(ids(&called("topic_destroyed", &topic)), ["-9/1", "-9/2", "-9/3"]);
    for event in ["topic_created", "topic_edited", "topic_recovered"] {
        assert_eq!(called(event, &topic), Page::default(), "{event}: its posts are told as well");
    }
    let user = json!({ "user": { "id": 1, "username": "ada" } });
    let page = called("user_destroyed", &user);
    assert_eq!(page.purges[0].author, "ada");
    assert_eq!(called("user_logged_in", &user), Page::default());
    assert_eq!(called("", &json!({ "ping": "OK" })), Page::default());
}

#[test]
fn a_call_that_cannot_be_read_is_a_dead_letter_and_private_messages_are_nothing() {
    let page = called("post_created", &json!({ "post": { "id": 7 } }));
    assert_eq!((page.observations.len(), page.rejected.len()), (0, 1));
    let mut private = post(7, 1);
    private["topic_archetype"] = json!("private_message");
    assert_eq!(called("post_created", &json!({ "post": private })), Page::default());
}

/// A forum that grows with every request; answers fail, and the process dies at every fault.
async fn run(turns: Vec<(u8, u8)>, page: usize, windowed: bool) -> (Vec<String>, BTreeSet<u64>) {
    let board = Shared::new(Mutex::new(Board { windowed, page, ..Board::of(1..=5) }));
    let script = Arc::new(Mutex::new(turns.into_iter()));
    let (shown, failing) = (Arc::clone(&board), Arc::clone(&script));
    let url = serve(move |asked| {
        if asked.path == "/site.json" {
            return Played::ok("{}");
        }
        let mut board = shown.lock().unwrap();
        let turn = failing.lock().unwrap().next();
        let before = asked.param("before").map(|id| id.parse().unwrap());
        let (grows, fails) = turn.unwrap_or((0, 9));
        let newest = *board.posts.last_key_value().unwrap().0;
        board.posts.extend((newest + 1..=newest + u64::from(grows)).map(|id| (id, 1)));
        let body = board.list(before).to_string();
        match fails {
            0 => Played::status(500),
            1 => Played::ok(body[..body.len() / 2].to_owned()),
            _ => Played::ok(body),
        }
    })
    .await;
    let time = Turned::at("2026-06-01T12:30:00Z");
    let options = json!({ "url": url, "lookback": 5 });
    let mut discourse = source("discourse", options.clone(), &time);
    let (mut said, mut cursor): (Vec<String>, Option<CursorRecord>) = (Vec::new(), None);
    while discourse.resume(None).await.is_err() {}
    let mut quiet = 0;
    while quiet < 40 {
        if let Ok(page) = discourse.next_page().await {
            let page = page.unwrap();
            let over = script.lock().unwrap().len() == 0;
            quiet = if over && page.observations.is_empty() { quiet + 1 } else { 0 };
            said.extend(ids(&page));
            let saved_at = Timestamp::from_millis(0);
            cursor = page.cursor.map(|position| CursorRecord { position, saved_at });
        } else {
            discourse = source("discourse", options.clone(), &time);
            while discourse.resume(cursor.clone()).await.is_err() {}
        }
    }
    let posts = board.lock().unwrap().posts.keys().copied().collect();
    (said, posts)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_schedule_of_growth_failures_and_restarts_yields_each_post_once(
        turns in prop::collection::vec((0_u8..20, 0_u8..6), 0..25),
        page in 25_usize..50,
        windowed in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (mut said, posts) = runtime.block_on(run(turns, page, windowed));
        said.sort_by_key(|id| id[2..].parse::<u64>().unwrap());
        // The first look begins where the forum stood then.
        let first = said.first().map_or(0, |id| id[2..].parse().unwrap());
        let expected: Vec<_> =
            posts.range(first..).map(|id| format!("9/{id}")).collect();
        prop_assert!(first > 0);
        prop_assert_eq!(said, expected);
    }
}
