//! The same work by plain Python, on the same engines: `bench/python`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, ensure};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::process::Command;

use crate::{
    counts::Counter,
    curve,
    roles::{Program, run},
    setup::{BRANDS_FILE, PARTITIONS, Setup},
};

/// The program's files, carried along so that the binary runs anywhere.
const FILES: [(&str, &str); 6] = [
    ("pipeline.py", include_str!("../../python/pipeline.py")),
    ("tools.py", include_str!("../../python/tools.py")),
    ("prepare.py", include_str!("../../python/prepare.py")),
    ("produce.py", include_str!("../../python/produce.py")),
    ("enrich.py", include_str!("../../python/enrich.py")),
    ("sink.py", include_str!("../../python/sink.py")),
];
const REQUIREMENTS: &str = include_str!("../../python/requirements.txt");

/// The processes: two that enrich, one for each core that the figures are told for.
const PROGRAMS: [(&str, &str); 4] = [
    ("python-sink", "sink.py"),
    ("python-enrich-1", "enrich.py"),
    ("python-enrich-2", "enrich.py"),
    ("python-produce", "produce.py"),
];

/// How often its counts are looked at.
const POLL: Duration = Duration::from_millis(500);
/// How long the first mention may take to be counted.
const FIRST_WITHIN: Duration = Duration::from_mins(1);

/// Which libraries it uses: `bench/python/tools.py`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// What is found first.
    Plain,
    /// What is found after profiling.
    Tuned,
}

impl Variant {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Tuned => "tuned",
        }
    }
}

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Python {
    /// Mentions a second that became visible in the minute counts.
    pub(crate) per_second: f64,
    /// Mentions counted while it was measured.
    pub(crate) mentions: u64,
    /// CPU seconds for a million mentions, by process.
    pub(crate) cpu_s_per_million: BTreeMap<&'static str, f64>,
}

/// An interpreter with the pinned packages.
pub(crate) struct Interpreter(PathBuf);

impl Interpreter {
    /// Makes the environment in the user's cache, or takes the one that is there.
    pub(crate) async fn ready(cache: &Path) -> anyhow::Result<Self> {
        let digest = hex::encode(Sha256::digest(REQUIREMENTS));
        let folder = cache.join("echolot/bench-python").join(&digest[..12]);
        let interpreter = folder.join("bin/python");
        let complete = folder.join("complete");
        if !complete.exists() {
            let requirements = folder.join("requirements.txt");
            run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))
                .await
                .context("cannot make a Python environment; install python3 and python3-venv")?;
            std::fs::write(&requirements, REQUIREMENTS)?;
            run(Command::new(&interpreter)
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .args(["--only-binary=:all:", "--no-binary=langdetect"])
                .arg("--requirement")
                .arg(&requirements))
            .await
            .context("cannot install the Python packages")?;
            std::fs::write(&complete, "")?;
        }
        Ok(Self(interpreter))
    }
}

/// Runs the Python pipeline for a time, `ahead` as in the flood of the other one. Its rate leaves
/// out the first fifth, in which the path fills.
pub(crate) async fn measure(
    setup: &Setup,
    interpreter: &Interpreter,
    variant: Variant,
    posts: &Path,
    ahead: u64,
    time: Duration,
) -> anyhow::Result<Python> {
    let folder = setup.folder().join(format!("python-{}", variant.as_str()));
    std::fs::create_dir_all(&folder)?;
    for (name, text) in FILES {
        std::fs::write(folder.join(name), text)?;
    }
    let settings = settings(setup, variant, posts, ahead)?;
    std::fs::write(folder.join("settings.json"), serde_json::to_vec(&settings)?)?;
    let command = |program: &str| {
        let mut command = Command::new(&interpreter.0);
        command.current_dir(&folder).args([program, "settings.json"]);
        command
    };
    run(&mut command("prepare.py")).await.context("preparing the Python pipeline")?;

    let mut programs = Vec::new();
    for (name, file) in PROGRAMS {
        let log = folder.join(format!("{name}.log"));
        let program = Program::start(name, command(file), &log)?;
        setup.watched.is_now(name, program.pid());
        programs.push(program);
    }
    let sql = format!(
        "SELECT sum(mentions) FROM echolot_python_{}.minute_counts WHERE brand = '*'",
        variant.as_str()
    );
    let counter = Counter::start(&setup.store, sql, POLL);
    counter.reaches(1, FIRST_WITHIN).await.context("the Python pipeline")?;
    let (before, first) = (setup.watched.cpu(), counter.now());
    tokio::time::sleep(time).await;
    let (after, last) = (setup.watched.cpu(), counter.now());
    for program in &mut programs {
        program.require_running()?;
    }
    let mut seen = counter.stop().await?;
    for ((name, _), program) in PROGRAMS.into_iter().zip(programs) {
        setup.watched.is_gone(name);
        program.stop().await?;
    }
    seen.retain(|poll| poll.mentions > 0);
    let mentions = last - first;
    ensure!(mentions > 0, "the Python pipeline counted nothing in {time:?}");
    Ok(Python {
        per_second: curve::rate(&seen, time / 5).context("take more --python-seconds")?,
        mentions,
        cpu_s_per_million: after.per_million_since(&before, mentions),
    })
}

fn settings(
    setup: &Setup,
    variant: Variant,
    posts: &Path,
    ahead: u64,
) -> anyhow::Result<serde_json::Value> {
    let url: reqwest::Url = setup.clickhouse.url.parse()?;
    Ok(json!({
        "brokers": setup.brokers,
        "clickhouse_host": url.host_str().context("the store's address names no host")?,
        "clickhouse_port": url.port().context("the store's address names no port")?,
        "user": setup.clickhouse.application.user,
        "password_file": setup.password_file(),
        "posts": posts.canonicalize()?,
        "brands": setup.folder().join(BRANDS_FILE),
        "partitions": PARTITIONS,
        "ahead": ahead,
        "variant": variant.as_str(),
    }))
}
