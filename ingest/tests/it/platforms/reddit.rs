//! The recorded exchanges of `../shared/data/event_samples`.

use std::{
    collections::{BTreeMap, HashMap},
    io::Read as _,
    path::Path,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use echolot_ingest::{
    source::Source as _,
    sources::{CommonSettings, SampleContext, kind},
};
use echolot_pipeline::clock::Clock;
use echolot_schemas::SourceName;
use serde_json::{Value, json};

use super::{Asked, Played, Turned, ids, serve, source};

const RECORDINGS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../shared/data/event_samples/praw_reddit_cassettes.tar.zst"
);

#[expect(clippy::print_stderr, reason = "what is left out must be said")]
/// Every recording by name; none where the data are not there, which is said.
fn recordings() -> Option<BTreeMap<String, Value>> {
    let Ok(file) = std::fs::File::open(RECORDINGS) else {
        eprintln!("{RECORDINGS} is not there: the recorded exchanges are not replayed");
        return None;
    };
    let mut archive = tar::Archive::new(zstd::Decoder::new(file).unwrap());
    let mut found = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().file_name().map(|n| n.to_string_lossy().into_owned());
        let Some(name) =
            name.filter(|name| Path::new(name).extension().is_some_and(|end| end == "json"))
        else {
            continue;
        };
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        found.insert(name, serde_json::from_str(&text).unwrap());
    }
    Some(found)
}

fn exchanges(recording: &Value) -> &[Value] {
    let listed = recording.get("interactions").or_else(|| recording.get("http_interactions"));
    listed.unwrap().as_array().unwrap()
}

fn options(api: &str) -> Value {
    json!({ "approved": true, "client_id": "c", "client_secret": "s", "subreddits": ["askreddit"],
            "lookback": "20years", "api": api, "login": api })
}

#[test]
fn every_listing_among_the_recordings_is_read_without_a_rejection() {
    let Some(recordings) = recordings() else { return };
    let reddit = kind("reddit").unwrap().read(options("https://oauth.reddit.com")).unwrap();
    let name = SourceName::new("reddit").unwrap();
    let (common, clock) = (CommonSettings::default(), Clock::system());
    let (mut listings, mut said, mut gone, mut rejected) = (0, 0, 0, Vec::new());
    for (file, recording) in &recordings {
        for exchange in exchanges(recording) {
            let body = exchange["response"]["body"]["string"].as_str().unwrap();
            let Ok(json) = serde_json::from_str::<Value>(body) else { continue };
            let first = json.get(0).unwrap_or(&json);
            if first.get("kind").and_then(Value::as_str) != Some("Listing") {
                continue;
            }
            let context = SampleContext {
                name: &name,
                file: Path::new(file),
                common: &common,
                clock: &clock,
            };
            let page = reddit.judge_sample(&context, Bytes::from(body.to_owned())).unwrap();
            listings += 1;
            let deleted = page.observations.iter().filter(|one| one.submission.deleted).count();
            gone += deleted;
            said += page.observations.len() - deleted;
            rejected.extend(page.rejected.into_iter().map(|one| (file, one.rejection.detail)));
        }
    }
    println!("{} recordings: {listings} listings, {said} said, {gone} gone", recordings.len());
    assert_eq!(rejected, []);
    assert_eq!(recordings.len(), 143);
    assert!(said > 8000, "{said}");
    assert!(gone > 0);
}

/// The recorded answers by path and `after`.
fn answers(recordings: &BTreeMap<String, Value>) -> HashMap<(String, String), (String, Value)> {
    let mut answers = HashMap::new();
    for file in ["TestSubredditListings.test_new.json", "TestSubredditListings.test_comments.json"]
    {
        for exchange in exchanges(&recordings[file]) {
            let url = url::Url::parse(exchange["request"]["uri"].as_str().unwrap()).unwrap();
            let after = url.query_pairs().find(|(name, _)| name == "after");
            let after = after.map(|(_, value)| value.into_owned()).unwrap_or_default();
            let body = exchange["response"]["body"]["string"].as_str().unwrap().to_owned();
            let headers = exchange["response"]["headers"].clone();
            let path = url.path().trim_end_matches('/').to_owned();
            answers.entry((path, after)).or_insert((body, headers));
        }
    }
    answers
}

