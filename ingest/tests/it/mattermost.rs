//! A local Mattermost: its websocket, and the REST answers of a catch-up.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    routing::get,
};
use echolot_ingest::{
    source::{Page, Source},
    sources::mattermost::{MattermostOptions, MattermostSource},
};
use echolot_schemas::{cursor::CursorRecord, submission::Submission};
use futures::{SinkExt, StreamExt};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use url::Url;

use crate::{
    log::{NOW, secret},
    websocket::{Caller, beside, context, next_page, serve, welcome},
};

const START: i64 = 1_780_000_000_000;

fn post(id: &str, at: i64, message: &str) -> Value {
    json!({
        "id": id, "channel_id": "c1", "create_at": START + at, "update_at": START + at,
        "edit_at": 0, "delete_at": 0, "user_id": "u-secret", "root_id": "", "message": message,
        "type": "", "hashtags": "", "reply_count": 0,
    })
}

fn event(seq: u64, name: &str, post: &Value) -> String {
    json!({
        "event": name, "data": {"post": post.to_string(), "sender_name": "@u-secret"},
        "broadcast": {"channel_id": "c1"}, "seq": seq,
    })
    .to_string()
}

/// The REST side: one channel, and the posts that changed since a time.
fn rest(posts: Arc<Mutex<Vec<Value>>>) -> Router {
    async fn since(
        State(posts): State<Arc<Mutex<Vec<Value>>>>,
        Query(query): Query<Value>,
    ) -> Json<Value> {
        let since: i64 = query["since"].as_str().unwrap().parse().unwrap();
        let posts = posts.lock().unwrap();
        let changed = posts.iter().filter(|post| post["update_at"].as_i64().unwrap() > since);
        let posts: serde_json::Map<_, _> =
            changed.map(|post| (post["id"].as_str().unwrap().to_owned(), post.clone())).collect();
        Json(json!({"order": [], "posts": posts}))
    }
    async fn channel(Path((_, name)): Path<(String, String)>) -> Json<Value> {
        Json(json!({"id": if name == "ideas" { "c1" } else { "c2" }, "type": "O"}))
    }
    Router::new()
        .route("/api/v4/teams/name/{team}/channels/name/{channel}", get(channel))
        .route("/api/v4/channels/{id}/posts", get(since))
        .with_state(posts)
}

fn options(address: std::net::SocketAddr) -> MattermostOptions {
    let mut options = MattermostOptions {
        url: Some(Url::parse(&format!("http://{address}")).unwrap()),
        token: secret("a token"),
        team: "acme".to_owned(),
        channels: vec!["ideas".to_owned()],
        ..MattermostOptions::default()
    };
    options.stream.linger = Duration::from_millis(20);
    options.stream.reconnect_first = Duration::from_millis(1);
    options.stream.reconnect_longest = Duration::from_millis(1);
    options
}

async fn read(source: &mut MattermostSource, until: &str) -> (Vec<Submission>, Vec<Page>) {
    let (mut said, mut pages) = (Vec::new(), Vec::new());
    loop {
        let (page, _) = next_page(source).await;
        said.extend(page.observations.iter().map(|one| one.submission.clone()));
        pages.push(page);
        if said.iter().any(|one| one.id == until) {
            return (said, pages);
        }
    }
}

#[tokio::test]
async fn posts_edits_and_deletions_are_read_and_no_author_with_them() {
    let served = serve(welcome, |Caller { mut socket, .. }| async move {
        let mut answer = post("b", 20, "Ich auch #mobil");
        answer["root_id"] = json!("a");
        answer["hashtags"] = json!("#mobil");
        let mut edited = post("a", 30, "Mehr Homeoffice, bitte");
        edited["edit_at"] = json!(START + 30);
        let mut joined = post("x", 40, "u-secret joined the channel.");
        joined["type"] = json!("system_join_channel");
        let mut elsewhere = post("y", 40, "in another channel");
        elsewhere["channel_id"] = json!("c9");
        let frames = [
            json!({"event": "hello", "data": {}, "seq": 0}).to_string(),
            event(1, "posted", &post("a", 10, "Mehr Homeoffice")),
            event(2, "posted", &answer),
            event(3, "post_edited", &edited),
            event(4, "posted", &joined),
            event(5, "posted", &elsewhere),
            json!({"event": "typing", "data": {"user_id": "u-secret"}, "seq": 6}).to_string(),
            event(7, "post_deleted", &answer),
            event(8, "posted", &json!({"id": "broken", "user_id": "u-secret"})),
            event(9, "posted", &post("end", 50, "Ende")),
        ];
        for frame in frames {
            socket.send(Message::text(frame)).await.unwrap();
        }
        socket.send(Message::binary(vec![0xFF])).await.unwrap();
        while socket.next().await.is_some_and(|said| said.is_ok()) {}
    })
    .await;
    let front = beside(rest(Arc::default()), &served).await;
    let mut source = MattermostSource::new(&options(front.address), context("chat")).unwrap();
    let (said, pages) = read(&mut source, "end").await;
    let told: Vec<_> = said.iter().map(|one| (one.id.as_str(), one.deleted)).collect();
    assert_eq!(told, [("a", false), ("b", false), ("a", false), ("b", true), ("end", false)]);
    assert_eq!(said[1].thread.as_deref(), Some("a"));
    assert_eq!(said[1].tags, ["#mobil"]);
    assert_eq!(said[2].edited_at.unwrap().as_millis(), START + 30);
    assert!(said.iter().all(|one| one.author.is_none()));
    assert!(!format!("{pages:?}").contains("u-secret"), "{pages:?}");
    assert!(said[0].url.as_deref().unwrap().ends_with("/acme/pl/a"));
}

