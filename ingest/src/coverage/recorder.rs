//! Writes the coverage book to the log, and reads what it said before.

use std::{collections::HashMap, time::Duration};

use echolot_pipeline::clock::Clock;
use echolot_schemas::{SourceName, coverage::SourceCoverage};
use tokio_util::sync::CancellationToken;

use crate::{
    coverage::CoverageBook,
    log::{CoverageLog, LogFault},
};

/// Between two looks at what changed. A process that dies forgets at most so much.
const PERIOD: Duration = Duration::from_secs(5);

/// Brings the book to the log.
#[derive(Debug)]
pub struct Recorder<L> {
    /// The log.
    pub log: L,
    /// What is brought.
    pub book: CoverageBook,
    /// What time it is.
    pub clock: Clock,
}

impl<L: CoverageLog> Recorder<L> {
    /// What was written last, by source.
    pub async fn last(&self) -> Result<HashMap<SourceName, SourceCoverage>, LogFault> {
        self.log.read_coverage().await
    }

    /// Writes what changes until `cancel`, and what is left then.
    pub async fn run(&self, cancel: CancellationToken) {
        loop {
            let stop = tokio::select! {
                () = cancel.cancelled() => true,
                () = tokio::time::sleep(PERIOD) => false,
            };
            self.write().await;
            if stop {
                return;
            }
        }
    }

    async fn write(&self) {
        let changed = self.book.take_changed(self.clock.now());
        if changed.is_empty() {
            return;
        }
        if let Err(fault) = self.log.write_coverage(&changed).await {
            self.book.put_back(&changed);
            tracing::warn!(sources = changed.len(), "coverage is not written yet: {fault}");
        }
    }
}
