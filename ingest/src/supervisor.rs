//! Runs every configured source beside the others.
//!
//! ```text
//!  build ─▶ Collector::run ─┬─ cancelled, exhausted ─▶ end
//!    ▲                      ├─ gives up (token, closed) ─▶ stands still, readiness names it
//!    │ resumes behind       └─ panics
//!    │ the saved cursor          │ counted, logged, in the coverage
//!    └──────── pause ◀───────────┘
//! ```
//!
//! What happens to one source is no matter of the others. Only a log that failed for good ends the
//! role.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};

use echolot_pipeline::{health::Health, retry::Backoff};
use echolot_schemas::{
    SourceName,
    coverage::{GapReason, SourceCoverage},
};
use futures::FutureExt as _;
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    collector::{CollectError, Collector, Ended},
    coverage::{Failure, Ledger, Recorder},
    log::{CoverageLog, Cursors, Publish},
    source::{AnySource, Source as _, SourceFault},
};

/// How often a source is expected to answer, where nothing else is said.
pub const EXPECTED: Duration = Duration::from_secs(30);

/// Pauses before a source that panicked is started anew. One that ran for longer than the longest
/// starts over.
const RESTART_FIRST: Duration = Duration::from_secs(1);
const RESTART_LONGEST: Duration = Duration::from_mins(5);

/// Makes a source. Called again after a panic, which leaves nothing behind that may be trusted.
#[derive(Clone)]
pub struct Build(Arc<dyn Fn() -> Result<AnySource, SourceFault> + Send + Sync>);

impl Build {
    /// Makes sources with `build`, all of the same name and kind.
    pub fn new(build: impl Fn() -> Result<AnySource, SourceFault> + Send + Sync + 'static) -> Self {
        Self(Arc::new(build))
    }
}

impl fmt::Debug for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Build(…)")
    }
}

/// One source and how often it is expected to answer.
#[derive(Debug)]
pub struct Supervised {
    /// Its name.
    pub name: SourceName,
    /// Asked for pages, and how to make it anew; none for a source that only calls us.
    pub source: Option<(AnySource, Build)>,
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
            let Some((source, build)) = source else { continue };
            self.collector.metrics.followed(&name);
            let (collector, cancel) = (self.collector.clone(), cancel.clone());
            let followed = name.clone();
            let task = running
                .spawn(async move { follow(&collector, &followed, source, &build, &cancel).await });
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
            let replays = source.as_ref().is_some_and(|(source, _)| source.replays());
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
                Err(ended) => (ended.id(), SourceFault::Fatal(format!("a defect: {ended}"))),
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

/// Collects one source until it ends; after a panic a new one goes on behind the saved cursor.
async fn follow<P: Publish, C: Cursors>(
    collector: &Collector<P, C>,
    name: &SourceName,
    mut source: AnySource,
    build: &Build,
    cancel: &CancellationToken,
) -> Result<Ended, CollectError> {
    let mut backoff = Backoff::between(RESTART_FIRST, RESTART_LONGEST);
    loop {
        let began = Instant::now();
        let run = AssertUnwindSafe(collector.run(&mut source, cancel, |_| ()));
        if let Ok(ended) = run.catch_unwind().await {
            return ended;
        }
        if began.elapsed() > RESTART_LONGEST {
            backoff = Backoff::between(RESTART_FIRST, RESTART_LONGEST);
        }
        let pause = backoff.next_pause();
        // What it panicked with may quote a mention; the panic itself has told where.
        let detail = format!("it panicked, which is a defect; started anew after {pause:.1?}");
        tracing::error!(source = %name, pause_ms = pause.as_millis(), "source panicked: a defect");
        let failure = Failure { why: GapReason::Outage, detail };
        collector.coverage.restarted(name, collector.clock.now(), &failure);
        collector.metrics.restarted(name);
        collector.metrics.fault(name, "defect");
        tokio::select! {
            () = cancel.cancelled() => return Ok(Ended::Cancelled),
            () = tokio::time::sleep(pause) => {}
        }
        source =
            (build.0)().map_err(|fault| CollectError::Source { name: name.to_string(), fault })?;
    }
}
