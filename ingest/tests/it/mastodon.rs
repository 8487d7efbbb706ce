//! Recorded exchanges with a Mastodon instance, replayed by a local one.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    io::Read,
    sync::Arc,
    time::Duration,
};

use axum::{Json, Router, extract::Query, http::StatusCode, routing::get};
use echolot_ingest::{
    source::{Page, Source, SourceFault},
    sources::mastodon::{MastodonOptions, MastodonSource},
};
use echolot_schemas::submission::Submission;
use futures::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use url::Url;

use crate::{
    log::secret,
    websocket::{Caller, beside, context, next_page, serve, welcome},
};

const RECORDED: &str = "../../shared/data/event_samples/mastodon_py_cassettes.tar.zst";

#[derive(Deserialize)]
struct Cassette {
    interactions: Vec<Interaction>,
}

#[derive(Deserialize)]
struct Interaction {
    request: Request,
    response: Response,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    uri: String,
}

#[derive(Deserialize)]
struct Response {
    body: Body,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    string: Option<serde_yaml_ng::Value>,
}

/// One recorded exchange.
struct Exchange {
    method: String,
    path: String,
    answer: String,
}

fn recorded() -> Vec<Exchange> {
    let packed = fs::File::open(RECORDED).unwrap_or_else(|error| panic!("{RECORDED}: {error}"));
    let mut archive = tar::Archive::new(zstd::Decoder::new(packed).unwrap());
    let mut exchanges = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.path().unwrap().extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        let Cassette { interactions } = serde_yaml_ng::from_str(&text).unwrap();
        for Interaction { request, response } in interactions {
            let path = Url::parse(&request.uri).unwrap().path().to_owned();
            let answer = response.body.string.and_then(|value| match value {
                serde_yaml_ng::Value::Tagged(tagged) => tagged.value.as_str().map(str::to_owned),
                value => value.as_str().map(str::to_owned),
            });
            exchanges.push(Exchange {
                method: request.method,
                path,
                answer: answer.unwrap_or_default(),
            });
        }
    }
    exchanges
}

/// The answer that was recorded for this path.
fn answer(path: &str) -> Value {
    let exchange = recorded().into_iter().find(|one| one.method == "GET" && one.path == path);
    serde_json::from_str(&exchange.unwrap().answer).unwrap()
}

/// Every status in the recordings, wherever it stands.
fn statuses(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Array(list) => list.iter().for_each(|one| statuses(one, found)),
        Value::Object(fields) => {
            if fields.contains_key("content") && fields.contains_key("visibility") {
                found.push(value.clone());
            }
            fields.values().for_each(|one| statuses(one, found));
        }
        _ => {}
    }
}

/// The recorded server-sent events as the frames of the websocket, which hold the same.
fn frames() -> Vec<(String, String)> {
    let mut frames = Vec::new();
    for Exchange { answer, .. } in
        recorded().into_iter().filter(|one| one.path.contains("/api/v1/streaming/"))
    {
        for part in answer.split("\n\n") {
            let field =
                |name: &str| part.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
            if let (Some(event), Some(data)) = (field("event:"), field("data:")) {
                let frame = json!({"stream": ["public"], "event": event, "payload": data});
                frames.push((event.to_owned(), frame.to_string()));
            }
        }
    }
    frames
}

fn options(address: std::net::SocketAddr, timelines: &[&str]) -> MastodonOptions {
    let mut options = MastodonOptions {
        url: Some(Url::parse(&format!("http://{address}")).unwrap()),
        timelines: timelines.iter().map(|name| name.parse().unwrap()).collect(),
        pace: Duration::ZERO,
        ..MastodonOptions::default()
    };
    options.stream.linger = Duration::from_millis(20);
    options.stream.reconnect_first = Duration::from_millis(1);
    options.stream.reconnect_longest = Duration::from_millis(1);
    options
}

