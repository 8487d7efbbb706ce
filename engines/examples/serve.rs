//! Starts both engines in a data folder and prints where they answer, until Ctrl-C.
//!
//! ```text
//! cargo run -p echolot-engines --example serve -- [DATA_FOLDER]
//! ```
//!
//! The crate's own tests start it, too: as the binary with the hidden subcommand,
//! and as the parent that gets killed.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example that prints its result")]

use std::{env, time::Duration};

use anyhow::Context;
use echolot_engines::{EngineHome, EngineKind, EngineOptions, Supervisor, entry};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        // No runtime and no logging here: this process becomes the engine.
        ["engine", order] => Ok(entry::run(order)?),
        [] => serve(".echolot"),
        [folder] => serve(folder),
        _ => anyhow::bail!("usage: serve [DATA_FOLDER]"),
    }
}

#[tokio::main]
async fn serve(folder: &str) -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let home = EngineHome::open(folder)?;
    let supervisor = Supervisor::start(home, EngineOptions::default(), |event| {
        eprintln!("{}: {:?}", event.engine, event.phase);
    })
    .await?;

    let endpoints = supervisor.endpoints();
    let kafka = endpoints.kafka.as_ref().context("Kafka was asked for")?;
    let clickhouse = endpoints.clickhouse.as_ref().context("ClickHouse was asked for")?;
    println!("kafka {}", kafka.brokers);
    println!("clickhouse {}", clickhouse.url);
    for engine in [EngineKind::Kafka, EngineKind::ClickHouse] {
        if let Some(pid) = supervisor.pid(engine) {
            println!("pid {} {pid}", engine.slug());
        }
    }
    println!("password {}", supervisor.home().application_password().display());

    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        signal = tokio::signal::ctrl_c() => signal?,
        _ = terminated.recv() => {}
        error = supervisor.failed() => eprintln!("{error}"),
    }
    supervisor.stop(Duration::from_secs(9)).await;
    Ok(())
}
