//! `echolot up`: everything on this machine, from nothing to counted mentions.

mod live;
mod sample;
mod show;
mod summary;

use std::{net::SocketAddr, process::ExitCode, time::Instant};

use anyhow::Context;
use clap::Args;
use echolot_engines::EngineHome;
use echolot_ingest::settings::SenderSettings;
use echolot_pipeline::admin;
use echolot_sink::generations;
use echolot_store::Store;
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    engines::Engines, process::Process, roles, settings::Settings, telemetry, tools::print,
};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "the flags of a command")]
pub(crate) struct UpArgs {
    /// Ends after the summary.
    #[arg(long)]
    once: bool,
    /// Leaves the shipped sample out.
    #[arg(long)]
    no_sample: bool,
    /// Follows nothing that is not configured, even where a network is there.
    #[arg(long)]
    no_live: bool,
    /// Starts the engines alone, for roles in processes of their own.
    #[arg(long, conflicts_with_all = ["once", "no_sample"])]
    engines_only: bool,
}

pub(crate) async fn run(mut settings: Settings, args: UpArgs) -> anyhow::Result<ExitCode> {
    let home = EngineHome::open(&settings.data.dir)?;
    telemetry::init_beside(&settings.telemetry, &home.logs())?;
    let engines = Engines::start(&mut settings, home, show::engine_event).await?;
    show::engines_ready(&settings);
    let outcome = serve(settings, &args, &engines).await;
    print("stopping");
    let started = Instant::now();
    engines.stop().await;
    print(format!("stopped in {:.1} s", started.elapsed().as_secs_f64()));
    outcome.map(|()| ExitCode::SUCCESS)
}

async fn serve(mut settings: Settings, args: &UpArgs, engines: &Engines) -> anyhow::Result<()> {
    if !args.no_sample {
        sample::prepare_brands(&mut settings)?;
    }
    admit_a_sender(&mut settings);
    // What ends by itself and what is measured must not hang on what the world says today.
    if !(args.once || args.no_sample || args.no_live || args.engines_only) {
        print(live::follow(&mut settings).await?);
    }
    let process = Process::new(settings)?;
    process.stop_on_signals()?;
    if args.engines_only {
        return until_stopped(&process, engines, &mut JoinSet::new()).await;
    }
    admin::ensure_topics(&process.settings.kafka).await?;
    let store = Store::new(&process.settings.clickhouse)?;
    generations::migrate(&store, process.settings.sink.generation).await?;
    let (push, push_is_free) = listen(&process.settings.ingest.push.listen).await?;
    let (pages, pages_are_free) = listen(&process.settings.dashboard.listen).await?;
    let reads = !process.settings.dashboard.user.is_empty();
    for part in [roles::part::INGEST, roles::part::ENRICH, roles::part::SINK, roles::part::ALERT] {
        process.board.part(part);
    }
    let telemetry = telemetry(&process).await?;
    let mut roles = JoinSet::new();
    roles.spawn(roles::ingest_on(process.clone(), push_is_free));
    roles.spawn(roles::enrich(process.clone()));
    roles.spawn(roles::sink(process.clone()));
    roles.spawn(roles::alert::alert(process.clone()));
    if reads {
        process.board.part(roles::part::DASHBOARD);
        roles.spawn(roles::dashboard::dashboard_on(process.clone(), pages_are_free));
        print(format!("dashboard http://{pages}"));
    } else {
        print("dashboard not served: dashboard.user must name a user of the store that only reads");
    }
    print(format!("push      http://{push}/v1/mentions"));
    print(format!("telemetry http://{telemetry}/metrics (/live, /ready)"));

    let outcome = tokio::select! {
        outcome = show_sample(&process, args) => match outcome {
            Ok(()) if args.once => Ok(()),
            Ok(()) => until_stopped(&process, engines, &mut roles).await,
            Err(error) => Err(error),
        },
        error = first_failure(&mut roles) => Err(error),
        error = engines.failed() => Err(error),
        () = process.cancel.cancelled() => Ok(()),
    };
    process.cancel.cancel();
    while let Some(ended) = roles.join_next().await {
        ended.context("a role panicked")??;
    }
    outcome
}

/// Where no sender is configured and only this machine can reach us, `push` may send unsigned.
fn admit_a_sender(settings: &mut Settings) {
    let push = &mut settings.ingest.push;
    let on_loopback = push.listen.parse().is_ok_and(|at: SocketAddr| at.ip().is_loopback());
    if push.senders.is_empty() && on_loopback {
        push.senders.insert("push".to_owned(), SenderSettings::default());
    }
}

/// Loads the sample once, waits until it is counted, and shows what the store says.
async fn show_sample(process: &Process, args: &UpArgs) -> anyhow::Result<()> {
    let started = Instant::now();
    let read = if args.no_sample { 0 } else { sample::load(process).await? };
    summary::until_counted(process).await?;
    if !process.cancel.is_cancelled() {
        print(summary::of(process, read, started.elapsed()).await?);
        if !args.once {
            print("serving until Ctrl-C");
        }
    }
    Ok(())
}

async fn until_stopped(
    process: &Process,
    engines: &Engines,
    roles: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    tokio::select! {
        () = process.cancel.cancelled() => Ok(()),
        error = engines.failed() => Err(error),
        error = first_failure(roles) => Err(error),
    }
}

/// Resolves when a role ends before it was told to; never where there are none.
async fn first_failure(roles: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Error {
    loop {
        match roles.join_next().await {
            Some(Ok(Ok(()))) => {}
            Some(Ok(Err(error))) => return error,
            Some(Err(panic)) => return anyhow::Error::new(panic).context("a role panicked"),
            None => std::future::pending().await,
        }
    }
}

/// The wanted address, or where that is taken a free port beside it.
async fn listen(wanted: &str) -> anyhow::Result<(SocketAddr, TcpListener)> {
    let listener = match TcpListener::bind(wanted).await {
        Ok(listener) => listener,
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            let mut free: SocketAddr = wanted.parse()?;
            free.set_port(0);
            TcpListener::bind(free).await?
        }
        Err(error) => {
            return Err(error).with_context(|| format!("cannot listen on {wanted}"));
        }
    };
    Ok((listener.local_addr()?, listener))
}

/// Telemetry where the settings say, or on a free port where that is taken.
async fn telemetry(process: &Process) -> anyhow::Result<SocketAddr> {
    let (address, probe) = listen(&process.settings.telemetry.listen).await?;
    drop(probe);
    process.serve_telemetry_on(&address.to_string()).await
}