#[tokio::test]
async fn what_was_missed_between_connections_or_dropped_within_one_is_fetched() {
    let posts = Arc::new(Mutex::new(Vec::new()));
    let known = Arc::clone(&posts);
    let served = serve(welcome, move |Caller { number, mut socket, .. }| {
        let known = Arc::clone(&known);
        async move {
            let say = |frame| Message::text(frame);
            if number == 0 {
                let first = post("a", 10_000, "eins");
                known.lock().unwrap().push(first.clone());
                socket.send(say(event(0, "posted", &first))).await.unwrap();
                tokio::time::sleep(Duration::from_millis(100)).await;
                let mut gone = post("a", 20_000, "eins");
                gone["delete_at"] = json!(START + 20_000);
                *known.lock().unwrap() = vec![gone, post("b", 20_000, "zwei")];
                return;
            }
            // Event 1 of this connection got lost on its way.
            let (third, fourth) = (post("c", 30_000, "drei"), post("d", 40_000, "vier"));
            socket
                .send(say(json!({"event": "hello", "data": {}, "seq": 0}).to_string()))
                .await
                .unwrap();
            known.lock().unwrap().extend([third, fourth.clone()]);
            socket.send(say(event(2, "posted", &fourth))).await.unwrap();
            while socket.next().await.is_some_and(|said| said.is_ok()) {}
        }
    })
    .await;
    let front = beside(rest(posts), &served).await;
    let mut source = MattermostSource::new(&options(front.address), context("chat")).unwrap();
    let cursor = CursorRecord { position: START.to_string(), saved_at: NOW };
    source.resume(Some(cursor)).await.unwrap();
    let (said, pages) = read(&mut source, "c").await;
    let ids: BTreeSet<_> = said.iter().map(|one| (one.id.as_str(), one.deleted)).collect();
    let all = [("a", false), ("a", true), ("b", false), ("c", false), ("d", false)];
    assert_eq!(ids, all.into_iter().collect());
    assert_eq!(pages.last().unwrap().cursor, Some((START + 40_000).to_string()));
}

/// What is written while a connection stands, after it, and whether the first of it gets lost.
type Turn = (u8, u8, bool);

/// Follows a server that hangs up after each turn, until every post that was written is told.
async fn told_over(turns: Vec<Turn>) {
    let posts = Arc::new(Mutex::new(Vec::new()));
    let known = Arc::clone(&posts);
    let served = serve(welcome, move |Caller { number, mut socket, .. }| {
        let (known, turn) = (Arc::clone(&known), turns.get(number).copied());
        async move {
            let hello = json!({"event": "hello", "data": {}, "seq": 0}).to_string();
            let _ = socket.send(Message::text(hello)).await;
            let write = |id: Option<&str>| {
                let mut known = known.lock().unwrap();
                let count = i64::try_from(known.len()).unwrap();
                let id = id.map_or_else(|| format!("p{count}"), str::to_owned);
                known.push(post(&id, (count + 1) * 7_000, "sagt etwas"));
                known.last().cloned().unwrap()
            };
            let Some((sent, missed, lost)) = turn else {
                let end = event(1, "posted", &write(Some("end")));
                let _ = socket.send(Message::text(end)).await;
                while socket.next().await.is_some_and(|said| said.is_ok()) {}
                return;
            };
            for seq in 1..=u64::from(sent) {
                let written = write(None);
                if !(lost && seq == 1) {
                    let _ = socket.send(Message::text(event(seq, "posted", &written))).await;
                }
            }
            for _ in 0..missed {
                write(None);
            }
        }
    })
    .await;
    let front = beside(rest(Arc::clone(&posts)), &served).await;
    let mut source = MattermostSource::new(&options(front.address), context("chat")).unwrap();
    let mut cursor = CursorRecord { position: START.to_string(), saved_at: NOW };
    source.resume(Some(cursor.clone())).await.unwrap();
    let mut told = BTreeSet::new();
    let mut restart = false;
    loop {
        let (page, _) = next_page(&mut source).await;
        told.extend(page.observations.iter().map(|one| one.submission.id.clone()));
        let written: BTreeSet<_> = posts
            .lock()
            .unwrap()
            .iter()
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect();
        if told.contains("end") && told.is_superset(&written) {
            return;
        }
        cursor.position = page.cursor.unwrap_or(cursor.position);
        // Every second page is the last of its process.
        restart = !restart;
        if !restart {
            source = MattermostSource::new(&options(front.address), context("chat")).unwrap();
            source.resume(Some(cursor.clone())).await.unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn any_schedule_of_disconnects_losses_and_restarts_tells_every_post(
        turns in prop::collection::vec((0_u8..5, 0_u8..4, any::<bool>()), 0..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(told_over(turns));
    }
}
