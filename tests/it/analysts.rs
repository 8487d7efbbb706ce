//! What analysts are promised: every query of the cookbook answers on the sample, nothing can be
//! written, nobody's query runs for ever.

use std::{path::Path, time::Duration};

use anyhow::{Context, ensure};
use echolot_harness::{
    Process,
    pipeline::{Told, run},
    store::StoreClient,
    wait::eventually,
};
use nix::sys::signal::Signal;

use crate::{
    setup::{PATIENCE, home},
    up::{echolot, endpoints},
};

const COOKBOOK: &str = include_str!("../../docs/cookbook.md");
/// The sample tells of no outage and has no collector, so these rows are noted for it.
const NOTED: [&str; 2] = [
    "INSERT INTO echolot.source_coverage VALUES ('mastodon', '2026-06-14 12:00:00', 'ok', '', \
     '2026-06-14 12:00:00', '2026-06-14 11:59:00', 60, 113, 0, 0)",
    "INSERT INTO echolot.source_gaps VALUES ('mastodon', '2026-06-10 00:00:00', \
     '2026-06-10 18:00:00', 'outage', false, '2026-06-14 12:00:00')",
];

/// The SQL blocks of the cookbook.
fn queries() -> Vec<&'static str> {
    COOKBOOK
        .split("```sql\n")
        .skip(1)
        .filter_map(|block| block.split_once("```").map(|(sql, _)| sql))
        .collect()
}

async fn query(home: &Path, arguments: &[&str]) -> anyhow::Result<Told> {
    let mut all = vec!["query"];
    all.extend(arguments);
    run(echolot(home, &all)).await
}

#[tokio::test]
async fn the_cookbook_answers_and_nothing_else_is_allowed() -> anyhow::Result<()> {
    let home = home("analysts")?;
    let mut serving = Process::start(echolot(&home, &["up"]))?;
    serving.says("that it serves", PATIENCE, |line| line.contains("serving").then_some(())).await?;
    let store = StoreClient::new(&endpoints(&home)?);
    for noted in NOTED {
        store.execute(noted).await?;
    }
    eventually("an incident is noted", Duration::from_mins(2), || async {
        Ok((store.number("SELECT count() FROM echolot.incidents").await? > 0).then_some(()))
    })
    .await?;

    let queries = queries();
    ensure!(queries.len() >= 25, "the cookbook has {} queries", queries.len());
    for sql in queries {
        let told = query(&home, &["--json", sql]).await?;
        let rows = told.well().with_context(|| sql.to_owned())?;
        ensure!(rows.starts_with('{'), "no row from {sql}");
    }

    let count = "SELECT count() AS mentions FROM mentions";
    assert_eq!(query(&home, &["--json", count]).await?.well()?, "{\"mentions\":770}\n");
    assert_eq!(query(&home, &["--csv", count]).await?.well()?, "\"mentions\"\n770\n");
    assert!(query(&home, &[count]).await?.well()?.contains("│      770 │"));

    let waits = "SELECT countIf(answers = 0) AS open, countIf(isNull(seconds_to_answer)) AS unknown, \
                 countIf(answers > 0 AND seconds_to_answer > 0) > 0 AS timed FROM response_times";
    let waits: serde_json::Value =
        serde_json::from_str(&query(&home, &["--json", waits]).await?.well()?)?;
    assert_eq!(waits["open"], waits["unknown"], "an unanswered question has no time");
    assert_eq!(waits["timed"], 1);

    for (sql, more, told) in [
        ("SELECT nope FROM mentions", None, "nope"),
        ("SELEC 1", None, "Syntax error"),
        ("", None, "the statement is empty"),
        ("DROP VIEW mentions", None, "may only read"),
        ("INSERT INTO generations (generation) VALUES (9)", None, "only read"),
        ("SELECT text FROM echolot_g1.mentions", None, "may only read the published views"),
        ("SELECT 1 SETTINGS max_memory_usage = 99999999999", None, "max_memory_usage"),
        (
            "SELECT sum(a.number * b.number) FROM numbers(1000000000) a, numbers(99) b",
            Some("--timeout=1s"),
            "too long",
        ),
        (
            "SELECT length(groupArray(number)) FROM numbers(100000000)",
            Some("--memory=64MiB"),
            "--memory",
        ),
    ] {
        let arguments: Vec<&str> = [sql].into_iter().chain(more).collect();
        let refused = query(&home, &arguments).await?;
        assert_eq!(refused.code, Some(2), "{sql}: {refused:?}");
        assert!(refused.stderr.contains(told), "{sql}: {refused:?}");
        assert_eq!(refused.stdout, "", "{sql}");
    }

    serving.signal(Signal::SIGINT)?;
    assert!(serving.ended(Duration::from_secs(10)).await?.success(), "{}", serving.tail());
    Ok(())
}
