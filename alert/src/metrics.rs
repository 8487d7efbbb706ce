//! What the watcher tells about brands and itself.

use echolot_pipeline::metrics::registered;
use prometheus::{
    GaugeVec, Histogram, HistogramOpts, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

use crate::{Change, Detector, Severity};

/// The watcher's metrics. Brands are those of the brand files.
#[derive(Clone, Debug)]
pub struct AlertMetrics {
    state: IntGaugeVec,
    severity: IntGaugeVec,
    voices: GaugeVec,
    expected: GaugeVec,
    upper: GaugeVec,
    share: GaugeVec,
    changes: IntCounterVec,
    /// Whether this process leads.
    pub(crate) leader: IntGauge,
    /// Last minute judged, seconds since 1970.
    pub(crate) judged: IntGauge,
    /// Seconds of a tick.
    pub(crate) tick: Histogram,
}

impl AlertMetrics {
    /// Registers all of them.
    pub fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let ints = |name: &str, help: &str, labels: &[&str]| {
            registered(registry, IntGaugeVec::new(Opts::new(name, help), labels))
        };
        let floats = |name: &str, help: &str| {
            registered(registry, GaugeVec::new(Opts::new(name, help), &["brand"]))
        };
        Ok(Self {
            state: ints(
                "echolot_alert_state",
                "Where a brand stands: 0 learning, 1 calm, 2 incident about negativity.",
                &["brand"],
            )?,
            severity: ints(
                "echolot_alert_severity",
                "Severity of the open incident of a kind: 0 none, 1 warning, 2 high, 3 critical.",
                &["brand", "kind"],
            )?,
            voices: floats("echolot_alert_voices", "Negative voices of the last hour.")?,
            expected: floats("echolot_alert_expected_voices", "Negative voices expected in it.")?,
            upper: floats(
                "echolot_alert_upper_voices",
                "Negative voices that one hour in a thousand reaches.",
            )?,
            share: floats(
                "echolot_alert_negative_share",
                "Share of negative mentions in the last hour.",
            )?,
            changes: registered(
                registry,
                IntCounterVec::new(
                    Opts::new(
                        "echolot_alert_changes_total",
                        "Changes of incidents that were told.",
                    ),
                    &["kind", "phase", "severity"],
                ),
            )?,
            leader: registered(
                registry,
                IntGauge::new("echolot_alert_leader", "1 while this process is the one that acts."),
            )?,
            judged: registered(
                registry,
                IntGauge::new(
                    "echolot_alert_judged_timestamp_seconds",
                    "End of the last minute that was judged.",
                ),
            )?,
            tick: registered(
                registry,
                Histogram::with_opts(HistogramOpts::new(
                    "echolot_alert_tick_seconds",
                    "Seconds from the question to the store until every brand was judged.",
                )),
            )?,
        })
    }

    /// Shows where a brand stands.
    pub(crate) fn show(&self, brand: &str, detector: &Detector) {
        let standing = detector.standing();
        let severity = |severity: Severity| match severity {
            Severity::Warning => 1,
            Severity::High => 2,
            Severity::Critical => 3,
        };
        let state = match (standing.open, standing.learning) {
            (Some(_), _) => 2,
            (None, false) => 1,
            (None, true) => 0,
        };
        self.state.with_label_values(&[brand]).set(state);
        for kind in detector.kinds() {
            let open = detector.open(*kind).map_or(0, severity);
            self.severity.with_label_values(&[brand, kind.as_str()]).set(open);
        }
        self.voices.with_label_values(&[brand]).set(standing.observed);
        self.expected.with_label_values(&[brand]).set(standing.expected);
        self.upper.with_label_values(&[brand]).set(standing.upper);
        self.share.with_label_values(&[brand]).set(standing.share);
    }

    /// Takes every brand's values away: another process leads.
    pub(crate) fn clear(&self) {
        self.state.reset();
        self.severity.reset();
        for gauge in [&self.voices, &self.expected, &self.upper, &self.share] {
            gauge.reset();
        }
    }

    pub(crate) fn told(&self, change: &Change) {
        let labels = [change.kind.as_str(), change.phase.as_str(), change.severity.as_str()];
        self.changes.with_label_values(&labels).inc();
    }
}
