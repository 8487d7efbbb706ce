//! The command line.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Args, Parser, Subcommand};

use crate::{memory, process::Process, roles, settings::Settings, telemetry, tools, up};

/// Social listening on a log: nothing lost, nothing counted twice, every number explained.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct Global {
    /// TOML file over the built-in defaults; `ECHOLOT__SECTION__KEY` in the environment goes over both.
    #[arg(long, short, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Sets one option, over everything else: `--set sink.worker.linger=1s`. For `eval`, a value
    /// without `=` names a test set.
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    overrides: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything on this machine: embedded engines where none are configured, all roles, a sample.
    Up(up::UpArgs),
    /// Role: accepts pushed mentions and writes them to the log.
    Ingest,
    /// Role: adds language, brands and sentiment.
    Enrich,
    /// Role: writes mentions and counts to the store.
    Sink,
    /// Role: watches brands for incidents. Tool: replays that over the past.
    Alert(tools::alert::AlertArgs),
    /// Role: serves the pages that teams look at, on this machine.
    Dashboard,
    /// Checks the configuration and every connection, and says how to mend what is wrong.
    Check(tools::check::CheckArgs),
    /// Creates or updates tables, views and topics. Safe to repeat.
    Migrate,
    /// Reads files of mentions into the log.
    Backfill(tools::backfill::BackfillArgs),
    /// Proves from the log that the store holds everything once, and that its counts are right.
    Audit(tools::audit::AuditArgs),
    /// Asks the store as the user that only reads: the views of docs/tables.md, in SQL.
    Query(tools::query::QueryArgs),
    /// Shows refused records and puts them back.
    DeadLetters(tools::dead_letters::DeadLettersArgs),
    /// Checks brand files, and tries queries on a text or on the store.
    #[command(subcommand)]
    Brands(tools::brands::BrandsCommand),
    /// Measures the models on public tests, beside what others published.
    #[command(subcommand)]
    Eval(tools::eval::EvalCommand),
    /// Lists kinds of sources, tries one out, and tells how well each is covered.
    #[command(subcommand)]
    Source(tools::source::SourceCommand),
    /// Fills the next generation of the store from the log, beside the present one.
    Replay(tools::replay::ReplayArgs),
    /// Becomes an embedded engine; used by `up` alone.
    #[command(hide = true)]
    Engine {
        /// What to become.
        order: String,
    },
}

pub(crate) fn run(mut cli: Cli) -> anyhow::Result<ExitCode> {
    if let Command::Engine { order } = &cli.command {
        // Neither runtime nor logging: the process becomes the engine.
        echolot_engines::entry::run(order)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Command::Eval(command) = &mut cli.command {
        command.take_sets(&mut cli.global.overrides);
    }
    if let Command::Alert(tools::alert::AlertArgs { tool: Some(tool) }) = &mut cli.command {
        tool.take_sets(&mut cli.global.overrides);
    }
    let settings = Settings::load(cli.global.config.as_deref(), &cli.global.overrides)?;
    // `up` logs into its data folder, once that is its own.
    if !matches!(cli.command, Command::Up(_)) {
        telemetry::init(&settings.telemetry)?;
    }
    memory::keep_little();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the asynchronous runtime")?;
    let code = runtime.block_on(dispatch(cli.command, settings));
    // Whatever still runs has been told to stop and had its time.
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    code
}

async fn dispatch(command: Command, settings: Settings) -> anyhow::Result<ExitCode> {
    match command {
        Command::Up(args) => up::run(settings, args).await,
        Command::Ingest => Box::pin(role(settings, roles::part::INGEST, roles::ingest)).await,
        Command::Enrich => role(settings, roles::part::ENRICH, roles::enrich).await,
        Command::Sink => Box::pin(role(settings, roles::part::SINK, roles::sink)).await,
        Command::Alert(tools::alert::AlertArgs { tool: Some(tool) }) => {
            tools::alert::run(settings, tool).await
        }
        Command::Alert(_) => {
            Box::pin(role(settings, roles::part::ALERT, roles::alert::alert)).await
        }
        Command::Dashboard => {
            Box::pin(role(settings, roles::part::DASHBOARD, roles::dashboard::dashboard)).await
        }
        Command::Check(args) => tools::check::run(settings, args).await,
        Command::Migrate => tools::migrate::run(settings).await,
        Command::Backfill(args) => tools::backfill::run(settings, args).await,
        Command::Audit(args) => tools::audit::run(settings, args).await,
        Command::Query(args) => tools::query::run(settings, args).await,
        Command::DeadLetters(args) => tools::dead_letters::run(settings, args).await,
        Command::Brands(command) => tools::brands::run(settings, command).await,
        Command::Eval(command) => tools::eval::run(&settings, &command),
        Command::Source(command) => tools::source::run(settings, command).await,
        Command::Replay(args) => tools::replay::run(settings, args).await,
        Command::Engine { .. } => unreachable!("handled before the runtime starts"),
    }
}

/// Runs one role in a process of its own until a signal or an error ends it.
async fn role<F>(
    settings: Settings,
    part: &'static str,
    role: impl FnOnce(Process) -> F,
) -> anyhow::Result<ExitCode>
where
    F: Future<Output = anyhow::Result<()>>,
{
    settings.require_engines()?;
    let process = Process::new(settings)?;
    process.stop_on_signals()?;
    process.board.part(part);
    let telemetry = process.serve_telemetry().await?;
    tracing::info!(telemetry = %telemetry, "started");
    let cancel = process.cancel.clone();
    role(process).await?;
    cancel.cancel();
    Ok(ExitCode::SUCCESS)
}
