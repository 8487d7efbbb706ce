//! The engines that scenarios share, and pipelines on them.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use echolot_harness::{Pipeline, Site, engines};

/// The binary under test.
pub(crate) const ECHOLOT: &str = env!("CARGO_BIN_EXE_echolot");

/// How long anything may take on a busy machine before it counts as stuck.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Where scenarios keep their files; emptied by each before it starts.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("it")
}

/// An empty folder for engines of one scenario alone.
pub(crate) fn home(name: &str) -> anyhow::Result<PathBuf> {
    let home = folder().join("homes").join(name);
    engines::empty(&home)?;
    Ok(home)
}

/// The engines of all scenarios that do not break them.
pub(crate) async fn site() -> anyhow::Result<Site> {
    let endpoints = engines::shared(ECHOLOT, folder().join("engines")).await?.clone();
    Ok(on(endpoints))
}

/// Other engines.
pub(crate) fn on(endpoints: engines::Endpoints) -> Site {
    Site { echolot: ECHOLOT.into(), folder: folder().join("pipelines"), endpoints }
}

/// A pipeline on the shared engines. A short session lets a killed role's partitions go sooner.
pub(crate) async fn pipeline(name: &str) -> anyhow::Result<Pipeline> {
    Ok(Pipeline::new(&site().await?, name)?.set("kafka.session_timeout=2s"))
}
