//! How long it takes after a `kill -9` until mentions are processed again.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::{
    counts::{Counter, aggregate},
    load::{Load, Pace, total},
    phases::{COUNTED_WITHIN, Roles},
    setup::Setup,
};

/// How often the aggregate is looked at.
const POLL: Duration = Duration::from_millis(50);
/// Time of undisturbed flow before each kill.
const CALM: Duration = Duration::from_secs(5);
/// How long a recovery may take.
const RECOVERED_WITHIN: Duration = Duration::from_mins(2);

/// Seconds from the kill until mentions offered after it were counted.
#[derive(Debug, Serialize)]
pub(crate) struct Recovery {
    /// By role.
    pub(crate) seconds: BTreeMap<&'static str, f64>,
}

impl Recovery {
    /// The slowest.
    pub(crate) fn worst(&self) -> f64 {
        self.seconds.values().copied().fold(0.0, f64::max)
    }
}

/// Kills each role once under a steady load and starts it again at once, as a service manager
/// would.
///
/// Recovered is the path when more is counted than had been offered at the kill: only mentions
/// that were offered after it can make up the difference, and they went through every role.
pub(crate) async fn measure(
    setup: &Setup,
    roles: Roles,
    rate: u64,
) -> anyhow::Result<(Recovery, Roles)> {
    let counter = Counter::start(&setup.store, aggregate("recovery"), POLL);
    let mut load = Load::start(&setup.feed, "recovery", Pace::Steady { per_second: rate }, None);
    let mut seconds = BTreeMap::new();
    let Roles { mut ingest, mut enrich, mut sink } = roles;
    for (name, role) in [("ingest", &mut ingest), ("enrich", &mut enrich), ("sink", &mut sink)] {
        load.run_for(CALM).await?;
        let (killed, offered) = (Instant::now(), load.offered());
        role.kill().await?;
        *role = setup.role(name).await?;
        let recovered = counter.reaches(offered + 1, RECOVERED_WITHIN).await?;
        seconds.insert(name, (recovered - killed).as_secs_f64());
    }
    let mentions = total(&load.stop().await?);
    counter.reaches(mentions, COUNTED_WITHIN).await?;
    counter.stop().await?;
    Ok((Recovery { seconds }, Roles { ingest, enrich, sink }))
}
