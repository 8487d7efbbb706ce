//! What a Jetstream may do wrong, and what is noted when it does.

use std::{fs, time::Duration};

use echolot_ingest::{
    source::{Notice, Source},
    sources::jetstream::Version,
};
use echolot_schemas::coverage::GapReason;
use futures::{SinkExt, StreamExt};
use serde_json::json;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    jetstream::{RECORDED, archive, as_v2, jetstream, options, parameter, read, recorded, started},
    websocket::{Caller, Judge, next_page, serve, welcome},
};

/// The 150 raw frames of the network's firehose: DAG-CBOR, which no Jetstream sends.
fn raw_frames() -> Vec<Vec<u8>> {
    let packed = fs::File::open(format!("{RECORDED}/frames.bin.zst")).unwrap();
    let bytes = zstd::decode_all(packed).unwrap();
    let mut rest = bytes.as_slice();
    let mut frames = Vec::new();
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let (frame, tail) = tail.split_at(u32::from_le_bytes(*length) as usize);
        frames.push(frame.to_vec());
        rest = tail;
    }
    frames
}

#[tokio::test]
async fn a_cursor_that_version_1_clamped_in_silence_is_a_gap() {
    let lines = recorded();
    let served = jetstream(archive(Version::V1, &lines), vec![]).await;
    let options = options(&served, Version::V1);
    let old = "1783000000000000+0000000000000001".to_owned();
    let (page, _) = next_page(&mut started(&options, Some(old)).await).await;
    let [Notice::Gap { from, to, why: GapReason::ClampedCursor }] = page.notices.as_slice() else {
        panic!("{:?}", page.notices)
    };
    assert_eq!((from.as_millis(), to.as_millis()), (1_783_000_000_000, 1_783_175_888_085));
}

