//! `echolot source list|test|status`.

mod status;
mod told;
mod trial;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use echolot_ingest::sources::KINDS;
use serde::Serialize;

use crate::{
    settings::Settings,
    tools::{print, table},
};

#[derive(Debug, Subcommand)]
pub(crate) enum SourceCommand {
    /// Every kind of source, and the configured ones.
    List(ListArgs),
    /// Reads samples as a source would, and shows what becomes a mention and what does not.
    Test(trial::TestArgs),
    /// When each source last answered, how far behind it is, and what may be missing.
    Status(ListArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Prints one JSON object a line.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(settings: Settings, command: SourceCommand) -> anyhow::Result<ExitCode> {
    match command {
        SourceCommand::List(args) => list(&settings, &args),
        SourceCommand::Test(args) => trial::run(&settings, &args),
        SourceCommand::Status(args) => status::run(settings, args.json).await,
    }
}

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    kind: &'a str,
    enabled: bool,
    internal: bool,
}

fn list(settings: &Settings, args: &ListArgs) -> anyhow::Result<ExitCode> {
    let configured: Vec<Listed<'_>> = settings
        .sources
        .iter()
        .filter_map(|(name, source)| {
            let (common, kind) = (source.common()?, source.kind()?);
            Some(Listed {
                name,
                kind: kind.name,
                enabled: common.enabled.unwrap_or(true),
                internal: common.internal || kind.is_internal(),
            })
        })
        .collect();
    if args.json {
        for source in &configured {
            print(serde_json::to_string(source)?);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut kinds = table(["kind", "what it follows", "internal"]);
    for kind in KINDS {
        kinds.add_row([kind.name, kind.about, if kind.is_internal() { "always" } else { "" }]);
    }
    print(kinds.to_string());
    if configured.is_empty() {
        print("no source is configured: docs/sources.md has an example of each kind");
        return Ok(ExitCode::SUCCESS);
    }
    let mut shown = table(["source", "kind", "enabled", "internal"]);
    for source in &configured {
        shown.add_row([
            source.name,
            source.kind,
            if source.enabled { "yes" } else { "no" },
            if source.internal { "yes" } else { "" },
        ]);
    }
    print(shown.to_string());
    Ok(ExitCode::SUCCESS)
}
