//! `make bench`: what Echolot reaches on this machine, measured from outside.
//!
//! ```text
//!  posts ─▶ sender ─▶ POST /v1/mentions ─▶ ingest ─▶ enrich ─▶ sink ─▶ aggregate
//!             ▲                          (each a process of its own)       │
//!            load ◀──────────────── counts: polled over HTTP ◀─────────────┘
//! ```
//!
//! The driver knows what anybody may know: the push interface, the published views, `/ready`,
//! `/metrics`, exit codes and `/proc`. Engines are the embedded ones; all settings but addresses
//! and secrets are the defaults. The parts run one after the other, each as a source of its own,
//! and at the end `echolot audit` has to find all of it, kills included, accounted for.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that tells its findings")]

mod args;
mod counts;
mod curve;
mod histogram;
mod load;
mod phases;
mod posts;
mod roles;
mod sender;
mod setup;
mod summary;
mod usage;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, anyhow};
use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    args::{Args, Part},
    phases::{
        ROLES, Roles, drain, freshness,
        python::{self, Variant},
        recovery, throughput, together,
    },
    posts::Posts,
    setup::Setup,
    summary::Summary,
    usage::Watched,
};

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let ran = tokio::select! {
        ran = run(&args) => ran,
        error = interrupted() => Err(error),
    };
    match ran {
        Ok(summary) if summary.audit_clean == Some(false) => ExitCode::FAILURE,
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echolot-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> anyhow::Result<Summary> {
    let posts = Posts::read(&args.posts)?;
    let interpreter = if args.runs(Part::Python) {
        Some(python::Interpreter::ready(&cache()?).await?)
    } else {
        None
    };
    eprintln!("{} posts read, starting the engines", posts.len());
    let (watched, watching) = Watched::start(&ROLES);
    let connections = usize::from(args.connections);
    let setup = Setup::start(&args.echolot, &args.place, posts, connections, watched).await?;
    let measured = measure(args, &setup, interpreter.as_ref()).await;
    watching.abort();
    let keep = args.keep || measured.is_err();
    if let Some(folder) = setup.stop(keep).await {
        eprintln!("logs and data are kept in {}", folder.display());
    }
    let summary = measured?;
    summary.write(&args.summary)?;
    println!("{}\nwritten to {}", summary.to_table(), args.summary.display());
    Ok(summary)
}

async fn measure(
    args: &Args,
    setup: &Setup,
    interpreter: Option<&python::Interpreter>,
) -> anyhow::Result<Summary> {
    let cores = std::thread::available_parallelism()?.get();
    let mut summary = Summary { cores, ..Summary::default() };
    setup.migrate().await.context("creating tables and topics")?;
    let mut roles = Roles::start(setup).await.context("starting the roles")?;
    if args.runs(Part::Throughput) {
        eprintln!("throughput: {} s as fast as it goes", args.seconds);
        let flood = throughput::Flood {
            time: Duration::from_secs(args.seconds),
            batch: args.batch,
            ahead: args.ahead,
        };
        let found = throughput::measure(setup, &flood).await.context("throughput")?;
        summary.throughput = Some(found);
    }
    if args.runs(Part::Freshness) {
        eprintln!("freshness: {} s at {}/s", args.freshness_seconds, args.freshness_rate);
        let time = Duration::from_secs(args.freshness_seconds);
        let found = freshness::measure(setup, args.freshness_rate, time).await;
        summary.freshness = Some(found.context("freshness")?);
    }
    if args.runs(Part::Recovery) {
        eprintln!("recovery: kill -9 of every role at {}/s", args.recovery_rate);
        let (found, restarted) =
            recovery::measure(setup, roles, args.recovery_rate).await.context("recovery")?;
        (summary.recovery, roles) = (Some(found), restarted);
    }
    if args.runs(Part::Drain) {
        eprintln!("drain: a backlog of {}", args.backlog);
        let (found, restarted) =
            drain::measure(setup, roles, args.backlog, args.batch).await.context("drain")?;
        (summary.drain, roles) = (Some(found), restarted);
    }
    summary.rss_mb = Some(setup.watched.peak_together());
    roles.stop(setup).await.context("stopping the roles")?;
    if args.runs(Part::Up) {
        eprintln!("up: {} s at {}/s in one process", args.up_seconds, args.freshness_rate);
        let time = Duration::from_secs(args.up_seconds);
        together::measure(setup, args.freshness_rate, time).await.context("up")?;
    }
    eprintln!("audit of everything so far");
    let (clean, report) = audit(setup).await.context("audit")?;
    (summary.audit_clean, summary.audit) = (Some(clean), Some(report));
    if let Some(interpreter) = interpreter {
        let time = Duration::from_secs(args.python_seconds);
        let variants =
            [(Variant::Plain, &mut summary.python), (Variant::Tuned, &mut summary.python_tuned)];
        for (variant, slot) in variants {
            eprintln!("{} python: {} s as fast as it goes", variant.as_str(), args.python_seconds);
            let (posts, ahead) = (&args.posts, args.ahead);
            let found = python::measure(setup, interpreter, variant, posts, ahead, time).await;
            *slot = Some(found.with_context(|| format!("{} python", variant.as_str()))?);
        }
    }
    summary.rss_peak_mb = setup.watched.peaks();
    summary.fill();
    Ok(summary)
}

/// Whether the audit found everything accounted for, and its report.
async fn audit(setup: &Setup) -> anyhow::Result<(bool, serde_json::Value)> {
    let output = setup
        .launch
        .command("sink", &["audit", "--json", "--wait", "5m"])
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    let report = serde_json::from_slice(&output.stdout).with_context(|| {
        format!("it gave no report: {}", String::from_utf8_lossy(&output.stderr).trim())
    })?;
    Ok((output.status.success(), report))
}

/// Resolves when the run is told to stop: what was started then goes with it.
async fn interrupted() -> anyhow::Error {
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => return error.into(),
    };
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => match pressed {
            Ok(()) => anyhow!("interrupted"),
            Err(error) => error.into(),
        },
        _ = terminate.recv() => anyhow!("terminated"),
    }
}

/// The user's cache folder.
fn cache() -> anyhow::Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_CACHE_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".cache")))
        .context("neither XDG_CACHE_HOME nor HOME is set")
}
