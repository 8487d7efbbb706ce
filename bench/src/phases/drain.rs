//! How long a backlog takes to be worked off.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::{
    counts::{Counter, aggregate},
    load::{Load, Pace, total},
    phases::{COUNTED_WITHIN, Roles},
    setup::Setup,
};

/// How often the aggregate is looked at.
const POLL: Duration = Duration::from_millis(200);

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Drain {
    /// Mentions in the backlog.
    pub(crate) mentions: u64,
    /// Mentions a second that ingest alone accepted while the backlog was made.
    pub(crate) ingest_per_second: f64,
    /// Seconds from the start of enrich and sink until all of it was counted.
    pub(crate) seconds: f64,
}

/// Stops enrich and sink, pushes a backlog, and starts them again.
pub(crate) async fn measure(
    setup: &Setup,
    roles: Roles,
    mentions: u64,
    batch: u64,
) -> anyhow::Result<(Drain, Roles)> {
    let Roles { ingest, enrich, sink } = roles;
    for (name, role) in [("enrich", enrich), ("sink", sink)] {
        setup.watched.is_gone(name);
        role.stop().await?;
    }
    let counts = Counter::start(&setup.store, aggregate("drain"), POLL);
    let pace = Pace::Flood { batch, ahead: mentions, counted: counts.watch() };
    let pushing = Instant::now();
    let load = Load::start(&setup.feed, "drain", pace, Some(mentions));
    let pushed = total(&load.finish().await?);
    let ingest_per_second = pushed as f64 / pushing.elapsed().as_secs_f64();

    let started = Instant::now();
    let (enrich, sink) = tokio::try_join!(setup.role("enrich"), setup.role("sink"))?;
    let ended = counts.reaches(pushed, COUNTED_WITHIN).await?;
    counts.stop().await?;
    let drain =
        Drain { mentions: pushed, ingest_per_second, seconds: (ended - started).as_secs_f64() };
    Ok((drain, Roles { ingest, enrich, sink }))
}