/// A timeline of `list`, newest first, as an instance pages through it.
fn timeline(list: &Value, query: &HashMap<String, String>) -> Json<Value> {
    let list = list.as_array().unwrap().clone();
    let limit: usize = query["limit"].parse().unwrap();
    assert_eq!(limit, 40);
    let id = |status: &Value| status["id"].as_str().unwrap().parse::<u64>().unwrap();
    Json(Value::Array(match query.get("min_id") {
        None => list.into_iter().take(limit).collect(),
        Some(least) => {
            let least: u64 = least.parse().unwrap();
            let newer: Vec<_> = list.into_iter().filter(|one| id(one) > least).collect();
            newer[newer.len().saturating_sub(limit)..].to_vec()
        }
    }))
}

fn instance(path: &'static str, list: Value) -> Router {
    let list = Arc::new(list);
    let show = move |Query(query): Query<HashMap<String, String>>| {
        let list = Arc::clone(&list);
        async move { timeline(&list, &query) }
    };
    Router::new().route(path, get(show))
}

async fn nobody() -> crate::websocket::Served {
    serve(welcome, |caller: Caller| async move { drop(caller) }).await
}

fn said(pages: &[Page]) -> Vec<Submission> {
    pages.iter().flat_map(|page| &page.observations).map(|one| one.submission.clone()).collect()
}

