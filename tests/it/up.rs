//! `echolot up`: everything in one process, on engines of its own.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use echolot_harness::{
    Endpoints, Pipeline, Process,
    pipeline::{bare, run},
};
use nix::sys::signal::Signal;
use secrecy::SecretString;
use serde::Deserialize;
use tokio::process::Command;

use crate::setup::{ECHOLOT, PATIENCE, home, on};

const SAMPLE: &str = include_str!("../../sample/posts.ndjson");
/// Partitions where nothing else is configured.
const PARTITIONS: i32 = 4;

pub(crate) fn echolot(home: &Path, arguments: &[&str]) -> Command {
    let mut command = bare(ECHOLOT.as_ref());
    command
        .args(arguments)
        .env("ECHOLOT__DATA__DIR", home)
        .env("ECHOLOT__TELEMETRY__LISTEN", "127.0.0.1:0")
        .env("ECHOLOT__INGEST__PUSH__LISTEN", "127.0.0.1:0");
    command
}

/// Where the engines of a running `up` answer.
#[derive(Deserialize)]
struct Found {
    kafka_brokers: String,
    clickhouse_url: String,
    clickhouse_user: String,
    clickhouse_password: String,
}

pub(crate) fn endpoints(home: &Path) -> anyhow::Result<Endpoints> {
    let found: Found = serde_json::from_slice(&fs::read(home.join("endpoints.json"))?)?;
    let file = found.clickhouse_password.trim_start_matches("file:");
    Ok(Endpoints {
        brokers: found.kafka_brokers,
        url: found.clickhouse_url,
        user: found.clickhouse_user,
        password: SecretString::from(fs::read_to_string(PathBuf::from(file))?.trim()),
    })
}

/// Native ids of the sample by source.
fn sample() -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    #[derive(Deserialize)]
    struct Post {
        id: String,
        source: String,
    }
    let mut sample = BTreeMap::<_, Vec<_>>::new();
    for line in SAMPLE.lines() {
        let Post { id, source } = serde_json::from_str(line)?;
        sample.entry(source).or_default().push(id);
    }
    Ok(sample)
}

#[tokio::test]
async fn up_counts_the_sample_once_and_shares_its_data_with_nobody() -> anyhow::Result<()> {
    let home = home("up")?;
    let posts = SAMPLE.lines().count();
    let once = run(echolot(&home, &["up", "--once"])).await?.well()?;
    assert!(once.contains(&format!("{posts} posts read")), "{once}");
    assert!(once.contains(&format!("\n{posts} mentions from ")), "{once}");
    let again = run(echolot(&home, &["up", "--once"])).await?.well()?;
    assert!(again.contains("already in the log"), "{again}");
    assert!(again.contains(&format!("\n{posts} mentions from ")), "{again}");

    let mut serving = Process::start(echolot(&home, &["up", "--no-live"]))?;
    serving.says("that it serves", PATIENCE, |line| line.contains("serving").then_some(())).await?;
    let refused = run(echolot(&home, &["up", "--once"])).await?;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("in use by the running process"), "{refused:?}");

    let pipeline = Pipeline::of(&on(endpoints(&home)?), "up", "", "echolot", PARTITIONS)?;
    for (source, ids) in sample()? {
        pipeline.acknowledged(&source, ids)?;
    }
    let account = pipeline.assert_law().await?;
    assert_eq!((account.stored, account.audit.events), (posts, posts as u64));
    let sums = "SELECT sum(mentions) FROM echolot.sentiment_by_day WHERE brand = '*'";
    assert_eq!(pipeline.store.number(sums).await?, posts as u64);

    serving.signal(Signal::SIGINT)?;
    assert!(serving.ended(Duration::from_secs(10)).await?.success(), "{}", serving.tail());
    Ok(())
}
