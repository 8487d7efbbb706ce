//! What ingest measures. Label values are configured source names (`other` for the rest), reasons
//! and classes: few and fixed.

use std::collections::HashSet;

use echolot_pipeline::metrics::registered;
use echolot_schemas::{RawEvent, SourceName, Timestamp, dead_letter::Reason};
use prometheus::{
    GaugeVec, Histogram, HistogramOpts, IntCounterVec, IntGauge, Opts, Registry,
    exponential_buckets,
};

use crate::source::Notice;

/// Label of sources that the settings do not name.
const OTHER: &str = "other";

/// What sources, the collector and push measure.
#[derive(Clone, Debug)]
pub struct IngestMetrics {
    known: HashSet<String>,
    accepted: IntCounterVec,
    rejected: IntCounterVec,
    filtered: IntCounterVec,
    faults: IntCounterVec,
    requests: IntCounterVec,
    last_success: GaugeVec,
    lag: GaugeVec,
    gaps: IntCounterVec,
    lost: IntCounterVec,
    stopped: GaugeVec,
    restarts: IntCounterVec,
    /// Seconds from handing events to the log until all were acknowledged.
    pub publish_seconds: Histogram,
    /// Body bytes of push requests at work.
    pub in_flight_bytes: IntGauge,
}

impl IngestMetrics {
    /// Registers the metrics; `sources` are the names that may become labels.
    pub fn new<'a>(
        registry: &Registry,
        sources: impl IntoIterator<Item = &'a str>,
    ) -> prometheus::Result<Self> {
        let counter = |name: &str, help: &str, labels: &[&str]| {
            registered(registry, IntCounterVec::new(Opts::new(name, help), labels))
        };
        let gauge = |name: &str, help: &str| {
            registered(registry, GaugeVec::new(Opts::new(name, help), &["source"]))
        };
        Ok(Self {
            known: sources.into_iter().map(str::to_owned).collect(),
            accepted: counter(
                "echolot_ingest_events_total",
                "Events acknowledged by the log, by source.",
                &["source"],
            )?,
            rejected: counter(
                "echolot_ingest_rejected_total",
                "What sources said that was no mention, by source and reason.",
                &["source", "reason"],
            )?,
            filtered: counter(
                "echolot_ingest_filtered_total",
                "Mentions about no brand, left out of the log because the source keeps matches \
                 only, by source.",
                &["source"],
            )?,
            faults: counter(
                "echolot_ingest_faults_total",
                "Failed attempts to read a source or write the log, by source and kind.",
                &["source", "kind"],
            )?,
            requests: counter(
                "echolot_ingest_push_requests_total",
                "Push requests answered, by source and class of status.",
                &["source", "status"],
            )?,
            last_success: gauge(
                "echolot_ingest_source_last_success_timestamp_seconds",
                "When a source last answered and all it said was acknowledged, by source.",
            )?,
            lag: gauge(
                "echolot_ingest_source_lag_seconds",
                "Age of the newest mention in the last page at its observation, by source.",
            )?,
            gaps: counter(
                "echolot_ingest_source_gaps_total",
                "Gaps that sources told of, by source and reason. Every gap, outages included, is in \
                 the table source_gaps.",
                &["source", "why"],
            )?,
            lost: counter(
                "echolot_ingest_source_lost_total",
                "Mentions that sources know to be missing, by source and reason.",
                &["source", "why"],
            )?,
            stopped: gauge(
                "echolot_ingest_source_stopped",
                "1 for a source that is not asked any more until an operator mends it, by source.",
            )?,
            restarts: counter(
                "echolot_ingest_source_restarts_total",
                "How often a source fell over a defect and was started anew, by source.",
                &["source"],
            )?,
            publish_seconds: registered(
                registry,
                Histogram::with_opts(
                    HistogramOpts::new(
                        "echolot_ingest_publish_seconds",
                        "Seconds from handing events to the log until all were acknowledged.",
                    )
                    .buckets(exponential_buckets(0.001, 2.0, 15)?),
                ),
            )?,
            in_flight_bytes: registered(
                registry,
                IntGauge::new(
                    "echolot_ingest_push_in_flight_bytes",
                    "Body bytes of push requests at work.",
                ),
            )?,
        })
    }

    /// The log has `events` of `source` safe, all of them accepted by `at`.
    pub fn acknowledged(&self, source: &SourceName, events: &[RawEvent], at: Timestamp) {
        let label = self.label(source.as_str());
        self.accepted.with_label_values(&[label]).inc_by(events.len() as u64);
        self.last_success.with_label_values(&[label]).set(at.as_millis() as f64 / 1000.0);
        if let Some(newest) = newest(events) {
            self.lag.with_label_values(&[label]).set(at.seconds_since(newest).max(0.0));
        }
    }

    /// So many of what `source` said were refused.
    pub fn rejected(&self, source: &SourceName, reason: Reason, count: u64) {
        let labels = [self.label(source.as_str()), reason.as_str()];
        self.rejected.with_label_values(&labels).inc_by(count);
    }

    /// So many mentions of `source` were about no brand and left out.
    pub fn filtered(&self, source: &SourceName, count: u64) {
        self.filtered.with_label_values(&[self.label(source.as_str())]).inc_by(count);
    }

    /// An attempt failed; `kind` is one of few fixed words.
    pub(crate) fn fault(&self, source: &SourceName, kind: &'static str) {
        self.faults.with_label_values(&[self.label(source.as_str()), kind]).inc();
    }

    /// A push request of `source`, as it named itself, was answered with this HTTP status.
    pub(crate) fn request(&self, source: &str, status: u16) {
        let class = match status {
            200..300 => "2xx",
            429 => "429",
            400..500 => "4xx",
            _ => "5xx",
        };
        self.requests.with_label_values(&[self.label(source), class]).inc();
    }

    /// `source` knows of something missing.
    pub(crate) fn noticed(&self, source: &SourceName, notice: &Notice) {
        let label = self.label(source.as_str());
        match notice {
            Notice::Gap { why, .. } => self.gaps.with_label_values(&[label, why.as_str()]).inc(),
            Notice::Lost { count, why } => {
                self.lost.with_label_values(&[label, why.as_str()]).inc_by(*count);
            }
        }
    }

    /// `source` begins to be followed.
    pub(crate) fn followed(&self, source: &SourceName) {
        self.stopped(source, false);
        self.restarts.with_label_values(&[self.label(source.as_str())]).inc_by(0);
    }

    /// Whether `source` stands still.
    pub(crate) fn stopped(&self, source: &SourceName, stands: bool) {
        let label = self.label(source.as_str());
        self.stopped.with_label_values(&[label]).set(if stands { 1.0 } else { 0.0 });
    }

    /// `source` fell over a defect and is started anew.
    pub(crate) fn restarted(&self, source: &SourceName) {
        self.restarts.with_label_values(&[self.label(source.as_str())]).inc();
    }

    fn label<'a>(&self, source: &'a str) -> &'a str {
        if self.known.contains(source) { source } else { OTHER }
    }
}

/// Publication time of the newest mention.
pub(crate) fn newest(events: &[RawEvent]) -> Option<Timestamp> {
    let published = events.iter().filter_map(|event| match event {
        RawEvent::Observed(observed) => Some(observed.mention.published_at),
        RawEvent::Deleted(_) => None,
    });
    published.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_nobody_configured_never_becomes_a_label() {
        let registry = Registry::new();
        let metrics = IngestMetrics::new(&registry, ["forum"]).unwrap();
        metrics.request("forum", 202);
        metrics.request("an-attackers-name", 401);
        let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        assert!(text.contains(r#"{source="forum",status="2xx"} 1"#), "{text}");
        assert!(text.contains(r#"{source="other",status="4xx"} 1"#), "{text}");
        assert!(!text.contains("attacker"), "{text}");
    }
}
