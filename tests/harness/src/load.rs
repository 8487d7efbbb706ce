//! Mentions that keep coming, edits and deletions among them.

use std::time::Duration;

use anyhow::Context;
use echolot_schemas::submission::Submission;
use tokio::{sync::watch, task::JoinHandle, time::MissedTickBehavior};

use crate::{posts, push::Push};

/// Posts in a request.
const REQUEST: u64 = 40;

/// A sender at work. It keeps every request until it is acknowledged, so it may fall behind its
/// rate but loses nothing.
pub struct Load {
    stop: watch::Sender<bool>,
    sent: watch::Receiver<u64>,
    task: JoinHandle<anyhow::Result<u64>>,
}

impl Load {
    /// Pushes about so many new posts a second, with ids under `prefix`.
    pub fn start(push: Push, prefix: &str, per_second: u32) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (count, sent) = watch::channel(0);
        let prefix = prefix.to_owned();
        let pause = Duration::from_secs(1) * u32::try_from(REQUEST).unwrap_or(1) / per_second;
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(pause);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut number = 0;
            while !*stopped.borrow() {
                ticks.tick().await;
                push.mentions(&request(&prefix, number)).await?;
                number += REQUEST;
                count.send_replace(number);
            }
            Ok(number)
        });
        Self { stop, sent, task }
    }

    /// Waits until so many posts are acknowledged.
    pub async fn until_sent(&self, posts: u64, within: Duration) -> anyhow::Result<()> {
        let mut sent = self.sent.clone();
        tokio::time::timeout(within, sent.wait_for(|count| *count >= posts))
            .await
            .with_context(|| format!("fewer than {posts} posts acknowledged in {within:?}"))?
            .context("the load ended early")?;
        Ok(())
    }

    /// How many posts are acknowledged.
    pub fn sent(&self) -> u64 {
        *self.sent.borrow()
    }

    /// Ends it; how many posts were acknowledged.
    pub async fn finish(self) -> anyhow::Result<u64> {
        self.stop.send_replace(true);
        self.task.await.context("the load panicked")?
    }
}

/// New posts, an edit of every tenth of the request before and a deletion of its last one.
fn request(prefix: &str, from: u64) -> Vec<Submission> {
    let mut request: Vec<_> =
        (from..from + REQUEST).map(|number| posts::post(prefix, number)).collect();
    if let Some(before) = from.checked_sub(REQUEST) {
        let edited = (before..from).step_by(10);
        request.extend(edited.map(|number| posts::edit(prefix, number)));
        request.push(posts::deletion(&format!("{prefix}-{}", from - 1)));
    }
    request
}
