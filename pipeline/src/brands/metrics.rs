//! What brand files tell Prometheus.

use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry};

use crate::metrics::registered;

/// Metrics of all that watch brand files in a process, each under the name of its part.
#[derive(Clone, Debug)]
pub struct BrandMetrics {
    /// Brands that are looked for, by part.
    pub brands: IntGaugeVec,
    /// Reloads of brand files that left the last good version at work, by part.
    pub reload_failures: IntCounterVec,
}

impl BrandMetrics {
    /// Registers them.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        Ok(Self {
            brands: registered(
                registry,
                IntGaugeVec::new(
                    Opts::new("echolot_brands", "Brands that are looked for, by part."),
                    &["part"],
                ),
            )?,
            reload_failures: registered(
                registry,
                IntCounterVec::new(
                    Opts::new(
                        "echolot_brands_reload_failures_total",
                        "Reloads of brand files that failed and left the last good version at \
                         work, by part.",
                    ),
                    &["part"],
                ),
            )?,
        })
    }
}
