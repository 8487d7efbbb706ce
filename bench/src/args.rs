//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Measures Echolot from outside, on embedded engines in a temporary folder.
#[derive(Clone, Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Args {
    /// The echolot binary, built with --release.
    #[arg(long, value_name = "PATH")]
    pub(crate) echolot: PathBuf,
    /// The load: zstd-compressed JSON lines with a field `text`.
    #[arg(long, value_name = "PATH", default_value = "../shared/data/load_posts/posts.jsonl.zst")]
    pub(crate) posts: PathBuf,
    /// Where the summary is written.
    #[arg(long, value_name = "PATH", default_value = "target/bench/summary.json")]
    pub(crate) summary: PathBuf,
    /// Folder in which the temporary one is made; some gigabytes for a full run.
    #[arg(long, value_name = "PATH", default_value_os_t = std::env::temp_dir())]
    pub(crate) place: PathBuf,
    /// Leaves the temporary folder, with all logs, for a look.
    #[arg(long)]
    pub(crate) keep: bool,
    /// The parts to run, in their fixed order; all where left out.
    #[arg(long, value_delimiter = ',', value_enum, value_name = "PART,…")]
    pub(crate) only: Vec<Part>,
    /// Seconds of the throughput part.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(5..=3600))]
    pub(crate) seconds: u64,
    /// Seconds of the freshness part.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(5..=3600))]
    pub(crate) freshness_seconds: u64,
    /// Mentions a second of the freshness part.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) freshness_rate: u64,
    /// Mentions a second while roles are killed.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) recovery_rate: u64,
    /// Mentions in the backlog of the drain part.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) backlog: u64,
    /// Seconds of load on `echolot up`, to see its memory.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(5..=3600))]
    pub(crate) up_seconds: u64,
    /// Seconds of each variant of the Python pipeline.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(5..=3600))]
    pub(crate) python_seconds: u64,
    /// Requests at the same time.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) connections: u16,
    /// Mentions in a request of the throughput and drain parts.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(crate) batch: u64,
    /// Most mentions accepted and not yet counted in the throughput part, of either pipeline.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1_000..=10_000_000))]
    pub(crate) ahead: u64,
}

/// A part of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Sustained mentions a second through the whole path.
    Throughput,
    /// Seconds from acceptance to count under a steady load.
    Freshness,
    /// Seconds from a kill -9 of a role until mentions are processed again.
    Recovery,
    /// Seconds to work off a backlog.
    Drain,
    /// Memory of all roles in one process.
    Up,
    /// The same work by plain Python.
    Python,
}

impl Args {
    /// True when that part is to be run.
    pub(crate) fn runs(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}