#[tokio::test]
async fn a_number_too_old_for_version_2_is_asked_again_as_a_time_and_told_as_a_gap() {
    let judge: Judge = |asked| {
        let old = parameter(asked, "cursor").as_deref() == Some("7");
        old.then_some((400, r#"{"error":"CursorTooOld","message":"the floor is 9000"}"#))
    };
    let served = serve(judge, |Caller { mut socket, .. }| async move {
        let info = json!({"$type": "message", "payload": {
            "$type": "network.bsky.jetstream.subscribeEvents#info", "name": "OutdatedCursor",
        }});
        socket.send(Message::text(info.to_string())).await.unwrap();
        socket.send(Message::text(as_v2(&recorded()[0], 9000))).await.unwrap();
        while socket.next().await.is_some_and(|said| said.is_ok()) {}
    })
    .await;
    let options = options(&served, Version::V2);
    let saved = "1783000000000000#7 127.0.0.1".to_owned();
    let (page, faults) = next_page(&mut started(&options, Some(saved)).await).await;
    assert_eq!(faults, []);
    assert!(
        matches!(page.notices.as_slice(), [Notice::Gap { why: GapReason::ClampedCursor, .. }]),
        "{:?}",
        page.notices
    );
    let cursors: Vec<_> = served.asked().iter().map(|asked| parameter(asked, "cursor")).collect();
    assert_eq!(cursors, [Some("7".to_owned()), Some("1783000000000000".to_owned())]);
    assert!(page.cursor.unwrap().contains("#9000 "));
}

#[tokio::test]
async fn the_number_of_another_server_is_never_sent() {
    let served = jetstream(archive(Version::V2, &recorded()), vec![]).await;
    let saved = "1783175888000000#7 elsewhere.example".to_owned();
    next_page(&mut started(&options(&served, Version::V2), Some(saved)).await).await;
    assert_eq!(parameter(&served.asked()[0], "cursor").as_deref(), Some("1783175883000000"));
}

#[tokio::test]
async fn what_cannot_be_read_is_rejected_and_the_stream_goes_on() {
    let good = recorded().swap_remove(1);
    let served = serve(welcome, move |Caller { mut socket, .. }| {
        let good = good.clone();
        async move {
            for bad in
                ["", "{}", "[1]", r#"{"did":1}"#, r#"{"did":"d","time_us":1,"kind":"commit"}"#]
            {
                socket.send(Message::text(bad)).await.unwrap();
            }
            socket.send(Message::binary(vec![0xA1, 0, 1])).await.unwrap();
            let post = json!({"did": "no did", "time_us": 5, "kind": "commit", "commit": {
                "operation": "delete", "collection": "app.bsky.feed.post", "rkey": "a/b"}});
            socket.send(Message::text(post.to_string())).await.unwrap();
            socket.send(Message::text(good)).await.unwrap();
            while socket.next().await.is_some_and(|said| said.is_ok()) {}
        }
    })
    .await;
    let pages = read(&options(&served, Version::V1), "17831758880", false).await;
    let places: Vec<_> =
        pages.iter().flat_map(|page| &page.rejected).map(|one| one.place.to_string()).collect();
    assert_eq!(places, ["item 1", "item 2", "item 3", "item 4", "item 5", "item 6", "no did a/b"]);
}

#[tokio::test]
async fn the_raw_firehose_is_no_jetstream_and_says_so() {
    let raw = raw_frames();
    assert_eq!(raw.len(), 150);
    let served = serve(welcome, move |Caller { mut socket, .. }| {
        let raw = raw.clone();
        async move {
            for frame in raw {
                if socket.send(Message::binary(frame)).await.is_err() {
                    return;
                }
            }
        }
    })
    .await;
    let mut source = started(&options(&served, Version::V1), None).await;
    // How many pages the frames come in depends on how fast they come.
    let (mut rejected, mut observed) = (0, 0);
    let fault = timeout(Duration::from_secs(10), async {
        loop {
            match source.next_page().await {
                Ok(page) => {
                    let page = page.unwrap();
                    rejected += page.rejected.len();
                    observed += page.observations.len();
                }
                Err(fault) => return fault.to_string(),
            }
        }
    });
    let fault = fault.await.expect("a fault within ten seconds");
    assert!(fault.contains("100 frames in a row cannot be read"), "{fault}");
    assert_eq!((rejected, observed), (100, 0));
}

#[tokio::test]
async fn a_server_of_the_other_version_is_told_with_the_setting_to_change() {
    for (spoken, configured) in [(Version::V1, Version::V2), (Version::V2, Version::V1)] {
        let served = jetstream(archive(spoken, &recorded()), vec![]).await;
        let mut source = started(&options(&served, configured), None).await;
        let page = source.next_page().await.unwrap().unwrap();
        assert!(page.rejected.is_empty() && page.cursor.is_none(), "no dead letter a frame");
        let fault = source.next_page().await.unwrap_err();
        assert!(!fault.passes(), "{fault}");
        let told = format!("set version = \"{}\"", spoken.name());
        assert!(fault.to_string().contains(&told), "{fault}");
        assert!(fault.to_string().contains("sources.bluesky"), "{fault}");
    }
    // Most servers do not even know the other one's path.
    let served = serve(|_| Some((404, "")), |_| async {}).await;
    let mut source = started(&options(&served, Version::V2), None).await;
    let fault = source.next_page().await.unwrap_err().to_string();
    assert!(fault.contains("answered 404") && fault.contains("version = \"v1\""), "{fault}");
}

#[tokio::test]
async fn a_frame_past_the_limit_is_told_once_and_left_out_from_then_on() {
    let good = recorded().swap_remove(1);
    let served = serve(welcome, move |Caller { number, mut socket, .. }| {
        let good = good.clone();
        async move {
            let frame = if number == 0 { "x".repeat(70_000) } else { good };
            let _ = socket.send(Message::text(frame)).await;
            while socket.next().await.is_some_and(|said| said.is_ok()) {}
        }
    })
    .await;
    let mut options = options(&served, Version::V1);
    options.stream.frame_limit = bytesize::ByteSize::kib(64);
    let pages = read(&options, "17831758880", false).await;
    assert_eq!(pages[0].rejected.len(), 1);
    assert!(pages[0].rejected[0].rejection.detail.contains("70000 bytes, at most 65536"));
    assert_eq!(parameter(&served.asked()[1], "maxMessageSizeBytes").as_deref(), Some("65536"));
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left_and_one_that_answers_pings_is_not() {
    let silent = serve(welcome, |caller: Caller| async move {
        tokio::time::sleep(Duration::from_secs(20)).await;
        drop(caller);
    })
    .await;
    let mut options_ = options(&silent, Version::V1);
    options_.stream.idle_timeout = Duration::from_millis(200);
    let mut source = started(&options_, None).await;
    let fault = source.next_page().await.unwrap_err().to_string();
    assert!(fault.contains("silent for 0.2 s"), "{fault}");

    let answering = serve(welcome, |Caller { mut socket, .. }| async move {
        while socket.next().await.is_some_and(|said| said.is_ok()) {}
    })
    .await;
    let mut options_ = options(&answering, Version::V1);
    options_.stream.idle_timeout = Duration::from_millis(200);
    let mut source = started(&options_, None).await;
    let waited = timeout(Duration::from_millis(900), source.next_page()).await;
    assert!(waited.is_err(), "{waited:?}");
}
