//! `echolot alert`: the role, and what a rule would have done.

mod backtest;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::settings::Settings;

#[derive(Debug, Args)]
pub(crate) struct AlertArgs {
    #[command(subcommand)]
    pub(crate) tool: Option<AlertTool>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AlertTool {
    /// Replays the detector over the past: what would have fired, and when.
    Backtest(backtest::BacktestArgs),
}

pub(crate) async fn run(settings: Settings, tool: AlertTool) -> anyhow::Result<ExitCode> {
    match tool {
        AlertTool::Backtest(args) => backtest::run(settings, args).await,
    }
}
