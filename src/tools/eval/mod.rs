//! `echolot eval`: how good are the models, on public tests, beside what others published?
//!
//! ```text
//! ../shared/data, --tsv FILE ─▶ rows ─▶ normalise ─▶ detector ─▶ scorer ─▶ judged rows
//!                                                                          │ metrics, bootstrap
//!                                              table, --json, --markdown, --pictures ◀┘
//! ```
//!
//! Texts go the way they go in the enrichment stage, the detected language included, on one thread.

mod alerts;
mod cascade;
mod data;
mod interval;
mod language;
mod lingua;
mod metrics;
mod pictures;
mod report;
mod sentiment;
mod sets;
mod speed;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};

use crate::settings::Settings;

#[derive(Debug, Subcommand)]
pub(crate) enum EvalCommand {
    /// Scores a model of sentiment on public tests or on a file.
    Sentiment(sentiment::SentimentArgs),
    /// Shows what a second opinion is worth, by the share of texts that gets one.
    Cascade(cascade::CascadeArgs),
    /// Scores the detector of incidents and simpler rules on an own set and on NAB.
    Alerts(alerts::AlertsArgs),
    /// Scores language detection on public tests or on a file.
    Language(language::LanguageArgs),
}

/// Where rows come from and where results go.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Folder of the public data sets.
    #[arg(long, value_name = "DIR", default_value = "../shared/data")]
    data: PathBuf,
    /// Judges this file instead: columns `label` and `text`, separated by tabs.
    #[arg(long, value_name = "FILE")]
    tsv: Option<PathBuf>,
    /// Judges unlabelled lines of this file (`-`: standard input) and prints what is said of each.
    #[arg(long, value_name = "FILE", conflicts_with = "tsv")]
    predict: Option<PathBuf>,
    /// Sets to judge instead of all: given as `--set NAME`, an option of every command.
    #[arg(skip)]
    sets: Vec<String>,
    /// Writes JSON to this file, or to standard output in place of the table.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    json: Option<PathBuf>,
    /// Writes the table as Markdown.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

impl EvalCommand {
    /// Names of sets come by the same `--set` as options do, but hold no `=`; takes them away from
    /// there.
    pub(crate) fn take_sets(&mut self, overrides: &mut Vec<String>) {
        let common = match self {
            Self::Sentiment(args) => &mut args.common,
            Self::Language(args) => &mut args.common,
            Self::Cascade(args) => &mut args.common,
            Self::Alerts(_) => return,
        };
        common.sets = overrides.extract_if(.., |pair| !pair.contains('=')).collect();
    }
}

pub(crate) fn run(settings: &Settings, command: &EvalCommand) -> anyhow::Result<ExitCode> {
    match command {
        EvalCommand::Sentiment(args) => sentiment::run(settings, args),
        EvalCommand::Cascade(args) => cascade::run(settings, args),
        EvalCommand::Language(args) => language::run(settings, args),
        EvalCommand::Alerts(args) => alerts::run(args),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        command: EvalCommand,
    }

    #[test]
    fn names_of_sets_are_told_from_options() {
        let mut line = Line::parse_from(["eval", "sentiment"]);
        let mut overrides = vec!["umsab-de".to_owned(), "enrich.threads=2".to_owned()];
        line.command.take_sets(&mut overrides);
        assert_eq!(overrides, ["enrich.threads=2"]);
        let EvalCommand::Sentiment(args) = line.command else { panic!("it was sentiment") };
        assert_eq!(args.common.sets, ["umsab-de"]);
    }
}
