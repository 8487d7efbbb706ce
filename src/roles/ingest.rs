//! The role `ingest`: pushed mentions, webhooks and followed sources into the log.

use std::sync::Arc;

use anyhow::{Context, bail};
use echolot_ingest::{
    collector::Collector,
    coverage::{CoverageBook, Recorder},
    hooks::{self, Hook},
    http::HttpClient,
    log_reading::KafkaReading,
    observe::Observer,
    purge::PurgeDesk,
    push,
    source::SourceFault,
    sources::{Parts, SourceContext},
    supervisor::{Build, EXPECTED, Supervised, Supervisor},
};
use echolot_pipeline::{
    admin,
    brands::{BrandWatch, LiveBrands},
    clock::Clock,
    cursors::CursorStore,
    producer::Producer,
};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    task::JoinError,
};

use super::{brands, part};
use crate::process::Process;

/// Accepts and follows mentions until cancelled.
pub(crate) async fn ingest(process: Process) -> anyhow::Result<()> {
    let listen = process.settings.ingest.push.listen.clone();
    let listener = TcpListener::bind(&listen)
        .await
        .with_context(|| format!("ingest.push.listen: cannot listen on {listen}"))?;
    ingest_on(process, listener).await
}

/// Accepts mentions on a listener and follows sources until cancelled.
pub(crate) async fn ingest_on(process: Process, listener: TcpListener) -> anyhow::Result<()> {
    let settings = &process.settings;
    let health = process.board.part(part::INGEST);
    admin::ensure_topics(&settings.kafka).await?;
    let producer = process.producer("ingest.producer")?;
    let mut observer = Observer::new(settings.author_key()?, &settings.privacy, &settings.ingest);
    let watch = filter(&process)?.map(|(brands, watch)| {
        observer = observer.clone().with_brands(brands);
        watch
    });
    let collector = Collector {
        log: producer.clone(),
        cursors: CursorStore::new(settings.kafka.clone(), producer.clone()),
        observer: observer.clone(),
        metrics: process.metrics.ingest.clone(),
        coverage: CoverageBook::default(),
        clock: Clock::system(),
    };
    let (followed, hooks) = sources(&process)?;
    let router = push::router(
        &settings.ingest.push,
        producer.clone(),
        observer,
        process.metrics.ingest.clone(),
        Clock::system(),
    )?
    .merge(hooks::router(&settings.ingest.push, hooks, collector.clone()));
    tracing::info!(listen = %listener.local_addr()?, sources = followed.len(), "accepting mentions");
    health.ready();
    // On the way out each brings home what it has in hand.
    let working = async {
        let serving = push::serve(listener, router, &settings.ingest.push, process.cancel.clone());
        let serving = async {
            serving.await;
            Ok(())
        };
        tokio::try_join!(serving, follow(&process, collector, producer.clone(), followed))
    };
    tokio::select! {
        ended = working => { ended?; }
        panic = watched(watch) => return Err(panic).context("reading brand files panicked"),
    }
    health.not_ready("stopping");
    let drain = settings.kafka.delivery_timeout.min(settings.sink.worker.drain);
    tokio::task::spawn_blocking(move || producer.flush(drain)).await?;
    Ok(())
}

/// Sources that are asked, and the hooks of those that call.
type Sources = (Vec<Supervised>, Vec<Arc<dyn Hook>>);

/// The configured sources, built but not started.
fn sources(process: &Process) -> anyhow::Result<Sources> {
    let settings = &process.settings;
    let http = HttpClient::new(&settings.ingest.http)?;
    let (mut followed, mut hooks) = (Vec::new(), Vec::new());
    for (name, source) in settings.sources.enabled() {
        let (Some(common), Some(options)) = (source.common(), source.options()) else { continue };
        let context = SourceContext {
            name: name.clone(),
            common: common.clone(),
            http: http.clone(),
            clock: Clock::system(),
        };
        let Parts { source, hook } =
            options.build(context.clone()).with_context(|| format!("sources.{name}"))?;
        hooks.extend(hook);
        let options = Arc::clone(options);
        let build = Build::new(move || {
            let built = options.build(context.clone())?.source;
            built.ok_or_else(|| SourceFault::Fatal("is no longer asked".to_owned()))
        });
        let source = source.map(|source| (source, build));
        let interval = common.interval.unwrap_or(EXPECTED);
        followed.push(Supervised { name, source, interval });
    }
    Ok((followed, hooks))
}

/// Follows sources and forgets authors who are gone, until cancelled.
async fn follow(
    process: &Process,
    collector: Collector<Producer, CursorStore>,
    producer: Producer,
    followed: Vec<Supervised>,
) -> anyhow::Result<()> {
    let log = KafkaReading::new(process.settings.kafka.clone(), producer.clone());
    let recorder =
        Recorder { log: log.clone(), book: collector.coverage.clone(), clock: Clock::system() };
    let purges = PurgeDesk {
        log,
        publish: producer,
        every: process.settings.ingest.purge_every,
        clock: Clock::system(),
    };
    let health = process.board.part(part::SOURCES);
    let supervisor = Supervisor { collector, recorder, health };
    let (ended, ()) = tokio::join!(
        supervisor.run(followed, process.cancel.clone()),
        purges.run(process.cancel.clone()),
    );
    Ok(ended?)
}

/// The brands that sources with `keep = "matches"` are filtered by, and who watches their files;
/// none where every source keeps all.
fn filter(process: &Process) -> anyhow::Result<Option<(LiveBrands, Watching)>> {
    let settings = &process.settings;
    if !settings.ingest.needs_brands() && !settings.sources.needs_brands() {
        return Ok(None);
    }
    let hangup = signal(SignalKind::hangup()).context("cannot handle SIGHUP")?;
    if settings.enrich.brands.is_empty() {
        bail!(
            "a source has keep = \"matches\" and there are no brands to match: set enrich.brands, or \
             keep = \"all\""
        );
    }
    let (files, brands) = brands(settings)?;
    let health = process.board.part(part::FILTER);
    health.ready();
    // The filter sees handles whether they are kept or not.
    let metrics = process.metrics.brands.clone();
    let watch = BrandWatch::new(files, brands.clone(), true, metrics, health);
    Ok(Some((brands, (watch, hangup))))
}

/// Someone who watches brand files, and the signal to read them at once.
type Watching = (BrandWatch, Signal);

/// Watches for as long as it is polled; never resolves where there is nothing to watch.
async fn watched(watching: Option<Watching>) -> JoinError {
    match watching {
        Some((watch, hangup)) => watch.run(hangup).await,
        None => std::future::pending().await,
    }
}
