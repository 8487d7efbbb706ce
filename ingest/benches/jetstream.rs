//! Jetstream events a second on one core: the server that sends them, the websocket, the reader and
//! the pages share one thread. `cargo bench -p echolot-ingest --bench jetstream`
//!
//! The events are those recorded in the test data, over and over with later times.

#![expect(clippy::print_stdout, reason = "its figures are what a benchmark is for")]

use std::{fs, time::Instant};

use anyhow::Context as _;
use echolot_ingest::{
    http::HttpClient,
    settings::IngestSettings,
    source::Source as _,
    sources::{
        CommonSettings, SourceContext,
        jetstream::{JetstreamOptions, JetstreamSource, Version},
    },
};
use echolot_pipeline::clock::Clock;
use echolot_schemas::SourceName;
use futures::SinkExt as _;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_tungstenite::{accept_async, tungstenite::Message};

const RECORDED: &str = "../../shared/data/event_samples/bluesky_jetstream/expected_v1.jsonl";
const EVENTS: usize = 152 * 500;

#[derive(Deserialize)]
struct Settings {
    ingest: IngestSettings,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let recorded = fs::read_to_string(RECORDED).context(RECORDED)?;
    let lines: Vec<&str> = recorded.lines().filter(|line| !line.is_empty()).collect();
    let mut frames = Vec::with_capacity(EVENTS);
    for (line, time) in lines.iter().cycle().zip(1_783_175_888_000_000_i64..).take(EVENTS) {
        let mut event: Value = serde_json::from_str(line)?;
        event["time_us"] = json!(time);
        frames.push(event.to_string());
    }
    let bytes: usize = frames.iter().map(String::len).sum();
    let last = (1_783_175_888_000_000 + EVENTS - 1).to_string();

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        let mut socket = accept_async(stream).await?;
        for frame in frames {
            socket.feed(Message::text(frame)).await?;
        }
        socket.flush().await?;
        std::future::pending::<anyhow::Result<()>>().await
    });

    let settings: Settings = toml::from_str(include_str!("../default.toml"))?;
    let mut http = settings.ingest.http;
    http.allow = vec!["127.0.0.1".to_owned()];
    let context = SourceContext {
        name: SourceName::new("bluesky")?,
        common: CommonSettings::default(),
        http: HttpClient::new(&http)?,
        clock: Clock::system(),
    };
    let url = format!("ws://{address}").parse()?;
    let options = JetstreamOptions { url, version: Version::V1, ..JetstreamOptions::default() };
    let mut source = JetstreamSource::new(&options, None, context)?;
    let started = Instant::now();
    let (mut observed, mut pages) = (0, 0);
    loop {
        let page = source.next_page().await?.context("the stream has no end")?;
        observed += page.observations.len();
        pages += 1;
        if page.cursor.is_some_and(|cursor| cursor.starts_with(&last)) {
            break;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{EVENTS} events of {} bytes, {observed} observations on {pages} pages: {:.0} events/s",
        bytes / EVENTS,
        EVENTS as f64 / seconds
    );
    Ok(())
}
