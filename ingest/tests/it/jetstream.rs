//! Bluesky's recorded events, served by a local Jetstream of either version.

use std::{collections::BTreeMap, fs, io, sync::Arc, time::Duration};

use echolot_ingest::{
    source::{Observation, Page, Source},
    sources::jetstream::{Dictionary, JetstreamOptions, JetstreamSource, Version},
};
use echolot_schemas::cursor::CursorRecord;
use futures::{SinkExt, StreamExt};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use url::Url;

use crate::{
    log::NOW,
    websocket::{Caller, Served, context, next_page, serve, welcome},
};

pub(crate) const RECORDED: &str = "../../shared/data/event_samples/bluesky_jetstream";

/// The 152 recorded events of version 1, in the order of their times: that is how they are sent.
pub(crate) fn recorded() -> Vec<String> {
    let path = format!("{RECORDED}/expected_v1.jsonl");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut lines: Vec<_> =
        text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    lines.sort_by_key(|line| serde_json::from_str::<Value>(line).unwrap()["time_us"].as_i64());
    lines
}

/// An event of version 1 in the framing of version 2.
pub(crate) fn as_v2(line: &str, seq: i64) -> String {
    let mut event: Value = serde_json::from_str(line).unwrap();
    let kind = event["kind"].as_str().unwrap().to_owned();
    let micros = event["time_us"].as_i64().unwrap();
    let time = jiff::Timestamp::from_microsecond(micros).unwrap().to_string();
    let mut payload = json!({
        "$type": format!("network.bsky.jetstream.subscribeEvents#{kind}"),
        "seq": seq, "did": event["did"], "time": time, "witnessedAt": time,
    });
    let part = event[&kind].take();
    if kind == "commit" {
        payload.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
    } else {
        payload[&kind] = part;
    }
    json!({"$type": "message", "payload": payload}).to_string()
}

/// An event as a server holds it.
pub(crate) struct Archived {
    time_us: i64,
    seq: Option<i64>,
    frame: String,
}

impl Archived {
    /// Its place in the terms of `cursor`: version 2 takes large ones for times.
    fn place(&self, cursor: i64) -> i64 {
        self.seq.filter(|_| cursor < 1_000_000_000_000_000).unwrap_or(self.time_us)
    }
}

pub(crate) type Archive = Arc<Vec<Archived>>;

pub(crate) fn archive(version: Version, lines: &[String]) -> Archive {
    let entry = |(line, seq): (&String, i64)| {
        let event: Value = serde_json::from_str(line).unwrap();
        let time_us = event["time_us"].as_i64().unwrap();
        match version {
            Version::V1 => Archived { time_us, seq: None, frame: line.clone() },
            Version::V2 => Archived { time_us, seq: Some(seq), frame: as_v2(line, seq) },
        }
    };
    Arc::new(lines.iter().zip(1..).map(entry).collect())
}

