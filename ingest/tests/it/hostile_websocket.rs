//! Websocket peers that break the protocol: each connection is given up, and the next one goes on.

use std::{io, sync::Arc, time::Duration};

use bytesize::ByteSize;
use echolot_ingest::{
    source::Source as _,
    sources::jetstream::{JetstreamOptions, JetstreamSource, Version},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};
use tokio_tungstenite::tungstenite::Message;
use url::Url;

use crate::{
    jetstream::{options, recorded, started},
    websocket::{Caller, context, next_page, serve, welcome},
};
use futures::{SinkExt, StreamExt};

/// Writes these bytes on the first connection, and good events on the next ones.
async fn source_after(raw: Vec<u8>) -> (JetstreamSource, crate::websocket::Served) {
    let good = recorded().swap_remove(1);
    let raw = Arc::new(raw);
    let served = serve(welcome, move |Caller { number, mut socket, .. }| {
        let (good, raw) = (good.clone(), Arc::clone(&raw));
        async move {
            if number == 0 {
                let _ = socket.get_mut().write_all(&raw).await;
            } else {
                let _ = socket.send(Message::text(good)).await;
            }
            while socket.next().await.is_some_and(|said| said.is_ok()) {}
        }
    })
    .await;
    let mut options = options(&served, Version::V1);
    options.stream.frame_limit = ByteSize::kib(64);
    (started(&options, None).await, served)
}

/// A frame header of RFC 6455, section 5.2, without a mask.
fn header(first: u8, length: u64) -> Vec<u8> {
    match length {
        0..126 => vec![first, u8::try_from(length).unwrap()],
        126..65536 => {
            [vec![first, 126], u16::try_from(length).unwrap().to_be_bytes().to_vec()].concat()
        }
        _ => [vec![first, 127], length.to_be_bytes().to_vec()].concat(),
    }
}

#[tokio::test]
async fn every_way_to_break_the_framing_ends_one_connection_and_the_next_goes_on() {
    let frames: Vec<(&str, Vec<u8>)> = vec![
        ("reserved bits", vec![0xF1, 1, b'x']),
        ("an unknown opcode", vec![0x83, 1, b'x']),
        ("an unknown control opcode", vec![0x8B, 0]),
        ("a mask from a server", vec![0x81, 0x81, 1, 2, 3, 4, b'x']),
        ("a control frame in parts", vec![0x09, 1, b'x']),
        ("a control frame too long", [header(0x89, 126), vec![b'x'; 126]].concat()),
        ("a continuation of nothing", vec![0x80, 1, b'x']),
        ("a message in a message", vec![0x01, 1, b'x', 0x81, 1, b'y']),
        ("text that is no UTF-8", vec![0x81, 2, 0xC3, 0x28]),
        ("half a close code", vec![0x88, 1, 3]),
        ("a close code that nobody may send", vec![0x88, 2, 0x03, 0xED]),
    ];
    for (what, raw) in frames {
        let (mut source, served) = source_after(raw).await;
        let (page, faults) = next_page(&mut source).await;
        assert_eq!(faults.len(), 1, "{what}: {faults:?}");
        assert!(faults[0].to_string().contains("127.0.0.1"), "{what}: {faults:?}");
        assert_eq!(served.asked().len(), 2, "{what}");
        assert!(page.cursor.is_some(), "{what}: the good event moved the cursor");
    }
}

#[tokio::test]
async fn a_frame_or_message_past_the_limit_is_never_held() {
    let promised = header(0x81, 1 << 40);
    let impossible = [vec![0x81, 127], u64::MAX.to_be_bytes().to_vec()].concat();
    let mut endless = [header(0x01, 1000), vec![b'x'; 1000]].concat();
    for _ in 0..200 {
        endless.extend([header(0x00, 1000), vec![b'x'; 1000]].concat());
    }
    for (what, raw) in
        [("a terabyte", promised), ("more than there is", impossible), ("parts for ever", endless)]
    {
        let (mut source, _served) = source_after(raw).await;
        let began = Instant::now();
        let (page, faults) = next_page(&mut source).await;
        // A size that can be told is a rejection besides the end of the connection.
        let told = page
            .rejected
            .iter()
            .map(|one| one.rejection.detail.clone())
            .chain(faults.iter().map(ToString::to_string))
            .collect::<Vec<_>>();
        assert_eq!(told.len(), 1, "{what}: {told:?}");
        let (next, _) =
            if page.rejected.is_empty() { (page, faults) } else { next_page(&mut source).await };
        assert!(next.cursor.is_some(), "{what}");
        assert!(began.elapsed() < Duration::from_secs(5), "{what}");
    }
}

/// Answers every handshake with these bytes.
async fn handshakes(answer: &'static [u8], hangs_up: bool) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("ws://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        let mut kept: Vec<TcpStream> = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let answered: io::Result<()> = async {
                let _asked = stream.read(&mut [0; 4096]).await?;
                stream.write_all(answer).await
            }
            .await;
            if answered.is_ok() && !hangs_up {
                kept.push(stream);
            }
        }
    });
    url
}

#[tokio::test]
async fn a_handshake_that_is_none_is_told_as_such_and_tried_again() {
    for (what, answer, hangs_up, told) in [
        ("nothing", &b""[..], true, "hung up during the handshake"),
        ("noise", b"\x16\x03\x01\xff\r\n\r\n", false, "127.0.0.1"),
        ("a web page", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", false, "answered 200"),
        ("a redirect inside", b"HTTP/1.1 302 Found\r\nLocation: ws://10.0.0.1/\r\nContent-Length: 0\r\n\r\n", false, "answered 302"),
        ("a wrong key", b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n", false, "127.0.0.1"),
        ("no upgrade", b"HTTP/1.1 101 Switching Protocols\r\n\r\n", false, "127.0.0.1"),
    ] {
        let options = JetstreamOptions {
            url: handshakes(answer, hangs_up).await,
            version: Version::V1,
            ..JetstreamOptions::default()
        };
        let mut source = JetstreamSource::new(&options, None, context("bluesky")).unwrap();
        source.resume(None).await.unwrap();
        for _ in 0..2 {
            let asked = timeout(Duration::from_secs(5), source.next_page()).await;
            let fault = asked.expect(what).expect_err(what);
            assert!(fault.passes(), "{what}: {fault}");
            assert!(fault.to_string().contains(told), "{what}: {fault}");
        }
    }
}

#[tokio::test]
async fn an_endless_handshake_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("ws://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\n").await;
            while stream
                .write_all(&b"X-Filler: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(100))
                .await
                .is_ok()
            {}
        }
    });
    let options = JetstreamOptions { url, version: Version::V1, ..JetstreamOptions::default() };
    let mut source = JetstreamSource::new(&options, None, context("bluesky")).unwrap();
    source.resume(None).await.unwrap();
    let asked = timeout(Duration::from_secs(10), source.next_page()).await;
    let fault = asked.expect("an end").expect_err("a fault");
    assert!(fault.passes(), "{fault}");
}
