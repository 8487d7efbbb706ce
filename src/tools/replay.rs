//! `echolot replay`: a new generation of the store, filled from the log beside the present one.

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use clap::Args;
use echolot_schemas::topics;
use echolot_sink::generations;
use echolot_store::Store;

use crate::{
    engines::Engines,
    process::Process,
    progress, roles,
    settings::Settings,
    tools::{log_engine, print},
};

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
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

/// Runs a sink of its own until it has stored what the log holds now.
async fn fill(process: &Process, store: &Store, generation: u32) -> anyhow::Result<()> {
    let cancel = process.cancel.child_token();
    let producer = process.producer("replay.producer")?;
    let worker = roles::sink_worker(process, store, generation, producer);
    let working = tokio::spawn(worker.run(cancel.clone()));
    let group = roles::sink_group(generation);
    let caught_up = progress::until_caught_up(process, topics::ENRICHED, &group, "replay");
    let outcome = tokio::select! {
        outcome = caught_up => outcome,
        () = process.cancel.cancelled() => {
            Err(anyhow::anyhow!("interrupted; generation {generation} stays unpromoted"))
        }
    };
    cancel.cancel();
    working.await.context("the worker panicked")??;
    outcome
}
