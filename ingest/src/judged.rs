//! What a page comes to before any of it is written: events, requests to forget, dead letters.

use std::time::{Duration, Instant};

use echolot_pipeline::dead_letters::DeadLetter;
use echolot_schemas::{RawEvent, SourceName, Timestamp, purge::PurgeRequest};

use crate::{
    collector::{Collected, Collector},
    coverage::Success,
    keep::KeepRule,
    log::{LogFault, Publish},
    metrics,
    rejected::Rejected,
    source::{Notice, Observation, Page},
};

/// A page, judged.
pub(crate) struct Judged {
    pub(crate) at: Timestamp,
    pub(crate) events: Vec<RawEvent>,
    pub(crate) purges: Vec<PurgeRequest>,
    pub(crate) letters: Vec<DeadLetter>,
    notices: Vec<Notice>,
    filtered: u64,
}

impl<P: Publish, C> Collector<P, C> {
    /// Makes events of observations; leaves out what is about no brand.
    pub(crate) fn judge(&self, name: &SourceName, page: Page, rule: KeepRule) -> Judged {
        let at = self.clock.now();
        let Page { observations, mut rejected, purges, notices, cursor: _ } = page;
        let (mut keep, mut all) = (self.observer.keep(rule), self.observer.keep(KeepRule::All));
        let mut filtered = 0;
        let mut events = Vec::with_capacity(observations.len());
        for Observation { source, submission, place, original, followed } in observations {
            let keep = if followed { &mut all } else { &mut keep };
            match keep.observe(&self.observer, &source, submission, at) {
                Ok(Some(event)) => events.push(event),
                Ok(None) => filtered += 1,
                Err(rejection) => rejected.push(Rejected::new(place, rejection, original)),
            }
        }
        let letters = rejected.into_iter().map(|one| one.into_dead_letter(name, at)).collect();
        let purges = purges.iter().filter_map(|purge| self.observer.purge(purge, at)).collect();
        Judged { at, events, purges, letters, notices, filtered }
    }

    /// Counts a page that is safe.
    pub(crate) fn note(&self, name: &SourceName, judged: &Judged) -> Collected {
        for letter in &judged.letters {
            self.metrics.rejected(name, letter.rejection.reason, 1);
        }
        self.metrics.acknowledged(name, &judged.events, judged.at);
        self.metrics.filtered(name, judged.filtered);
        let collected = Collected {
            accepted: judged.events.len() as u64,
            rejected: judged.letters.len() as u64,
            filtered: judged.filtered,
        };
        let success = Success {
            accepted: collected.accepted,
            rejected: collected.rejected,
            newest: metrics::newest(&judged.events),
            notices: judged.notices.clone(),
        };
        for notice in &judged.notices {
            self.metrics.noticed(name, notice);
        }
        self.coverage.succeeded(name, judged.at, &success);
        collected
    }

    /// Makes a page safe in one attempt: for a sender that waits for the answer and repeats itself.
    pub(crate) async fn take(
        &self,
        name: &SourceName,
        page: Page,
        rule: KeepRule,
        within: Duration,
    ) -> Result<Collected, LogFault> {
        let judged = self.judge(name, page, rule);
        let started = Instant::now();
        let write = async {
            if !judged.events.is_empty() {
                self.log.publish(&judged.events, None).await?;
            }
            if !judged.purges.is_empty() {
                self.log.publish_purges(&judged.purges).await?;
            }
            if !judged.letters.is_empty() {
                self.log.publish_dead(&judged.letters).await?;
            }
            Ok::<(), LogFault>(())
        };
        let slow = |_| LogFault::Unavailable(format!("no acknowledgement within {within:?}"));
        tokio::time::timeout(within, write).await.map_err(slow)??;
        self.metrics.publish_seconds.observe(started.elapsed().as_secs_f64());
        Ok(self.note(name, &judged))
    }
}
