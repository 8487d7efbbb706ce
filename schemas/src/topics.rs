//! Every topic: its name, its cleanup and the reasons for it.

use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

/// What the broker may throw away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cleanup {
    /// Keep the last record of each key. Live readers see every record for `min_lag`; whatever was
    /// superseded or erased is physically gone after `max_lag`.
    Compact {
        /// `min.compaction.lag.ms`
        min_lag: Duration,
        /// `max.compaction.lag.ms`
        max_lag: Duration,
    },
    /// Keep everything for this long.
    Expire {
        /// `retention.ms`
        after: Duration,
    },
}

/// One topic as it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name, before the configured prefix.
    pub name: &'static str,
    /// True when it has the configured number of partitions; false for exactly one.
    pub partitioned: bool,
    /// Its cleanup policy.
    pub cleanup: Cleanup,
}

/// An erased text must be gone from the log within a month (GDPR, art. 12 (3)); this leaves days
/// for the cleaner to run.
const ERASED_WITHIN: Duration = Duration::from_hours(25 * 24);

/// `mention.observed` and `mention.deleted`, keyed by mention id: the truth.
pub const RAW: Topic = Topic {
    name: "mentions.raw",
    partitioned: true,
    cleanup: Cleanup::Compact { min_lag: DAY, max_lag: ERASED_WITHIN },
};

/// What enrichment derived, partition by partition beside [`RAW`].
pub const ENRICHED: Topic = Topic {
    name: "mentions.enriched",
    partitioned: true,
    cleanup: Cleanup::Compact { min_lag: DAY, max_lag: ERASED_WITHIN },
};

/// Refused records. Their texts may have been erased since: they go by time.
pub const DEAD: Topic = Topic {
    name: "mentions.dead",
    partitioned: false,
    cleanup: Cleanup::Expire { after: ERASED_WITHIN },
};

/// Where each source goes on.
pub const CURSORS: Topic = Topic {
    name: "ingest.cursors",
    partitioned: false,
    cleanup: Cleanup::Compact { min_lag: Duration::ZERO, max_lag: DAY },
};

/// How well each source is covered: the newest record of a source counts.
pub const COVERAGE: Topic = Topic {
    name: "ingest.coverage",
    partitioned: false,
    cleanup: Cleanup::Compact { min_lag: Duration::ZERO, max_lag: DAY },
};

/// Authors whose mentions are still to be deleted: taken back by a tombstone once they are.
pub const PURGES: Topic = Topic {
    name: "ingest.purges",
    partitioned: false,
    cleanup: Cleanup::Compact { min_lag: Duration::ZERO, max_lag: DAY },
};

/// Every change of an incident, keyed by incident id: compaction keeps the last one of each.
pub const ALERTS: Topic = Topic {
    name: "alerts",
    partitioned: false,
    cleanup: Cleanup::Compact { min_lag: DAY, max_lag: ERASED_WITHIN },
};

/// Every topic.
pub const ALL: [Topic; 7] = [RAW, ENRICHED, DEAD, CURSORS, COVERAGE, PURGES, ALERTS];

impl Topic {
    /// The topic's settings as the broker names them.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        match self.cleanup {
            Cleanup::Compact { min_lag, max_lag } => vec![
                ("cleanup.policy", "compact".to_owned()),
                ("min.compaction.lag.ms", min_lag.as_millis().to_string()),
                ("max.compaction.lag.ms", max_lag.as_millis().to_string()),
            ],
            Cleanup::Expire { after } => vec![
                ("cleanup.policy", "delete".to_owned()),
                ("retention.ms", after.as_millis().to_string()),
            ],
        }
    }
}
