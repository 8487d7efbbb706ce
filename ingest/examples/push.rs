//! A push server with a log in memory, and one signed request to it over loopback.
//!
//! `cargo run -p echolot-ingest --example push`

#![expect(clippy::print_stdout, reason = "an example shows what happens")]

use std::sync::{Arc, Mutex};

use echolot_ingest::{
    log::{LogFault, Publish},
    metrics::IngestMetrics,
    observe::Observer,
    privacy::AuthorKey,
    push::{self, signature::SigningKey},
    settings::{IngestSettings, PrivacySettings, SenderSettings},
};
use echolot_pipeline::{clock::Clock, dead_letters::DeadLetter};
use echolot_schemas::{Event as _, RawEvent, purge::PurgeRequest};
use prometheus::Registry;
use secrecy::SecretString;
use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

/// Keeps what it is given, where the pipeline's producer would write to Kafka.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<RawEvent>>>);

impl Publish for Memory {
    async fn publish(&self, events: &[RawEvent], _: Option<&str>) -> Result<(), LogFault> {
        let mut kept = self.0.lock().map_err(|error| LogFault::Fatal(error.to_string()))?;
        kept.extend_from_slice(events);
        Ok(())
    }

    async fn publish_dead(&self, _: &[DeadLetter]) -> Result<(), LogFault> {
        Ok(())
    }

    async fn publish_purges(&self, _: &[PurgeRequest]) -> Result<(), LogFault> {
        Ok(())
    }

    fn is_saturated(&self) -> bool {
        false
    }
}

#[derive(Deserialize)]
struct Settings {
    ingest: IngestSettings,
    privacy: PrivacySettings,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let secret = SecretString::from("a secret between two");
    let mut settings: Settings = toml::from_str(include_str!("../default.toml"))?;
    let sender = SenderSettings { secret: secret.clone().into(), ..SenderSettings::default() };
    settings.ingest.push.senders.insert("forum".to_owned(), sender);
    settings.privacy.author_key = SecretString::from("0123456789abcdef").into();

    let log = Memory::default();
    let key = AuthorKey::read(&settings.privacy.author_key)?;
    let observer = Observer::new(key, &settings.privacy, &settings.ingest);
    let metrics = IngestMetrics::new(&Registry::new(), settings.ingest.source_names())?;
    let push = settings.ingest.push;
    let router = push::router(&push, log.clone(), observer, metrics, Clock::system())?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let cancel = CancellationToken::new();
    let serving = tokio::spawn({
        let cancel = cancel.clone();
        async move { push::serve(listener, router, &push, cancel).await }
    });

    let body = concat!(
        r#"{"id":"post-1","text":"Läuft!","author":"ada","published_at":"2026-06-01T12:00:00Z"}"#,
        "\n",
        r#"{"id":"post-2","text":"","published_at":"2026-06-01T12:00:00Z"}"#,
    );
    let signature = SigningKey::new(&secret).sign(Clock::system().now(), body.as_bytes());
    let request = format!(
        "POST /v1/mentions?source=forum HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         X-Echolot-Signature: {signature}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    println!("{answer}\n");
    cancel.cancel();
    serving.await?;

    let kept = log.0.lock().map_err(|error| anyhow::anyhow!("{error}"))?;
    for event in kept.iter() {
        println!("in the log: {}", String::from_utf8(event.to_json()?)?);
    }
    Ok(())
}
