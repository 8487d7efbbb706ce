//! Runs every configured source beside the others.
//!
//! A source that gives up (an expired token, a page closed by its owner) stands still alone, and
//! readiness names it; the others go on. Only a log that failed for good ends the role.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use echolot_pipeline::health::Health;
use echolot_schemas::{SourceName, coverage::SourceCoverage};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    collector::{CollectError, Collector, Ended},
    coverage::{Failure, Ledger, Recorder},
    log::{CoverageLog, Cursors, Publish},
    source::{AnySource, Source as _, SourceFault},
};

/// How often a source is expected to answer, where nothing else is said.
pub const EXPECTED: Duration = Duration::from_secs(30);

/// One source and how often it is expected to answer.
#[derive(Debug)]
pub struct Supervised {
    /// Its name.
    pub name: SourceName,
    /// Asked for pages; none for a source that only calls us.
    pub source: Option<AnySource>,
    /// How often it is expected to answer.
    pub interval: Duration,
}

/// Runs sources.
pub struct Supervisor<P, C, L> {
    /// Brings their pages home.
    pub collector: Collector<P, C>,
    /// Writes what is known of them.
    pub recorder: Recorder<L>,
    /// Reports.
    pub health: Health,
}

impl<P, C, L> Supervisor<P, C, L>
where
    P: Publish,
    C: Cursors + Clone + 'static,
    L: CoverageLog,
{
    /// Runs until `cancel`, or until the log failed for good.
    pub async fn run(
        &self,
        sources: Vec<Supervised>,
        cancel: CancellationToken,
    ) -> Result<(), CollectError> {
        let last = self.recorder.last().await.unwrap_or_else(|fault| {
            // Sources go on without: the price is a gap that nobody notes.
            tracing::warn!("what was known of sources cannot be read: {fault}");
            HashMap::new()
        });
        self.open(&sources, &last);
        let mut running = JoinSet::new();
        let mut names = BTreeMap::new();
        for Supervised { name, source, .. } in sources {
            let Some(mut source) = source else { continue };
            self.collector.metrics.stopped(&name, false);
            let (collector, cancel) = (self.collector.clone(), cancel.clone());
            let task =
                running.spawn(async move { collector.run(&mut source, &cancel, |_| ()).await });
            names.insert(task.id(), name);
        }
        self.health.ready();
        let written = CancellationToken::new();
        let watch = async {
            let outcome = self.watch(&mut running, &names).await;
            if outcome.is_ok() {
                // Nothing to wait for any more but the end.
                cancel.cancelled().await;
            }
            written.cancel();
            outcome
        };
        let (outcome, ()) = tokio::join!(watch, self.recorder.run(written.clone()));
        outcome
    }

    fn open(&self, sources: &[Supervised], last: &HashMap<SourceName, SourceCoverage>) {
        let now = self.collector.clock.now();
        for Supervised { name, source, interval } in sources {
            let replays = source.as_ref().is_some_and(AnySource::replays);
            let last = last.get(name).cloned();
            let ledger = Ledger::open(name.clone(), last, *interval, replays, now);
            self.recorder.book.open(ledger);
        }
    }

    async fn watch(
        &self,
        running: &mut JoinSet<Result<Ended, CollectError>>,
        names: &BTreeMap<tokio::task::Id, SourceName>,
    ) -> Result<(), CollectError> {
        let mut standing = BTreeMap::new();
        while let Some(ended) = running.join_next_with_id().await {
            let (id, fault) = match ended {
                Ok((_, Ok(_))) => continue,
                Ok((_, Err(error @ CollectError::Log { .. }))) => {
                    running.abort_all();
                    return Err(error);
                }
                Ok((id, Err(CollectError::Source { fault, .. }))) => (id, fault),
                Err(panic) => (panic.id(), SourceFault::Fatal("it panicked: a defect".to_owned())),
            };
            let Some(name) = names.get(&id) else { continue };
            tracing::error!(source = %name, "source stands still: {fault}");
            let at = self.collector.clock.now();
            self.collector.coverage.stopped(name, at, &Failure::from(&fault));
            self.collector.metrics.stopped(name, true);
            standing.insert(name, fault.to_string());
            let told: Vec<String> =
                standing.iter().map(|(name, why)| format!("{name} stands still: {why}")).collect();
            self.health.note(&told.join("; "));
        }
        Ok(())
    }
}
