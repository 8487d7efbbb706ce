//! What the sink tells about itself.

use std::time::Duration;

use echolot_pipeline::metrics::registered;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
};

/// A step of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    LookUp,
    Insert,
    Recompute,
}

impl Phase {
    const fn as_str(self) -> &'static str {
        match self {
            Self::LookUp => "look_up",
            Self::Insert => "insert",
            Self::Recompute => "recompute",
        }
    }
}

/// The sink's metrics.
#[derive(Clone, Debug)]
pub struct SinkMetrics {
    /// Seconds from the acceptance of a mention by ingest until its count is visible.
    pub(crate) freshness: Histogram,
    /// Rows written to `mentions`.
    pub(crate) rows: IntCounter,
    /// Buckets recomputed.
    pub(crate) buckets: IntCounter,
    /// Mentions looked up because they may have been stored before: `hit` if they were.
    look_ups: IntCounterVec,
    /// Seconds of a batch by phase.
    phases: HistogramVec,
    /// Bytes of the memory of mentions seen.
    pub(crate) sightings: IntGauge,
}

impl SinkMetrics {
    /// Registers all of them.
    pub fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counter = |name: &str, help: &str| registered(registry, IntCounter::new(name, help));
        Ok(Self {
            freshness: registered(
                registry,
                Histogram::with_opts(
                    HistogramOpts::new(
                        "echolot_sink_freshness_seconds",
                        "Seconds from the acceptance of a mention by ingest until its count is visible.",
                    )
                    .buckets(vec![
                        0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0,
                        3600.0,
                    ]),
                ),
            )?,
            rows: counter("echolot_sink_rows_total", "Rows written to mentions.")?,
            buckets: counter(
                "echolot_sink_buckets_recomputed_total",
                "Buckets of ten seconds recomputed.",
            )?,
            look_ups: registered(
                registry,
                IntCounterVec::new(
                    Opts::new(
                        "echolot_sink_look_ups_total",
                        "Mentions looked up because they may have been stored before, by result.",
                    ),
                    &["result"],
                ),
            )?,
            phases: registered(
                registry,
                HistogramVec::new(
                    HistogramOpts::new(
                        "echolot_sink_phase_seconds",
                        "Seconds of a batch, by phase.",
                    )
                    .buckets(vec![
                        0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 10.0, 30.0,
                    ]),
                    &["phase"],
                ),
            )?,
            sightings: registered(
                registry,
                IntGauge::new(
                    "echolot_sink_sightings_bytes",
                    "Memory for remembering which mentions were seen.",
                ),
            )?,
        })
    }

    pub(crate) fn looked_up(&self, hits: usize, misses: usize) {
        self.look_ups.with_label_values(&["hit"]).inc_by(hits as u64);
        self.look_ups.with_label_values(&["miss"]).inc_by(misses as u64);
    }

    pub(crate) fn took(&self, phase: Phase, time: Duration) {
        self.phases.with_label_values(&[phase.as_str()]).observe(time.as_secs_f64());
    }
}
