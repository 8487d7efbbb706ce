//! What the runtime measures. Label values are stages, verdicts and reasons: few and fixed.

use echolot_schemas::dead_letter::Reason;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, exponential_buckets,
};

pub use self::registration::{MetricDoc, catalogue, registered};
use crate::stage::Dropped;

mod registration;

/// What a worker measures; every metric has the label `stage`.
#[derive(Clone, Debug)]
pub struct WorkerMetrics {
    deliveries: IntCounterVec,
    rejections: IntCounterVec,
    batch_rows: HistogramVec,
    batch_seconds: HistogramVec,
    in_flight_rows: IntGaugeVec,
    in_flight_bytes: IntGaugeVec,
    retries: IntCounterVec,
    lag_records: IntGaugeVec,
    lag_seconds: prometheus::GaugeVec,
    rebalances: IntCounterVec,
    assigned: IntGaugeVec,
}

/// The metrics of one stage.
#[derive(Clone, Debug)]
pub(crate) struct StageMetrics {
    pub(crate) emitted: IntCounter,
    dropped: [IntCounter; Dropped::ALL.len()],
    rejected: IntCounter,
    rejections: [IntCounter; Reason::ALL.len()],
    pub(crate) batch_rows: Histogram,
    pub(crate) batch_seconds: Histogram,
    pub(crate) in_flight_rows: IntGauge,
    pub(crate) in_flight_bytes: IntGauge,
    pub(crate) retries: IntCounter,
    pub(crate) lag_records: IntGauge,
    pub(crate) lag_seconds: prometheus::Gauge,
    pub(crate) rebalances: IntCounter,
    pub(crate) assigned: IntGauge,
}

impl WorkerMetrics {
    /// Registers the metrics.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let stage = &["stage"];
        let counter = |name: &str, help: &str, labels: &[&str]| {
            registered(registry, IntCounterVec::new(Opts::new(name, help), labels))
        };
        let gauge = |name: &str, help: &str| {
            registered(registry, IntGaugeVec::new(Opts::new(name, help), stage))
        };
        let histogram = |name: &str, help: &str, buckets: Vec<f64>| {
            let options = HistogramOpts::new(name, help).buckets(buckets);
            registered(registry, HistogramVec::new(options, stage))
        };
        Ok(Self {
            deliveries: counter(
                "echolot_deliveries_total",
                "Records judged, by stage and verdict.",
                &["stage", "verdict"],
            )?,
            rejections: counter(
                "echolot_rejections_total",
                "Records that became dead letters, by stage and reason.",
                &["stage", "reason"],
            )?,
            batch_rows: histogram(
                "echolot_batch_rows",
                "Records in a batch.",
                exponential_buckets(1.0, 4.0, 9)?,
            )?,
            batch_seconds: histogram(
                "echolot_batch_seconds",
                "Seconds from a batch's start to its settlement, retries included.",
                exponential_buckets(0.001, 2.0, 15)?,
            )?,
            in_flight_rows: gauge("echolot_in_flight_rows", "Records read and not yet settled.")?,
            in_flight_bytes: gauge(
                "echolot_in_flight_bytes",
                "Payload bytes read and not yet settled.",
            )?,
            retries: counter(
                "echolot_retries_total",
                "Batches tried again after a transient fault.",
                stage,
            )?,
            lag_records: gauge(
                "echolot_consumer_lag_records",
                "Records on the topic that the stage has not settled.",
            )?,
            lag_seconds: registered(
                registry,
                prometheus::GaugeVec::new(
                    Opts::new(
                        "echolot_consumer_lag_seconds",
                        "Age in seconds of the oldest record that the stage has not settled.",
                    ),
                    stage,
                ),
            )?,
            rebalances: counter(
                "echolot_rebalances_total",
                "Times that the stage's partitions changed.",
                stage,
            )?,
            assigned: gauge("echolot_assigned_partitions", "Partitions the stage owns.")?,
        })
    }

    pub(crate) fn stage(&self, stage: &str) -> StageMetrics {
        let labels = &[stage];
        StageMetrics {
            emitted: self.deliveries.with_label_values(&[stage, "emitted"]),
            dropped: Dropped::ALL
                .map(|why| self.deliveries.with_label_values(&[stage, why.as_str()])),
            rejected: self.deliveries.with_label_values(&[stage, "rejected"]),
            rejections: Reason::ALL
                .map(|reason| self.rejections.with_label_values(&[stage, reason.as_str()])),
            batch_rows: self.batch_rows.with_label_values(labels),
            batch_seconds: self.batch_seconds.with_label_values(labels),
            in_flight_rows: self.in_flight_rows.with_label_values(labels),
            in_flight_bytes: self.in_flight_bytes.with_label_values(labels),
            retries: self.retries.with_label_values(labels),
            lag_records: self.lag_records.with_label_values(labels),
            lag_seconds: self.lag_seconds.with_label_values(labels),
            rebalances: self.rebalances.with_label_values(labels),
            assigned: self.assigned.with_label_values(labels),
        }
    }
}

impl StageMetrics {
    pub(crate) fn dropped(&self, why: Dropped) {
        self.dropped[why as usize].inc();
    }

    pub(crate) fn rejected(&self, reason: Reason) {
        self.rejected.inc();
        self.rejections[reason as usize].inc();
    }
}

/// What a producer measures.
#[derive(Clone, Debug)]
pub struct ProducerMetrics {
    pub(crate) ack_seconds: Histogram,
    pub(crate) sent_bytes: IntCounter,
    pub(crate) failures: IntCounter,
}

impl ProducerMetrics {
    /// Registers the metrics.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        Ok(Self {
            ack_seconds: registered(
                registry,
                Histogram::with_opts(
                    HistogramOpts::new(
                        "echolot_kafka_ack_seconds",
                        "Seconds from a call to Kafka's acknowledgement of all its records.",
                    )
                    .buckets(exponential_buckets(0.001, 2.0, 15)?),
                ),
            )?,
            sent_bytes: registered(
                registry,
                IntCounter::new(
                    "echolot_kafka_sent_bytes_total",
                    "Payload bytes that Kafka acknowledged, before compression.",
                ),
            )?,
            failures: registered(
                registry,
                IntCounter::new(
                    "echolot_kafka_publish_failures_total",
                    "Calls in which Kafka did not acknowledge every record.",
                ),
            )?,
        })
    }
}
