//! What the workspace does to itself: `cargo xtask generate [--check]`.
//!
//! ```text
//!  schemas/src ─────────────▶ schemas/json/*.json
//!  config/head.toml ┐
//!  <crate>/default.toml ────▶ config/default.toml ─▶ docs/config.md
//!  <crate>/src/metrics ─────▶ docs/metrics.md
//!  schemas/clickhouse ──────▶ docs/tables.md
//! ```
//!
//! People and `make test` call it; no other crate does. The rules of the house are its tests.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks to a terminal")]

mod generate;

use std::{path::Path, process::ExitCode};

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::generate::Generated;

/// What the workspace does to itself.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Writes the generated files.
    Generate {
        /// Write nothing; exit with 1 when a file is stale.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    let Task::Generate { check } = Cli::parse().task;
    // Asked at run time: a build shared by several clones serves the one that runs it.
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").context("run it as `cargo xtask`")?;
    let root = Path::new(&folder).parent().context("xtask lies in a folder of the workspace")?;
    let generated = Generated::from_workspace(root)?;
    if check {
        return Ok(report(&generated.stale()?));
    }
    for path in generated.write()? {
        println!("wrote {path}");
    }
    Ok(ExitCode::SUCCESS)
}

fn report(stale: &[String]) -> ExitCode {
    for reason in stale {
        eprintln!("{reason}");
    }
    if stale.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("mend with: cargo xtask generate");
    ExitCode::FAILURE
}
