//! `echolot replay`: a new generation of the store, filled from the log beside the present one.

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use clap::Args;
use echolot_enrich::Enricher;
use echolot_pipeline::{
    outlet::Nowhere,
    reader::LogReader,
    stage::{Fault, Item, Stage, Verdict},
    worker::Worker,
};
use echolot_schemas::{
    RawEvent,
    topics::{self, Topic},
};
use echolot_sink::{Writer, generations};
use echolot_store::Store;

use crate::{
    engines::Engines,
    process::Process,
    progress, roles,
    settings::Settings,
    tools::{log_engine, print},
};

/// A running enrich reads changed brand files within two seconds: what it writes after this long
/// knows the brands that the replay knows.
const BRANDS_SETTLE: Duration = Duration::from_secs(3);

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// Refills from mentions.enriched: every mention keeps the brands and scores that it was given.
    /// Without it everything is enriched anew from mentions.raw, by the present brands and models.
    #[arg(long)]
    keep_scores: bool,
    /// Leaves the views on the present generation.
    #[arg(long)]
    no_promote: bool,
    /// Drops the former generation afterwards.
    #[arg(long, conflicts_with = "no_promote")]
    drop_old: bool,
}

pub(crate) async fn run(mut settings: Settings, args: ReplayArgs) -> anyhow::Result<ExitCode> {
    let engines = Engines::reach(&mut settings, log_engine).await?;
    let outcome = replay(settings, &args).await;
    engines.stop().await;
    outcome.map(|()| ExitCode::SUCCESS)
}

async fn replay(settings: Settings, args: &ReplayArgs) -> anyhow::Result<()> {
    let process = Process::new(settings)?;
    process.stop_on_signals()?;
    let store = Store::new(&process.settings.clickhouse)?;
    let former = generations::promoted(&store).await?;
    let generation = generations::create_next(&store).await?;
    if !args.keep_scores {
        print(format!("generation {generation}: enriching anew from {}", topics::RAW.name));
        enrich_anew(&process, &store, generation).await?;
    }
    print(format!("generation {generation}: filling from {}", topics::ENRICHED.name));
    fill(&process, &store, generation).await?;
    if args.no_promote {
        print(format!("generation {generation}: filled, not promoted"));
        return Ok(());
    }
    generations::promote(&store, generation).await?;
    print(format!("generation {generation}: promoted"));
    if let Some(former) = former.filter(|_| args.drop_old) {
        // A running sink leaves the former generation within seconds of the promotion.
        tokio::time::sleep(Duration::from_secs(5)).await;
        generations::drop(&store, former).await?;
        print(format!("generation {former}: dropped"));
    }
    Ok(())
}

/// Fills the generation from `mentions.raw`, with brands and scores as they are given today, and
/// leaves its sink to begin where `mentions.enriched` ended before.
///
/// Nothing is missed between the two: what stood on `mentions.enriched` then came from raw events
/// that are read here, since the goal is set later. What comes after it is stored by the sink; of
/// one raw event that both see, the last result counts, and both know the same brands. What was
/// deleted stays so, as deletions are raw events too.
async fn enrich_anew(process: &Process, store: &Store, generation: u32) -> anyhow::Result<()> {
    let settings = &process.settings;
    let (_, brands) = roles::brands(settings)?;
    tokio::time::sleep(BRANDS_SETTLE).await;
    let begin = enriched_ends(process).await?;
    let producer = process.producer("replay.producer")?;
    let enricher = roles::enricher(process, brands)?;
    let group = format!("replay-g{generation}");
    let worker = Worker {
        stage: Anew {
            enricher,
            writer: roles::writer(process, store, generation).noting_unmatched(),
        },
        outlet: Nowhere,
        input: topics::RAW,
        group: group.clone(),
        producer,
        kafka: settings.kafka.clone(),
        settings: settings.sink.worker.clone(),
        metrics: process.metrics.worker.clone(),
        health: process.board.part("replay"),
    };
    until_done(process, generation, worker, topics::RAW, &group).await?;
    let (kafka, group) = (settings.kafka.clone(), roles::sink_group(generation));
    let commit = move || LogReader::connect(&kafka, &group)?.commit(&topics::ENRICHED, &begin);
    Ok(tokio::task::spawn_blocking(commit).await.context("committing panicked")??)
}

/// Where each partition of `mentions.enriched` ends now.
async fn enriched_ends(process: &Process) -> anyhow::Result<Vec<i64>> {
    let kafka = process.settings.kafka.clone();
    let look = move || LogReader::connect(&kafka, "replay")?.extents(&topics::ENRICHED);
    let extents = tokio::task::spawn_blocking(look).await.context("looking panicked")??;
    Ok(extents.into_iter().map(|extent| extent.high).collect())
}

/// Runs a sink of its own until it has stored what the log holds now.
async fn fill(process: &Process, store: &Store, generation: u32) -> anyhow::Result<()> {
    let producer = process.producer("replay.producer")?;
    let worker = roles::sink_worker(process, store, generation, producer);
    let group = roles::sink_group(generation);
    until_done(process, generation, worker, topics::ENRICHED, &group).await
}

/// Runs a worker until its group has settled what the topic holds now.
async fn until_done<S: Stage<Output = ()> + Sync>(
    process: &Process,
    generation: u32,
    worker: Worker<S, Nowhere>,
    topic: Topic,
    group: &str,
) -> anyhow::Result<()> {
    let cancel = process.cancel.child_token();
    let working = tokio::spawn(worker.run(cancel.clone()));
    let outcome = tokio::select! {
        outcome = progress::until_caught_up(process, topic, group, "replay") => outcome,
        () = process.cancel.cancelled() => {
            Err(anyhow::anyhow!("interrupted; generation {generation} stays unpromoted"))
        }
    };
    cancel.cancel();
    working.await.context("the worker panicked")??;
    outcome
}

/// Enriches raw events and stores them in one step, past `mentions.enriched`: the generation that
/// the views show goes on by what was found in its day, until this one takes its place.
struct Anew {
    enricher: Enricher,
    writer: Writer,
}

impl Stage for Anew {
    type Input = RawEvent;
    type Output = ();

    fn name(&self) -> &'static str {
        "replay"
    }

    async fn assigned(&mut self, partitions: &[i32]) -> Result<(), Fault> {
        self.enricher.assigned(partitions).await?;
        self.writer.assigned(partitions).await
    }

    async fn judge(&mut self, batch: &[Item<RawEvent>]) -> Result<Vec<Verdict<()>>, Fault> {
        let enriched = self.enricher.judge(batch).await?;
        let mut verdicts = Vec::with_capacity(batch.len());
        let (mut places, mut items) = (Vec::new(), Vec::new());
        for (at, (item, verdict)) in batch.iter().zip(enriched).enumerate() {
            verdicts.push(match verdict {
                Verdict::Emit(event) => {
                    places.push(at);
                    items.push(Item { event, position: item.position });
                    Verdict::Emit(())
                }
                Verdict::Drop(dropped) => Verdict::Drop(dropped),
                Verdict::Reject(rejection) => Verdict::Reject(rejection),
            });
        }
        for (at, verdict) in places.into_iter().zip(self.writer.judge(&items).await?) {
            verdicts[at] = verdict;
        }
        Ok(verdicts)
    }

    fn patience(&self) -> Duration {
        self.writer.patience()
    }

    async fn complete(&mut self) -> Result<(), Fault> {
        self.writer.complete().await
    }
}
