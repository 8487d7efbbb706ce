//! The memory of `echolot up`, all roles in one process.

use std::time::Duration;

use crate::{
    counts::{Counter, aggregate},
    load::{Load, Pace, total},
    phases::COUNTED_WITHIN,
    setup::Setup,
};

/// How often the aggregate is looked at.
const POLL: Duration = Duration::from_millis(500);

/// Runs `echolot up` on the engines under a steady load; its peak memory is then among those
/// watched. The roles must be stopped.
pub(crate) async fn measure(setup: &Setup, rate: u64, time: Duration) -> anyhow::Result<()> {
    let mut up = setup.launch.spawn("up", &["up", "--no-sample"])?;
    setup.watched.is_now("up", up.pid());
    setup.launch.ready(&mut up, &setup.up).await?;
    let counter = Counter::start(&setup.store, aggregate("up"), POLL);
    let mut load = Load::start(&setup.feed, "up", Pace::Steady { per_second: rate }, None);
    load.run_for(time).await?;
    let mentions = total(&load.stop().await?);
    counter.reaches(mentions, COUNTED_WITHIN).await?;
    counter.stop().await?;
    setup.watched.is_gone("up");
    up.stop().await
}
