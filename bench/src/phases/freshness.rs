//! How long a mention takes from ingest to its count, under a steady load.

use std::time::Duration;

use anyhow::Context;
use serde::Serialize;

use crate::{
    counts::{Counter, aggregate},
    curve::Delays,
    histogram::Histogram,
    load::{Load, Pace, total},
    phases::COUNTED_WITHIN,
    setup::Setup,
};

/// How often the aggregate is looked at: also the most by which a delay is told too long.
const POLL: Duration = Duration::from_millis(50);
/// The sink's own measure, from acceptance by ingest until the bucket was recomputed.
const OWN: &str = "echolot_sink_freshness_seconds";

/// What was found, in seconds.
#[derive(Debug, Serialize)]
pub(crate) struct Freshness {
    /// Mentions a second that were offered.
    pub(crate) rate: u64,
    /// Mentions offered in all.
    pub(crate) mentions: u64,
    /// Half of the mentions were visible after this, seen from outside.
    pub(crate) p50_s: f64,
    /// So were 99 % of them.
    pub(crate) p99_s: f64,
    /// All of them.
    pub(crate) max_s: f64,
    /// The sink's own half.
    pub(crate) sink_p50_s: Option<f64>,
    /// The sink's own 99 %.
    pub(crate) sink_p99_s: Option<f64>,
}

/// Offers `rate` mentions a second for a time.
pub(crate) async fn measure(setup: &Setup, rate: u64, time: Duration) -> anyhow::Result<Freshness> {
    let before = Histogram::parse(&setup.launch.metrics(&setup.sink).await?, OWN);
    let counter = Counter::start(&setup.store, aggregate("freshness"), POLL);
    let mut load = Load::start(&setup.feed, "freshness", Pace::Steady { per_second: rate }, None);
    load.run_for(time).await?;
    let accepted = load.stop().await?;
    let mentions = total(&accepted);
    counter.reaches(mentions, COUNTED_WITHIN).await?;
    let delays = Delays::between(&accepted, &counter.stop().await?);
    let own = Histogram::parse(&setup.launch.metrics(&setup.sink).await?, OWN).since(&before);
    let quantile = |q| delays.quantile(q).context("nothing was counted");
    Ok(Freshness {
        rate,
        mentions,
        p50_s: quantile(0.5)?,
        p99_s: quantile(0.99)?,
        max_s: quantile(1.0)?,
        sink_p50_s: own.quantile(0.5),
        sink_p99_s: own.quantile(0.99),
    })
}
