//! How many mentions a second go the whole way, for minutes.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::Context;
use serde::Serialize;

use crate::{
    counts::{Counter, aggregate},
    curve,
    load::{Load, Pace, total},
    phases::COUNTED_WITHIN,
    setup::Setup,
};

/// How often the aggregate is looked at.
const POLL: Duration = Duration::from_millis(500);

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Throughput {
    /// Mentions a second that became visible in the aggregate, over the steady part.
    pub(crate) per_second: f64,
    /// Mentions accepted in all.
    pub(crate) mentions: u64,
    /// Seconds from the end of the load until all of them were counted.
    pub(crate) left_counted_after_s: f64,
    /// CPU seconds for a million mentions, by process.
    pub(crate) cpu_s_per_million: BTreeMap<&'static str, f64>,
}

/// How to load.
pub(crate) struct Flood {
    pub(crate) time: Duration,
    pub(crate) batch: u64,
    pub(crate) ahead: u64,
}

/// Floods for a time, then waits until everything is counted. The first tenth of the time, in
/// which the path fills, is no part of the rate.
pub(crate) async fn measure(setup: &Setup, flood: &Flood) -> anyhow::Result<Throughput> {
    let counter = Counter::start(&setup.store, aggregate("throughput"), POLL);
    let pace = Pace::Flood { batch: flood.batch, ahead: flood.ahead, counted: counter.watch() };
    let before = setup.watched.cpu();
    let mut load = Load::start(&setup.feed, "throughput", pace, None);
    load.run_for(flood.time).await?;
    let under_load = counter.seen();
    let mentions = total(&load.stop().await?);
    let ended = Instant::now();
    counter.reaches(mentions, COUNTED_WITHIN).await?;
    let left_counted_after_s = ended.elapsed().as_secs_f64();
    let cpu_s_per_million = setup.watched.cpu().per_million_since(&before, mentions);
    counter.stop().await?;
    let per_second = curve::rate(&under_load, flood.time / 10)
        .context("nothing was counted while the load lasted; take more --seconds")?;
    Ok(Throughput { per_second, mentions, left_counted_after_s, cpu_s_per_million })
}
