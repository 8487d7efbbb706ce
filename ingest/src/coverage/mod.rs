//! The coverage ledger: what is known of every source, so that "no mentions" is never taken for
//! "source down".
//!
//! ```text
//!  Collector ─ succeeded / failed / stopped ─▶ CoverageBook ─▶ metrics
//!                                                  │ changed
//!                     Recorder, every few seconds ─┴─▶ ingest.coverage ─▶ sink ─▶ source_coverage
//!                                                           │
//!  a new process reads its own last words ◀─────────────────┘  (a silence since then is a gap)
//! ```
//!
//! [`Ledger`] is the pure part: one source, what happened to it, and the gaps that follow.

mod ledger;
mod recorder;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use echolot_schemas::{SourceName, Timestamp, coverage::SourceCoverage};

pub use self::{
    ledger::{Failure, Ledger, Success},
    recorder::Recorder,
};

/// The ledgers of all sources that run here. Cheap to clone. Sources that were never opened (files,
/// senders) are passed over.
#[derive(Clone, Debug, Default)]
pub struct CoverageBook(Arc<Mutex<BTreeMap<SourceName, Ledger>>>);

impl CoverageBook {
    /// Opens the ledger of a source, with what its predecessor wrote last.
    pub fn open(&self, ledger: Ledger) {
        self.lock().insert(ledger.source().clone(), ledger);
    }

    /// A page is safe.
    pub fn succeeded(&self, source: &SourceName, at: Timestamp, success: &Success) {
        self.with(source, |ledger| ledger.succeeded(at, success));
    }

    /// An attempt failed and is made again.
    pub fn failed(&self, source: &SourceName, at: Timestamp, failure: &Failure) {
        self.with(source, |ledger| ledger.failed(at, failure));
    }

    /// The source fell over a defect of ours and is started anew.
    pub fn restarted(&self, source: &SourceName, at: Timestamp, failure: &Failure) {
        self.with(source, |ledger| ledger.restarted(at, failure));
    }

    /// The source stands still until an operator mends it.
    pub fn stopped(&self, source: &SourceName, at: Timestamp, failure: &Failure) {
        self.with(source, |ledger| ledger.stopped(at, failure));
    }

    /// Every source as it is now.
    pub fn all(&self) -> Vec<SourceCoverage> {
        self.lock().values().map(|ledger| ledger.coverage().clone()).collect()
    }

    /// What changed since the call before.
    fn take_changed(&self, at: Timestamp) -> Vec<SourceCoverage> {
        self.lock().values_mut().filter_map(|ledger| ledger.take_changed(at)).collect()
    }

    /// What was taken is not written yet.
    fn put_back(&self, changed: &[SourceCoverage]) {
        for coverage in changed {
            self.with(&coverage.source, Ledger::mark_changed);
        }
    }

    fn with(&self, source: &SourceName, change: impl FnOnce(&mut Ledger)) {
        if let Some(ledger) = self.lock().get_mut(source) {
            change(ledger);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SourceName, Ledger>> {
        // A panic elsewhere leaves plain data behind: still true, still readable.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
