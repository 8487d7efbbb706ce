//! The roles: each wires a crate to the runtime, and holds no logic of its own.

pub(crate) mod alert;
pub(crate) mod dashboard;
mod ingest;

use std::time::Duration;

use anyhow::Context;
use echolot_enrich::enricher::Enricher;
use echolot_pipeline::{
    admin,
    brands::{BrandFiles, BrandWatch, LiveBrands, Pseudonymise},
    clock::Clock,
    outlet::{Nowhere, ToTopic},
    producer::Producer,
    retry::Backoff,
    worker::Worker,
};
use echolot_schemas::topics;
use echolot_sink::{GenerationChoice, Writer, coverage::CoverageProjection, generations};
use echolot_store::Store;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

pub(crate) use self::ingest::{ingest, ingest_on};
use crate::{process::Process, settings::Settings};

/// By these names roles report. Whoever starts a role puts its part on the board before telemetry
/// answers: a process that has said nothing yet must not pass for ready.
pub(crate) mod part {
    /// Of [`super::ingest`].
    pub(crate) const INGEST: &str = "push";
    /// Of the brands that [`super::ingest`] filters by.
    pub(crate) const FILTER: &str = "filter";
    /// Of the sources that [`super::ingest`] follows.
    pub(crate) const SOURCES: &str = "sources";
    /// Of [`super::enrich`].
    pub(crate) const ENRICH: &str = "enrich";
    /// Of [`super::sink`].
    pub(crate) const SINK: &str = "sink";
    /// Of [`super::alert`].
    pub(crate) const ALERT: &str = "alert";
    /// Of [`super::dashboard`].
    pub(crate) const DASHBOARD: &str = "dashboard";
}

/// The consumer group of the role `enrich`.
pub(crate) const ENRICH_GROUP: &str = "enrich";

/// How often the sink looks whether another generation was promoted.
const PROMOTION_CHECK: Duration = Duration::from_secs(2);

/// Enriches until cancelled. Brand files are read again when they change, and on SIGHUP.
pub(crate) async fn enrich(process: Process) -> anyhow::Result<()> {
    let settings = &process.settings;
    let hangup = signal(SignalKind::hangup()).context("cannot handle SIGHUP")?;
    let (files, brands) = brands(settings)?;
    admin::ensure_topics(&settings.kafka).await?;
    let producer = process.producer("enrich.producer")?;
    let health = process.board.part(part::ENRICH);
    let enricher = enricher(&process, brands.clone())?;
    let watched = process.metrics.brands.clone();
    let watch =
        BrandWatch::new(files, brands, settings.privacy.keep_handles, watched, health.clone());
    let worker = Worker {
        stage: enricher,
        outlet: ToTopic { producer: producer.clone(), topic: topics::ENRICHED },
        input: topics::RAW,
        group: ENRICH_GROUP.to_owned(),
        producer,
        kafka: settings.kafka.clone(),
        settings: settings.enrich.worker.clone(),
        metrics: process.metrics.worker.clone(),
        health,
    };
    tokio::select! {
        ended = worker.run(process.cancel.clone()) => Ok(ended?),
        panic = watch.run(hangup) => Err(panic).context("reading brand files panicked"),
    }
}

/// The stage with these brands, and all else as the settings choose.
pub(crate) fn enricher(process: &Process, brands: LiveBrands) -> anyhow::Result<Enricher> {
    let settings = &process.settings;
    let (pseudonymise, metrics) = (pseudonymise(settings)?, process.metrics.enrich.clone());
    Ok(Enricher::built_in(&settings.enrich, brands, pseudonymise, metrics, Clock::system())?)
}

/// Authors' pseudonyms as ingest makes them, to recognise the accounts of brands by.
pub(crate) fn pseudonymise(settings: &Settings) -> anyhow::Result<Pseudonymise> {
    let key = settings.author_key()?;
    Ok(Pseudonymise::new(move |source, handle| key.pseudonym(source, handle)))
}

