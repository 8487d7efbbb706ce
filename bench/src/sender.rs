//! Signed pushes to `POST /v1/mentions`, as any sender would make them.

use std::time::{Duration, Instant};

use anyhow::bail;
use bytes::Bytes;
use echolot_ingest::push::signature::{self, SigningKey};
use echolot_pipeline::clock::Clock;
use reqwest::{StatusCode, header};
use secrecy::SecretString;

/// The header that names the source.
const SOURCE: &str = "x-echolot-source";
/// A request is repeated for this long while ingest is away or full.
const PATIENCE: Duration = Duration::from_mins(1);
/// Pause before a request is repeated where the answer names none.
const PAUSE: Duration = Duration::from_millis(50);
/// Time limit of one request.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Pushes bodies until they are acknowledged. Cheap to clone; connections are kept.
#[derive(Clone)]
pub(crate) struct Sender {
    client: reqwest::Client,
    url: String,
    key: SigningKey,
    clock: Clock,
}

impl Sender {
    /// A sender to ingest at `address`, signing with `secret`.
    pub(crate) fn new(address: &str, secret: &SecretString) -> anyhow::Result<Self> {
        Ok(Self {
            client: reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build()?,
            url: format!("http://{address}/v1/mentions"),
            key: SigningKey::new(secret),
            clock: Clock::system(),
        })
    }

    /// The present instant, as a submission says it.
    pub(crate) fn now(&self) -> String {
        self.clock.now().to_string()
    }

    /// Pushes an NDJSON body on behalf of `source` until it is acknowledged whole.
    ///
    /// # Errors
    /// When ingest refuses any of it, or does not take it for a minute.
    pub(crate) async fn push(&self, source: &str, body: Vec<u8>) -> anyhow::Result<()> {
        let (body, give_up) = (Bytes::from(body), Instant::now() + PATIENCE);
        loop {
            let sent = self
                .client
                .post(&self.url)
                .header(SOURCE, source)
                .header(header::CONTENT_TYPE, "application/x-ndjson")
                .header(signature::HEADER, self.key.sign(self.clock.now(), &body))
                .body(body.clone())
                .send()
                .await;
            let (why, pause) = match sent {
                Ok(answer) if answer.status() == StatusCode::ACCEPTED => return Ok(()),
                Ok(answer) if may_be_repeated(answer.status()) => {
                    (answer.status().to_string(), retry_after(&answer))
                }
                Ok(answer) => {
                    let status = answer.status();
                    let told: String = answer.text().await?.chars().take(500).collect();
                    bail!("ingest answered {status}: {told}");
                }
                Err(error) => (error.to_string(), PAUSE),
            };
            if Instant::now() + pause > give_up {
                bail!("ingest took nothing for {PATIENCE:?}: {why}");
            }
            tokio::time::sleep(pause).await;
        }
    }
}

fn may_be_repeated(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
}

fn retry_after(answer: &reqwest::Response) -> Duration {
    let told = answer.headers().get(header::RETRY_AFTER);
    told.and_then(|value| value.to_str().ok())
        .and_then(|seconds| seconds.parse().ok())
        .map_or(PAUSE, Duration::from_secs)
}
