//! `make torture KILLS=100`: kills roles at random moments under load, then counts what is missing.
//!
//! The last line is `kills N lost X doubled Y`; the exit status is 0 only when nothing is lost,
//! doubled or miscounted and the audit is clean.

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::Parser;
use echolot_harness::torture::{Torture, any_seed};

/// Kills roles at random moments under a steady load, then proves that nothing was lost or doubled.
#[derive(Debug, Parser)]
struct Args {
    /// The binary whose roles are killed.
    #[arg(long)]
    echolot: PathBuf,
    /// How many kills.
    #[arg(long, default_value_t = 100)]
    kills: u32,
    /// New mentions a second.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=40_000))]
    per_second: u32,
    /// Repeats the choices of an earlier run.
    #[arg(long)]
    seed: Option<u64>,
    /// Sets an option of every role: `--set kafka.session_timeout=2s`
    #[arg(long = "set", value_name = "KEY=VALUE")]
    options: Vec<String>,
}

// One thread: roles are ended by the kernel with the thread that started them.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let Args { echolot, kills, per_second, seed, options } = Args::parse();
    let folder = tempfile::Builder::new().prefix("echolot-torture-").tempdir()?;
    let seed = seed.unwrap_or_else(any_seed);
    tell(format_args!(
        "{kills} kills at {per_second} mentions/s; --seed {seed} chooses the same again"
    ));
    let torture = Torture {
        echolot: echolot.canonicalize()?,
        folder: folder.path().to_owned(),
        kills,
        per_second,
        seed,
        options,
    };
    let outcome = torture
        .run(|number, role| {
            if number % 10 == 0 || number == kills {
                tell(format_args!("{number} of {kills} kills, now {role}"));
            }
        })
        .await?;
    tell(format_args!("{outcome}"));
    Ok(if outcome.account.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A closed pipe is the reader's choice, not a fault.
fn tell(text: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