#[tokio::test]
async fn a_recorded_subreddit_is_followed_and_what_is_deleted_later_is_told() {
    let Some(recordings) = recordings() else { return };
    let answers = Arc::new(answers(&recordings));
    let listed = Arc::clone(&answers);
    let api = serve(move |asked: Asked| {
        let path = asked.path.trim_end_matches('/').to_owned();
        if path == "/api/v1/access_token" {
            assert_eq!(&asked.body[..], b"grant_type=client_credentials");
            assert!(asked.authorization.starts_with("Basic "));
            return Played::ok(r#"{"access_token":"t","expires_in":3600}"#);
        }
        assert_eq!(asked.authorization, "Bearer t");
        if path == "/api/info" {
            let gone = |name: &str| {
                json!({ "kind": &name[..2], "data": { "name": name, "created_utc": 1.0,
                        "author": "[deleted]", "body": "[deleted]" } })
            };
            let names = asked.param("id").unwrap().split(',').map(gone).collect::<Vec<_>>();
            return Played::ok(json!({ "data": { "children": names, "after": null } }).to_string());
        }
        let after = asked.param("after").unwrap_or_default().to_owned();
        match listed.get(&(path, after)) {
            Some((body, _)) => Played::ok(body.clone()),
            None => Played::ok(r#"{"kind":"Listing","data":{"children":[],"after":null}}"#),
        }
    })
    .await;
    let mut expected: Vec<String> = answers
        .values()
        .filter_map(|(body, _)| serde_json::from_str::<Value>(body).ok())
        .flat_map(|listing| listing["data"]["children"].as_array().cloned().unwrap_or_default())
        .map(|child| child["data"]["name"].as_str().unwrap().to_owned())
        .collect();
    expected.sort();
    expected.dedup();

    let time = Turned::at("2026-06-01T12:00:00Z");
    let mut reddit = source("reddit", options(&api), &time);
    reddit.resume(None).await.unwrap();
    let page = reddit.next_page().await.unwrap().unwrap();
    let mut said = ids(&page);
    said.sort();
    assert_eq!(said, expected);
    assert!(said.len() >= 200, "{}", said.len());
    assert_eq!(ids(&reddit.next_page().await.unwrap().unwrap()), Vec::<String>::new());

    time.advance(Duration::from_hours(25));
    let mut gone = ids(&reddit.next_page().await.unwrap().unwrap());
    gone.sort();
    let expected: Vec<String> = expected.iter().map(|name| format!("-{name}")).collect();
    assert_eq!(gone, expected);
}

#[tokio::test]
async fn no_request_is_made_once_none_are_left_until_reddit_takes_them_again() {
    let api = serve(|asked: Asked| {
        if asked.path == "/api/v1/access_token" {
            return Played::ok(r#"{"access_token":"t","expires_in":86400}"#);
        }
        let empty = r#"{"kind":"Listing","data":{"children":[],"after":null}}"#;
        Played::ok(empty).with("x-ratelimit-remaining", "0.0").with("x-ratelimit-reset", "90")
    })
    .await;
    let time = Turned::at("2026-06-01T12:00:00Z");
    let mut options = options(&api);
    options["comments"] = json!(false);
    let mut reddit = source("reddit", options, &time);
    reddit.resume(None).await.unwrap();
    reddit.next_page().await.unwrap();
    assert_eq!(reddit.next_page().await.unwrap_err().kind(), "rate_limited");
    time.advance(Duration::from_secs(91));
    reddit.next_page().await.unwrap();
}

#[tokio::test]
async fn a_refused_app_and_a_closed_subreddit_are_told_apart() {
    let refused =
        serve(|_| Played { body: r#"{"error":"invalid_grant"}"#.into(), ..Played::status(400) })
            .await;
    let closed = serve(|asked: Asked| match asked.path.as_str() {
        "/api/v1/access_token" => Played::ok(r#"{"access_token":"t"}"#),
        _ => Played::status(403),
    })
    .await;
    let time = Turned::at("2026-06-01T12:00:00Z");
    for (api, kind) in [(refused, "unauthorised"), (closed, "closed")] {
        let mut reddit = source("reddit", options(&api), &time);
        reddit.resume(None).await.unwrap();
        assert_eq!(reddit.next_page().await.unwrap_err().kind(), kind);
    }
}
