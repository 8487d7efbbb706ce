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

impl AlertTool {
    /// Options of the rule may be named without their section: `--set rule.budget=1`.
    pub(crate) fn take_sets(&mut self, overrides: &mut [String]) {
        let Self::Backtest(args) = self;
        for pair in overrides {
            if pair.starts_with("rule.") {
                pair.insert_str(0, "alert.");
            }
            let option = pair.split_once('=').map(|(path, _)| path);
            args.tried.extend(
                option.and_then(|path| path.strip_prefix("alert.rule.")).map(str::to_owned),
            );
        }
    }
}

pub(crate) async fn run(settings: Settings, tool: AlertTool) -> anyhow::Result<ExitCode> {
    match tool {
        AlertTool::Backtest(args) => backtest::run(settings, args).await,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        tool: AlertTool,
    }

    #[test]
    fn an_option_of_the_rule_needs_no_section() {
        let mut line = Line::parse_from(["alert", "backtest", "--brand", "tramio"]);
        let mut overrides = ["rule.budget=1", "enrich.threads=2"].map(str::to_owned);
        line.tool.take_sets(&mut overrides);
        assert_eq!(overrides, ["alert.rule.budget=1", "enrich.threads=2"]);
        let AlertTool::Backtest(args) = line.tool;
        assert_eq!(args.tried, ["budget"]);
    }
}
