//! What the store shows: a sum polled from outside, over ClickHouse's HTTP interface.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use echolot_engines::ClickHouseEndpoint;
use secrecy::ExposeSecret as _;
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// Time limit of one statement.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Runs statements in the embedded store.
#[derive(Clone)]
pub(crate) struct Store {
    client: reqwest::Client,
    endpoint: Arc<ClickHouseEndpoint>,
}

impl Store {
    /// A client of the embedded store, as its application user.
    pub(crate) fn new(endpoint: ClickHouseEndpoint) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build()?;
        Ok(Self { client, endpoint: Arc::new(endpoint) })
    }

    /// The one number that `sql` answers.
    pub(crate) async fn number(&self, sql: &str) -> anyhow::Result<u64> {
        let login = &self.endpoint.application;
        let answer = self
            .client
            .post(&self.endpoint.url)
            .header("X-ClickHouse-User", &login.user)
            .header("X-ClickHouse-Key", login.password.expose_secret())
            .body(sql.to_owned())
            .send()
            .await
            .context("asking the store")?;
        let (status, text) = (answer.status(), answer.text().await.context("asking the store")?);
        if !status.is_success() {
            bail!("the store answered {status}: {}", text.chars().take(500).collect::<String>());
        }
        text.trim().parse().with_context(|| format!("the store answered {text:?} to: {sql}"))
    }
}

/// The sum of the published aggregate over one source of the load.
pub(crate) fn aggregate(source: &str) -> String {
    format!(
        "SELECT sum(mentions) FROM echolot.sentiment_by_minute \
         WHERE brand = '*' AND source = '{source}' \
         AND minute >= toStartOfMinute(now('UTC') - INTERVAL 30 MINUTE)"
    )
}

/// What was counted at an instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    /// When the answer was there: what it shows was visible then at the latest.
    pub(crate) at: Instant,
    /// Mentions counted.
    pub(crate) mentions: u64,
}

/// A sum that is polled until this is stopped.
pub(crate) struct Counter {
    latest: watch::Receiver<u64>,
    seen: Arc<Mutex<Vec<Seen>>>,
    cancel: CancellationToken,
    failed: watch::Receiver<Option<String>>,
    task: JoinHandle<()>,
}

impl Counter {
    /// Polls `sql` every `interval`.
    pub(crate) fn start(store: &Store, sql: String, interval: Duration) -> Self {
        let (sender, latest) = watch::channel(0);
        let (store, cancel) = (store.clone(), CancellationToken::new());
        let (stop, seen) = (cancel.clone(), Arc::new(Mutex::new(Vec::new())));
        let log = Arc::clone(&seen);
        let (failure, failed) = watch::channel(None);
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(interval);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            while !stop.is_cancelled() {
                ticks.tick().await;
                let mentions = match store.number(&sql).await {
                    Ok(mentions) => mentions,
                    Err(error) => {
                        failure.send_replace(Some(format!("{error:#}")));
                        return;
                    }
                };
                locked(&log).push(Seen { at: Instant::now(), mentions });
                sender.send_replace(mentions);
            }
        });
        Self { latest, seen, cancel, failed, task }
    }

    /// Follows the sum.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.latest.clone()
    }

    /// The sum at the last poll.
    pub(crate) fn now(&self) -> u64 {
        *self.latest.borrow()
    }

    /// Waits until at least `mentions` are counted; the instant when that was seen.
    ///
    /// # Errors
    /// When it does not happen within `limit`, or the store fails.
    pub(crate) async fn reaches(&self, mentions: u64, limit: Duration) -> anyhow::Result<Instant> {
        let mut latest = self.latest.clone();
        let reached = latest.wait_for(|counted| *counted >= mentions);
        match tokio::time::timeout(limit, reached).await {
            Ok(Ok(_)) => Ok(Instant::now()),
            Ok(Err(_)) => bail!("{}", self.failure().unwrap_or_default()),
            Err(_) => bail!(
                "{} of {mentions} mentions were counted after {limit:?}; the roles' logs are kept",
                self.now()
            ),
        }
    }

    /// Why nothing is counted any more, if so.
    fn failure(&self) -> Option<String> {
        self.failed.borrow().clone()
    }

    /// Everything seen until now, in order.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        locked(&self.seen).clone()
    }

    /// Stops polling; everything seen, in order.
    pub(crate) async fn stop(self) -> anyhow::Result<Vec<Seen>> {
        self.cancel.cancel();
        self.task.await.context("the counter panicked")?;
        if let Some(failure) = &*self.failed.borrow() {
            bail!("{failure}");
        }
        Ok(std::mem::take(&mut *locked(&self.seen)))
    }
}

fn locked(seen: &Mutex<Vec<Seen>>) -> MutexGuard<'_, Vec<Seen>> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
