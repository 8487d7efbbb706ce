//! The role `dashboard`: serves the pages.

use anyhow::Context;
use echolot_dashboard::Dashboard;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use crate::{process::Process, roles};

/// Serves until cancelled, where the settings say.
pub(crate) async fn dashboard(process: Process) -> anyhow::Result<()> {
    let listen = &process.settings.dashboard.listen;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("dashboard.listen: cannot listen on {listen}"))?;
    tracing::info!(pages = %format!("http://{}", listener.local_addr()?), "serving");
    dashboard_on(process, listener).await
}

/// Serves until cancelled. Brand files are read again when they change, so that matches are explained
/// by the present queries.
pub(crate) async fn dashboard_on(process: Process, listener: TcpListener) -> anyhow::Result<()> {
    let settings = &process.settings;
    let hangup = signal(SignalKind::hangup()).context("cannot handle SIGHUP")?;
    let (files, brands) = roles::brands(settings)?;
    let health = process.board.part(roles::part::DASHBOARD);
    let watched = process.metrics.brands.clone();
    let keeps_handles = settings.privacy.keep_handles;
    let watch = echolot_pipeline::brands::BrandWatch::new(
        files,
        brands.clone(),
        keeps_handles,
        watched,
        health.clone(),
    );
    let dashboard = Dashboard {
        store: settings.clickhouse.clone(),
        settings: settings.dashboard.clone(),
        brands,
        health,
    };
    tokio::select! {
        ended = dashboard.serve(listener, process.cancel.clone()) => Ok(ended?),
        panic = watch.run(hangup) => Err(panic).context("reading brand files panicked"),
    }
}
