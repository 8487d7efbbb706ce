//! The parts of a run, each with a source and so with counts of its own.

pub(crate) mod drain;
pub(crate) mod freshness;
pub(crate) mod python;
pub(crate) mod recovery;
pub(crate) mod throughput;
pub(crate) mod together;

use std::time::Duration;

use crate::{roles::Program, setup::Setup};

/// How long what was accepted may take to be counted once nothing more is offered.
pub(crate) const COUNTED_WITHIN: Duration = Duration::from_mins(10);

/// The three roles, running.
pub(crate) struct Roles {
    pub(crate) ingest: Program,
    pub(crate) enrich: Program,
    pub(crate) sink: Program,
}

/// Names of the roles whose memory is added up.
pub(crate) const ROLES: [&str; 3] = ["ingest", "enrich", "sink"];

impl Roles {
    /// Starts them one after the other; all are ready then.
    pub(crate) async fn start(setup: &Setup) -> anyhow::Result<Self> {
        Ok(Self {
            ingest: setup.role("ingest").await?,
            enrich: setup.role("enrich").await?,
            sink: setup.role("sink").await?,
        })
    }

    /// Stops them in the order in which mentions flow.
    pub(crate) async fn stop(self, setup: &Setup) -> anyhow::Result<()> {
        for (name, role) in ROLES.into_iter().zip([self.ingest, self.enrich, self.sink]) {
            setup.watched.is_gone(name);
            role.stop().await?;
        }
        Ok(())
    }
}