/// The configured brand files, and the brands in them.
pub(crate) fn brands(settings: &Settings) -> anyhow::Result<(BrandFiles, LiveBrands)> {
    let mut files = BrandFiles::new(&settings.enrich.brands);
    let set = files
        .load()
        .map_err(|error| anyhow::anyhow!("enrich.brands: {}", error.render().trim_end()))?;
    Ok((files, LiveBrands::new(set)))
}

/// Stores until cancelled, in the generation that the settings choose. When that is the promoted
/// one, and another is promoted meanwhile, it goes on there.
pub(crate) async fn sink(process: Process) -> anyhow::Result<()> {
    let settings = &process.settings;
    admin::ensure_topics(&settings.kafka).await?;
    let store = Store::new(&settings.clickhouse)?;
    let producer = process.producer("sink.producer")?;
    while !process.cancel.is_cancelled() {
        let Some(generation) = migrated(&process, &store).await? else { break };
        tracing::info!(generation, "storing");
        let cancel = process.cancel.child_token();
        let worker = sink_worker(&process, &store, generation, producer.clone());
        let coverage = CoverageProjection { kafka: settings.kafka.clone(), store: store.clone() };
        tokio::try_join!(
            async {
                coverage.run(cancel.clone()).await;
                Ok(())
            },
            async {
                let ended = worker.run(cancel.clone()).await;
                cancel.cancel();
                Ok::<_, anyhow::Error>(ended?)
            },
            async {
                if settings.sink.generation == GenerationChoice::Promoted {
                    promoted_another(&store, generation, &cancel).await;
                }
                Ok(())
            },
        )?;
    }
    Ok(())
}

/// A worker that fills one generation. Each generation has a group, and so offsets, of its own.
pub(crate) fn sink_worker(
    process: &Process,
    store: &Store,
    generation: u32,
    producer: Producer,
) -> Worker<Writer, Nowhere> {
    let settings = &process.settings;
    Worker {
        stage: writer(process, store, generation),
        outlet: Nowhere,
        input: topics::ENRICHED,
        group: sink_group(generation),
        producer,
        kafka: settings.kafka.clone(),
        settings: settings.sink.worker.clone(),
        metrics: process.metrics.worker.clone(),
        health: process.board.part(part::SINK),
    }
}

/// The stage that writes a generation.
pub(crate) fn writer(process: &Process, store: &Store, generation: u32) -> Writer {
    let metrics = process.metrics.sink.clone();
    Writer::new(store.clone(), generation, &process.settings.sink, metrics, Clock::system())
}

/// The consumer group that fills a generation.
pub(crate) fn sink_group(generation: u32) -> String {
    format!("sink-g{generation}")
}

/// The generation to write, its tables up to date; `None` when cancelled before the store answered.
async fn migrated(process: &Process, store: &Store) -> anyhow::Result<Option<u32>> {
    let health = process.board.part(part::SINK);
    let mut backoff = Backoff::default();
    loop {
        match generations::migrate(store, process.settings.sink.generation).await {
            Ok(generation) => return Ok(Some(generation)),
            Err(error) if error.is_transient() => {
                if health.not_ready("store is out of reach") {
                    tracing::warn!("waiting for the store: {error}");
                }
            }
            Err(error) => return Err(error.into()),
        }
        tokio::select! {
            () = process.cancel.cancelled() => return Ok(None),
            () = tokio::time::sleep(backoff.next_pause()) => {}
        }
    }
}

/// Cancels once another generation than `current` is promoted; returns when cancelled.
async fn promoted_another(store: &Store, current: u32, cancel: &CancellationToken) {
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(PROMOTION_CHECK) => {}
        }
        match generations::promoted(store).await {
            Ok(Some(promoted)) if promoted != current => {
                tracing::info!(promoted, "another generation was promoted");
                cancel.cancel();
            }
            // The worker itself reports a store out of reach.
            Ok(_) | Err(_) => {}
        }
    }
}