pub(crate) fn parameter(asked: &str, name: &str) -> Option<String> {
    let url = Url::parse("ws://x").unwrap().join(asked).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// A server that hangs up after so many events, connection by connection, and then goes on.
pub(crate) async fn jetstream(archive: Archive, schedule: Vec<usize>) -> Served {
    serve(welcome, move |Caller { number, asked, mut socket }| {
        let archive = Arc::clone(&archive);
        let most = schedule.get(number).copied();
        async move {
            let cursor = parameter(&asked, "cursor").map_or(0, |cursor| cursor.parse().unwrap());
            let due = archive.iter().filter(|event| event.place(cursor) >= cursor);
            for Archived { frame, .. } in due.take(most.unwrap_or(usize::MAX)) {
                if socket.send(Message::text(frame.clone())).await.is_err() {
                    return;
                }
            }
            if most.is_none() {
                while socket.next().await.is_some_and(|said| said.is_ok()) {}
            }
        }
    })
    .await
}

pub(crate) fn options(served: &Served, version: Version) -> JetstreamOptions {
    let mut options = JetstreamOptions {
        url: Url::parse(&format!("ws://{}", served.address)).unwrap(),
        version,
        ..JetstreamOptions::default()
    };
    options.stream.linger = Duration::from_millis(20);
    options.stream.reconnect_first = Duration::from_millis(1);
    options.stream.reconnect_longest = Duration::from_millis(1);
    options
}

pub(crate) async fn started(options: &JetstreamOptions, cursor: Option<String>) -> JetstreamSource {
    let mut source = JetstreamSource::new(options, None, context("bluesky")).unwrap();
    let cursor = cursor.map(|position| CursorRecord { position, saved_at: NOW });
    source.resume(cursor).await.unwrap();
    source
}

/// Pages until the stream has gone past `last`, with a restart behind every page where wanted.
pub(crate) async fn read(options: &JetstreamOptions, last: &str, restarts: bool) -> Vec<Page> {
    let mut source = started(options, None).await;
    let mut pages: Vec<Page> = Vec::new();
    loop {
        let (page, _) = next_page(&mut source).await;
        let cursor = page.cursor.clone();
        pages.push(page);
        if cursor.as_ref().is_some_and(|cursor| cursor.starts_with(last)) {
            return pages;
        }
        if restarts {
            source = started(options, cursor).await;
        }
    }
}

fn observations(pages: &[Page]) -> Vec<&Observation> {
    pages.iter().flat_map(|page| &page.observations).collect()
}

/// The posts and deletions that the recording holds, in its order.
fn expected(lines: &[String]) -> Vec<(String, bool)> {
    let events = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let posts = events.filter(|event| event["commit"]["collection"] == "app.bsky.feed.post");
    let wordless = |event: &Value| event["commit"]["record"]["text"] == "";
    posts
        .filter(|event| !wordless(event))
        .map(|event| {
            let (did, rkey) = (&event["did"], &event["commit"]["rkey"]);
            let id = format!(
                "at://{}/app.bsky.feed.post/{}",
                did.as_str().unwrap(),
                rkey.as_str().unwrap()
            );
            (id, event["commit"]["operation"] == "delete")
        })
        .collect()
}

fn said(pages: &[Page]) -> Vec<(String, bool)> {
    observations(pages)
        .into_iter()
        .map(|one| (one.submission.id.clone(), one.submission.deleted))
        .collect()
}

const LAST: &str = "1783175888403568";

#[tokio::test]
async fn every_recorded_event_is_read_once_over_reconnects_in_both_versions() {
    let lines = recorded();
    assert_eq!(lines.len(), 152);
    for version in [Version::V1, Version::V2] {
        let served = jetstream(archive(version, &lines), vec![1, 40, 2, 75]).await;
        let pages = read(&options(&served, version), LAST, false).await;
        assert_eq!(said(&pages), expected(&lines), "{version:?}");
        assert!(pages.iter().all(|page| page.rejected.is_empty() && page.notices.is_empty()));
        assert_eq!(served.asked().len(), 5, "{version:?}: {:?}", served.asked());
    }
}

#[tokio::test]
async fn a_recorded_post_keeps_text_time_language_thread_and_tags() {
    let lines = recorded();
    let served = jetstream(archive(Version::V1, &lines), vec![]).await;
    let pages = read(&options(&served, Version::V1), LAST, false).await;
    let all = observations(&pages);
    let find =
        |rkey: &str| &all.iter().find(|one| one.submission.id.ends_with(rkey)).unwrap().submission;
    let tagged = find("3mptbypfywk2v");
    assert_eq!(tagged.tags, ["HowToTellAiToShutUp", "IndieRebellion"]);
    assert_eq!(tagged.language.as_deref(), Some("de"));
    assert_eq!(tagged.published_at.unwrap().to_string(), "2026-07-04T14:38:07.323Z");
    assert_eq!(tagged.author.as_deref(), Some("did:plc:tn3hni2jpphsgl6amfbb7ja6"));
    assert_eq!(
        tagged.url.as_deref(),
        Some("https://bsky.app/profile/did:plc:tn3hni2jpphsgl6amfbb7ja6/post/3mptbypfywk2v")
    );
    let reply = find("3mptbyoumc22i");
    let own = "at://did:plc:u4lmvw4wwzaql3z5kcf3r7h4/app.bsky.feed.post/";
    assert_eq!(reply.parent, Some(format!("{own}3mptbyou7ls2i")));
    assert_eq!(reply.thread, Some(format!("{own}3mptbyospqk2i")));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn any_schedule_of_disconnects_and_restarts_yields_each_event_once(
        schedule in prop::collection::vec(0_usize..60, 0..12),
        restarts: bool,
        v2: bool,
        same_moment in 1_i64..4,
    ) {
        let version = if v2 { Version::V2 } else { Version::V1 };
        // Several events share a microsecond, as a server may send them.
        let lines: Vec<String> = recorded().into_iter().zip(0_i64..).map(|(line, index)| {
            let mut event: Value = serde_json::from_str(&line).unwrap();
            event["time_us"] = json!(1_783_175_888_000_000 + index / same_moment);
            event.to_string()
        }).collect();
        // The stream must be able to pass what shares the cursor's moment.
        let schedule = schedule.into_iter().map(|most| if most == 0 { 0 } else { most + 4 }).collect();
        let last = format!("{}", 1_783_175_888_000_000 + 151 / same_moment);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let said = runtime.block_on(async {
            let served = jetstream(archive(version, &lines), schedule).await;
            let options = options(&served, version);
            let mut pages = read(&options, &last, restarts).await;
            // More of the last moment may still be on its way.
            let cursor = pages.last().unwrap().cursor.clone();
            let mut source = started(&options, cursor).await;
            while let Ok(page) = timeout(Duration::from_millis(60), source.next_page()).await {
                pages.extend(page.ok().flatten());
            }
            said(&pages)
        });
        prop_assert_eq!(said, expected(&lines));
    }
}

#[tokio::test]
async fn posts_of_followed_accounts_are_wanted_whatever_the_brands_say() {
    let lines = recorded();
    let first = expected(&lines)[0].0.clone();
    let did = first.trim_start_matches("at://").split('/').next().unwrap().to_owned();
    let served = jetstream(archive(Version::V1, &lines), vec![]).await;
    let options = JetstreamOptions { follow: vec![did.clone()], ..options(&served, Version::V1) };
    let pages = read(&options, LAST, false).await;
    let (mut followed, mut others) = (0, 0);
    for one in observations(&pages) {
        assert_eq!(one.followed, one.submission.id.contains(&did), "{}", one.submission.id);
        if one.followed { followed += 1 } else { others += 1 }
    }
    assert!(followed > 0 && others > 0, "{followed} and {others}");
}

fn account(status: &str, active: bool) -> String {
    json!({
        "did": "did:plc:gone", "time_us": 1_783_175_889_000_000_i64, "kind": "account",
        "account": {"active": active, "did": "did:plc:gone", "seq": 1, "status": status},
    })
    .to_string()
}

#[tokio::test]
async fn deleted_and_taken_down_accounts_are_purged_and_paused_ones_are_not() {
    for (status, active, purged) in [
        ("deleted", false, true),
        ("takendown", false, true),
        ("deactivated", false, false),
        ("suspended", false, false),
        ("deleted", true, false),
    ] {
        for version in [Version::V1, Version::V2] {
            let lines = [account(status, active)];
            let served = jetstream(archive(version, &lines), vec![]).await;
            let pages = read(&options(&served, version), "1783175889000000", false).await;
            let authors: Vec<_> =
                pages.iter().flat_map(|page| &page.purges).map(|purge| &purge.author).collect();
            assert_eq!(authors, vec!["did:plc:gone"; usize::from(purged)], "{status} {version:?}");
        }
    }
}

#[tokio::test]
async fn compressed_frames_are_read_with_the_servers_dictionary() {
    let lines = recorded();
    let bytes = zstd::dict::from_samples(&lines, 16 * 1024).unwrap();
    let mut compressor = zstd::bulk::Compressor::with_dictionary(3, &bytes).unwrap();
    let packed: io::Result<Vec<_>> =
        lines.iter().map(|line| compressor.compress(line.as_bytes())).collect();
    let packed = packed.unwrap();
    let served = serve(welcome, move |Caller { mut socket, .. }| {
        let packed = packed.clone();
        async move {
            for frame in packed {
                socket.send(Message::binary(frame)).await.unwrap();
            }
            while socket.next().await.is_some_and(|said| said.is_ok()) {}
        }
    })
    .await;
    let options = options(&served, Version::V1);
    let dictionary = Some(Dictionary::new(bytes).unwrap());
    let mut source = JetstreamSource::new(&options, dictionary, context("bluesky")).unwrap();
    let mut pages = Vec::new();
    while !pages.last().is_some_and(|page: &Page| page.cursor.as_ref().unwrap().starts_with(LAST)) {
        pages.push(next_page(&mut source).await.0);
    }
    assert_eq!(said(&pages), expected(&lines));
    assert_eq!(parameter(&served.asked()[0], "compress").as_deref(), Some("true"));
}

#[test]
fn the_recording_holds_what_the_table_in_the_documents_says() {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for line in recorded() {
        let event: Value = serde_json::from_str(&line).unwrap();
        let commit = &event["commit"];
        let kind = match event["kind"].as_str().unwrap() {
            "commit" => format!("{} {}", commit["operation"], commit["collection"]),
            other => other.to_owned(),
        };
        *kinds.entry(kind.replace('"', "")).or_default() += 1;
    }
    assert_eq!(kinds["create app.bsky.feed.post"], 17);
    assert_eq!(kinds["delete app.bsky.feed.post"], 1);
    assert_eq!(kinds["create app.bsky.feed.like"], 105);
    assert_eq!((kinds["account"], kinds["identity"]), (1, 1));
    assert_eq!(kinds.values().sum::<usize>(), 152);
}