#[tokio::test]
async fn the_recorded_public_timeline_is_polled_forward_and_boosts_are_left_out() {
    let list = answer("/api/v1/timelines/public");
    let public = |one: &&Value| one["visibility"] == "public" && one["reblog"].is_null();
    let worded = |one: &&Value| one["content"] != "" || one["spoiler_text"] != "";
    let expected = list.as_array().unwrap().iter().filter(public).filter(worded).count();
    assert!(expected > 5, "{expected}");
    let front = beside(instance("/api/v1/timelines/public", list), &nobody().await).await;
    let mut context = context("fediverse");
    context.common.interval = Some(Duration::from_millis(10));
    let mut source =
        MastodonSource::new(&options(front.address, &["public:local"]), context).unwrap();
    source.resume(None).await.unwrap();
    let first = next_page(&mut source).await.0;
    let again = next_page(&mut source).await.0;
    assert_eq!(said(std::slice::from_ref(&first)).len(), expected);
    assert_eq!(first.rejected, []);
    assert_eq!((again.observations.len(), &again.cursor), (0, &first.cursor));
    let times: Vec<_> = said(&[first]).iter().map(|one| one.published_at).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[tokio::test]
async fn more_than_a_page_is_fetched_page_by_page_without_a_gap() {
    let pattern = answer("/api/v1/timelines/tag/hoot").as_array().unwrap()[0].clone();
    let many: Vec<Value> = (1..=130)
        .rev()
        .map(|number| {
            let mut status = pattern.clone();
            status["id"] = json!(format!("{}", 1000 + number));
            status
        })
        .collect();
    let path = "/api/v1/timelines/tag/hoot";
    let front = beside(instance(path, Value::Array(many)), &nobody().await).await;
    let mut source =
        MastodonSource::new(&options(front.address, &["#hoot"]), context("fediverse")).unwrap();
    let position = json!({"#hoot": "1000"}).to_string();
    let cursor = echolot_schemas::cursor::CursorRecord { position, saved_at: crate::log::NOW };
    source.resume(Some(cursor)).await.unwrap();
    let mut pages = Vec::new();
    for _ in 0..4 {
        pages.push(next_page(&mut source).await.0);
    }
    let ids: Vec<u64> = said(&pages).iter().map(|one| one.id.parse().unwrap()).collect();
    assert_eq!(ids, (1001..=1130).collect::<Vec<_>>());
    assert_eq!(said(&pages)[0].text.as_deref(), Some("#hoot (hashtag toot)"));
    assert_eq!(said(&pages)[0].tags, ["hoot"]);
}

#[tokio::test]
async fn a_closed_timeline_is_told_as_such() {
    let refuse = || async { (StatusCode::UNAUTHORIZED, Json(json!({"error": "closed"}))) };
    let closed = Router::new().route("/api/v1/timelines/public", get(refuse));
    let empty = instance("/api/v1/timelines/public", json!([]));
    let mut faults = Vec::new();
    for rest in [closed, empty] {
        let front = beside(rest, &nobody().await).await;
        let options = options(front.address, &["public"]);
        let mut source = MastodonSource::new(&options, context("fediverse")).unwrap();
        source.resume(None).await.unwrap();
        faults.push(source.next_page().await.unwrap_err());
    }
    assert!(
        matches!(&faults[0], SourceFault::Unauthorised(why) if why.contains("closed") && why.contains("token")),
        "{faults:?}"
    );
    assert!(
        matches!(&faults[1], SourceFault::Transient { detail, .. } if detail.contains("admins closed it")),
        "{faults:?}"
    );
}

#[tokio::test]
async fn the_recorded_stream_is_heard_over_a_reconnect_and_what_was_missed_is_fetched() {
    let frames = frames();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for (event, _) in &frames {
        *kinds.entry(event).or_default() += 1;
    }
    assert_eq!(
        kinds,
        BTreeMap::from([
            ("conversation", 3),
            ("delete", 1),
            ("notification", 2),
            ("status.update", 1),
            ("update", 3)
        ])
    );
    let half = frames.len() / 2;
    let served = serve(welcome, move |Caller { number, mut socket, .. }| {
        let frames = frames.clone();
        async move {
            let subscribed = socket.next().await.unwrap().unwrap();
            assert!(subscribed.to_text().unwrap().contains(r#""stream":"public""#));
            let due = if number == 0 { &frames[..half] } else { &frames[half..] };
            for (_, frame) in due {
                socket.send(Message::text(frame.clone())).await.unwrap();
            }
            socket.send(Message::text("{")).await.unwrap();
            socket.send(Message::binary(vec![1])).await.unwrap();
            if number > 0 {
                while socket.next().await.is_some_and(|said| said.is_ok()) {}
            }
        }
    })
    .await;
    let about =
        json!({"configuration": {"urls": {"streaming": format!("ws://{}", served.address)}}});
    let rest = instance("/api/v1/timelines/public", answer("/api/v1/timelines/public"))
        .route("/api/v2/instance", get(move || async move { Json(about) }));
    let front = beside(rest, &served).await;
    let mut options = options(front.address, &["public"]);
    options.streaming = true;
    options.token = secret("a token");
    let mut source = MastodonSource::new(&options, context("fediverse")).unwrap();
    let mut pages = Vec::new();
    let done = |pages: &[Page]| pages.iter().map(|page| page.rejected.len()).sum::<usize>() == 4;
    while !done(&pages) {
        pages.push(next_page(&mut source).await.0);
    }
    let said = said(&pages);
    assert_eq!(said.iter().filter(|one| one.deleted).count(), 1);
    assert_eq!(said.iter().filter(|one| one.edited_at.is_some()).count(), 1);
    let gone = said.iter().find(|one| one.deleted).unwrap();
    assert!(
        said.iter().any(|one| one.id == gone.id && !one.deleted),
        "what is gone was said before"
    );
    assert!(said.iter().any(|one| one.text.as_deref() == Some("it's cool guy")));
}

#[test]
fn every_recorded_status_is_a_mention_or_has_a_reason_not_to_be() {
    use echolot_ingest::sources::mastodon::{Said, Status, Why};
    let mut found = Vec::new();
    for exchange in recorded() {
        if let Ok(value) = serde_json::from_str::<Value>(&exchange.answer) {
            statuses(&value, &mut found);
        }
    }
    let mut results: BTreeMap<&str, usize> = BTreeMap::new();
    for value in &found {
        let status: Status = serde_json::from_value(value.clone()).unwrap();
        let result = match status.said(echolot_ingest::text::of_html) {
            Said::Mention(mention) => {
                assert!(!mention.text.as_deref().unwrap_or_default().contains("<p>"));
                let warning = value["spoiler_text"].as_str().filter(|text| !text.is_empty());
                assert_eq!(mention.title.as_deref(), warning);
                "mention"
            }
            Said::Gone(_) => "gone",
            Said::Nothing(Why::Boost) => "boost",
            Said::Nothing(Why::NotPublic) => "not public",
            Said::Nothing(Why::Wordless) => "wordless",
        };
        *results.entry(result).or_default() += 1;
    }
    assert_eq!(results, BTreeMap::from([("boost", 6), ("mention", 111), ("not public", 56)]));
}
