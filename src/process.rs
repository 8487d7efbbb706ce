//! What every role of one process shares: settings, metrics, health, and the wish to stop.

use std::net::SocketAddr;

use anyhow::Context;
use echolot_alert::metrics::AlertMetrics;
use echolot_enrich::metrics::EnrichMetrics;
use echolot_ingest::metrics::IngestMetrics;
use echolot_pipeline::{
    brands::BrandMetrics,
    health::HealthBoard,
    metrics::{ProducerMetrics, WorkerMetrics},
    producer::Producer,
};
use echolot_sink::SinkMetrics;
use prometheus::Registry;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{settings::Settings, telemetry};

/// One running process. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) settings: Settings,
    pub(crate) metrics: Metrics,
    pub(crate) board: HealthBoard,
    pub(crate) cancel: CancellationToken,
    registry: Registry,
}

/// The metrics of every crate, on one registry.
#[derive(Clone)]
pub(crate) struct Metrics {
    pub(crate) worker: WorkerMetrics,
    pub(crate) producer: ProducerMetrics,
    pub(crate) brands: BrandMetrics,
    pub(crate) ingest: IngestMetrics,
    pub(crate) enrich: EnrichMetrics,
    pub(crate) sink: SinkMetrics,
    pub(crate) alert: AlertMetrics,
}

impl Metrics {
    fn new(registry: &Registry, settings: &Settings) -> anyhow::Result<Self> {
        Ok(Self {
            worker: WorkerMetrics::new(registry)?,
            producer: ProducerMetrics::new(registry)?,
            brands: BrandMetrics::new(registry)?,
            ingest: IngestMetrics::new(
                registry,
                settings.ingest.source_names().chain(settings.sources.iter().map(|(name, _)| name)),
            )?,
            enrich: EnrichMetrics::new(registry)?,
            sink: SinkMetrics::new(registry)?,
            alert: AlertMetrics::new(registry)?,
        })
    }
}

impl Process {
    pub(crate) fn new(settings: Settings) -> anyhow::Result<Self> {
        let registry = Registry::new();
        let metrics = Metrics::new(&registry, &settings).context("cannot register metrics")?;
        Ok(Self {
            settings,
            metrics,
            board: HealthBoard::default(),
            cancel: CancellationToken::new(),
            registry,
        })
    }

    /// A producer that reports as `part`.
    pub(crate) fn producer(&self, part: &'static str) -> anyhow::Result<Producer> {
        let health = self.board.part(part);
        let metrics = self.metrics.producer.clone();
        let producer = Producer::connect(&self.settings.kafka, metrics, health.clone())?;
        // It has nothing to do yet, and so nothing to complain of.
        health.ready();
        Ok(producer)
    }

    /// Cancels on SIGINT and SIGTERM; a second one ends the process at once.
    pub(crate) fn stop_on_signals(&self) -> anyhow::Result<()> {
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot handle SIGINT")?;
        let mut terminate = signal(SignalKind::terminate()).context("cannot handle SIGTERM")?;
        let cancel = self.cancel.clone();
        tokio::spawn(async move {
            for urgent in [false, true] {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if urgent {
                    tracing::warn!("told twice to stop: stopping at once");
                    std::process::exit(130);
                }
                tracing::info!("stopping");
                cancel.cancel();
            }
        });
        Ok(())
    }

    /// Serves `/live`, `/ready` and `/metrics` where the settings say.
    pub(crate) async fn serve_telemetry(&self) -> anyhow::Result<SocketAddr> {
        self.serve_telemetry_on(&self.settings.telemetry.listen).await
    }

    /// Serves them on another address.
    pub(crate) async fn serve_telemetry_on(&self, listen: &str) -> anyhow::Result<SocketAddr> {
        let (board, registry) = (self.board.clone(), self.registry.clone());
        telemetry::serve(listen, board, registry, self.cancel.clone()).await
    }
}
