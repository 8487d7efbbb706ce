//! A sender of mentions that signs, waits and never gives one up.

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, bail};
use echolot_ingest::push::signature::{HEADER, SigningKey};
use echolot_schemas::{SourceName, Timestamp, submission::Submission};
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::watch;

use crate::{known::Known, posts};

/// The source that pushes, as `ingest.push.senders` names it.
pub const SOURCE: &str = "forum";
/// Its secret.
pub const SECRET: &str = "a secret of the tests, long enough";

/// How long a sender keeps trying.
const PATIENCE: Duration = Duration::from_mins(2);
/// Pause before a request is sent again.
const PAUSE: Duration = Duration::from_millis(50);

/// An answer of ingest.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After`, if any.
    pub retry_after: Option<String>,
    /// The body.
    pub body: Value,
}

impl Answer {
    /// How many items of the request are safe.
    pub fn accepted(&self) -> u64 {
        self.body["accepted"].as_u64().unwrap_or_default()
    }

    /// The items that were refused.
    pub fn rejected(&self) -> &[Value] {
        self.body["rejected"].as_array().map_or(&[], Vec::as_slice)
    }
}

/// Pushes to wherever ingest listens at present. Cheap to clone.
#[derive(Clone)]
pub struct Push {
    http: reqwest::Client,
    door: watch::Receiver<Option<SocketAddr>>,
    key: SigningKey,
    source: SourceName,
    known: Known,
}

impl Push {
    pub(crate) fn new(
        door: watch::Receiver<Option<SocketAddr>>,
        known: Known,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            http: reqwest::Client::builder().timeout(Duration::from_secs(20)).build()?,
            door,
            key: SigningKey::new(&SecretString::from(SECRET)),
            source: SourceName::new(SOURCE)?,
            known,
        })
    }

    /// One signed request, whatever comes of it.
    pub async fn send(&self, content_type: &str, body: Vec<u8>) -> anyhow::Result<Answer> {
        let door = (*self.door.borrow()).context("no ingest was ready yet")?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        let signature = self.key.sign(Timestamp::from_millis(i64::try_from(now)?), &body);
        let answer = self
            .http
            .post(format!("http://{door}/v1/mentions?source={SOURCE}"))
            .header("Content-Type", content_type)
            .header(HEADER, signature)
            .body(body)
            .send()
            .await?;
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get("retry-after");
        let retry_after = retry_after.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let text = answer.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status, retry_after, body })
    }

    /// Pushes posts that are all well, again and again until all are acknowledged.
    pub async fn mentions(&self, posts: &[Submission]) -> anyhow::Result<()> {
        let body = posts::lines(posts)?;
        self.known.sent(&self.source, posts);
        let trying = async {
            loop {
                match self.send("application/x-ndjson", body.clone()).await {
                    Ok(Answer { status: 202, .. }) => return Ok(()),
                    Ok(Answer { status: 429 | 503, .. }) | Err(_) => {
                        tokio::time::sleep(PAUSE).await;
                    }
                    Ok(answer) => bail!("ingest answered {answer:?}"),
                }
            }
        };
        tokio::time::timeout(PATIENCE, trying)
            .await
            .with_context(|| format!("no acknowledgement within {PATIENCE:?}"))??;
        self.known.acknowledged(&self.source, posts);
        Ok(())
    }
}
