//! `echolot migrate`: tables, views and topics as this build needs them.

use std::process::ExitCode;

use echolot_pipeline::admin;
use echolot_sink::generations;
use echolot_store::Store;

use crate::{
    engines::Engines,
    settings::Settings,
    tools::{log_engine, print},
};

pub(crate) async fn run(mut settings: Settings) -> anyhow::Result<ExitCode> {
    let engines = Engines::reach(&mut settings, log_engine).await?;
    let outcome = migrate(&settings).await;
    engines.stop().await;
    outcome.map(|()| ExitCode::SUCCESS)
}

async fn migrate(settings: &Settings) -> anyhow::Result<()> {
    admin::ensure_topics(&settings.kafka).await?;
    print("topics: as they must be");
    let store = Store::new(&settings.clickhouse)?;
    let generation = generations::migrate(&store, settings.sink.generation).await?;
    print(format!("store: tables and views up to date, generation {generation}"));
    Ok(())
}
