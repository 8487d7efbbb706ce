//! Echolot: one binary, a role or a tool per subcommand.
//!
//! ```text
//!   up ── engines (child processes) + every role + sample + summary
//!   ingest ─▶ mentions.raw ─▶ enrich ─▶ mentions.enriched ─▶ sink ─▶ ClickHouse
//! ```

mod cli;
mod engines;
mod memory;
mod process;
mod progress;
mod roles;
mod settings;
mod telemetry;
mod tools;
mod up;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match cli::run(cli) {
        Ok(code) => code,
        Err(error) => {
            telemetry::complain(&error);
            ExitCode::from(2)
        }
    }
}
