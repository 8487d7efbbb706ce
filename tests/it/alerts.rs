//! The watcher: an incident in the data becomes a row, a record and a metric, once, whatever dies.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use echolot_harness::{Mode, Pipeline, Proxy, Role, RoleName, posts, wait::eventually};
use echolot_schemas::{submission::Submission, topics};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    incidents::{self, DAYS, Town, this_minute},
    setup::{PATIENCE, pipeline, site},
};

/// Incident and number of the change.
type Change = (String, u64);
const CLOSED: u64 = u32::MAX as u64;
/// Lets the first incident be late enough.
const WARM: &str = "alert.rule.warmup_hours=96";
/// A watcher that leads for so long goes on leading.
const SETTLED: Duration = Duration::from_secs(8);
/// A live incident waits for the end of its minute and for the lateness.
const LIVE: Duration = Duration::from_mins(3);

#[derive(Debug, Deserialize)]
struct Row {
    incident: String,
    step: u64,
}

/// Rows of the table, without FINAL: one for each time that a change was noted.
async fn noted(pipeline: &Pipeline) -> anyhow::Result<Vec<Change>> {
    let sql = format!(
        "SELECT incident, step FROM {}.incidents ORDER BY incident, step",
        pipeline.database()
    );
    let rows = pipeline.store.rows::<Row>(&sql).await?;
    Ok(rows.into_iter().map(|row| (row.incident, row.step)).collect())
}

/// Records of the topic, in order.
async fn records(pipeline: &Pipeline) -> anyhow::Result<Vec<Value>> {
    let records = pipeline.log.records(topics::ALERTS).await?;
    records.iter().map(|record| Ok(serde_json::from_slice(&record.payload)?)).collect()
}

fn change(record: &Value) -> Change {
    let step = if record["phase"] == "closed" {
        CLOSED
    } else {
        record["step"].as_u64().unwrap_or_default()
    };
    (record["incident"].as_str().unwrap_or_default().to_owned(), step)
}

async fn told(pipeline: &Pipeline) -> anyhow::Result<Vec<Change>> {
    Ok(records(pipeline).await?.iter().map(change).collect())
}

/// What the detector finds over all history when nobody disturbs it.
async fn replayed(pipeline: &Pipeline) -> anyhow::Result<BTreeSet<String>> {
    let arguments = ["alert", "backtest", "--brand", "tramio", "--json"];
    let found: Value = serde_json::from_str(&pipeline.tool(&arguments).await?.well()?)?;
    let incidents = found["incidents"].as_array().context("no incidents")?;
    Ok(incidents.iter().filter_map(|one| Some(one["incident"].as_str()?.to_owned())).collect())
}

/// Table and topic tell the same changes, each once, and of these incidents.
async fn assert_told_once(pipeline: &Pipeline, incidents: &BTreeSet<String>) -> anyhow::Result<()> {
    let (mut table, mut topic) = (noted(pipeline).await?, told(pipeline).await?);
    table.sort();
    topic.sort();
    assert_eq!(table, topic);
    let different: BTreeSet<_> = topic.iter().collect();
    assert_eq!(different.len(), topic.len(), "told twice: {topic:?}");
    let named: BTreeSet<_> = topic.iter().map(|(incident, _)| incident.clone()).collect();
    assert_eq!(&named, incidents);
    for incident in incidents {
        assert!(topic.contains(&(incident.clone(), 0)), "{incident} was never opened");
        assert!(topic.contains(&(incident.clone(), CLOSED)), "{incident} was never closed");
    }
    Ok(())
}

/// Days with waves of complaints that are all over. Two waves may be one incident: what is usual in an
/// hour depends on the hours of the day that they fall into.
async fn eventful(pipeline: &Pipeline) -> anyhow::Result<()> {
    let mut town = Town::new("Tramio", 7);
    let now = this_minute()?;
    let from = now - DAYS * 1440;
    let mut all = town.ordinary(from, now - 5);
    for (hours, size) in [(120, 40), (85, 40), (50, 60)] {
        for minute in 0..10 {
            all.extend(town.complaints(now - hours * 60 + minute, size / 10));
        }
    }
    incidents::push(pipeline, &all).await?;
    // Counted too: history is as long as the counts say.
    pipeline.assert_law().await?;
    Ok(())
}

async fn watcher(pipeline: &Pipeline, options: &[String]) -> anyhow::Result<Role> {
    pipeline.role_unready(RoleName::Alert, options).await
}

async fn until(
    pipeline: &Pipeline,
    what: &str,
    enough: impl AsyncFn(&Pipeline) -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    eventually(what, PATIENCE, || async { Ok(enough(pipeline).await?.then_some(())) }).await
}

async fn until_judged(watcher: &Role) -> anyhow::Result<()> {
    eventually("all history is judged", PATIENCE, || async {
        let judged = watcher.metric("echolot_alert_judged_timestamp_seconds").await?;
        Ok(judged.filter(|at| *at > 0.0).map(|_| ()))
    })
    .await
}

#[tokio::test]
async fn incidents_of_the_past_are_told_once_whenever_the_watcher_is_killed() -> anyhow::Result<()>
{
    let pipeline = pipeline("alert_kills").await?.set("clickhouse.timeout=2s").set(WARM);
    let _roles = pipeline.start().await?;
    eventful(&pipeline).await?;
    let expected = replayed(&pipeline).await?;
    assert!(expected.len() > 1, "{expected:?}");

    let proxy = Proxy::before(&site().await?.endpoints.url).await?;
    let through = [format!("clickhouse.url={}", proxy.url)];
    proxy.set(Mode::Slow(Duration::from_millis(100)));
    let mut watcher = watcher(&pipeline, &through).await?;

    // While history is read.
    watcher.until_said("this process watches").await?;
    watcher.kill().await?;
    assert_eq!(told(&pipeline).await?, []);

    // Between the topic and the table.
    proxy.set(Mode::DropInsertAnswers);
    watcher.restart().await?;
    until(&pipeline, "a change is on the topic", async |pipeline| {
        Ok(!told(pipeline).await?.is_empty())
    })
    .await?;
    watcher.kill().await?;

    // After each further change.
    proxy.set(Mode::Slow(Duration::from_millis(100)));
    for _ in 0..2 {
        let before = told(&pipeline).await?.len();
        watcher.restart().await?;
        until(&pipeline, "another change is on the topic", async |pipeline| {
            Ok(told(pipeline).await?.len() > before)
        })
        .await?;
        watcher.kill().await?;
    }

    proxy.set(Mode::Pass);
    for _ in 0..2 {
        watcher.restart().await?;
        watcher.until_ready().await?;
        until_judged(&watcher).await?;
        assert_told_once(&pipeline, &expected).await?;
        watcher.kill().await?;
    }
    pipeline.assert_law().await?;
    Ok(())
}

#[tokio::test]
async fn a_record_that_no_row_followed_is_noted_and_not_told_again() -> anyhow::Result<()> {
    let pipeline = pipeline("alert_half").await?.set(WARM);
    let _roles = pipeline.start().await?;
    eventful(&pipeline).await?;
    let expected = replayed(&pipeline).await?;
    let mut watcher = watcher(&pipeline, &[]).await?;
    until_judged(&watcher).await?;
    assert_told_once(&pipeline, &expected).await?;
    watcher.kill().await?;

    // As if it had died before the insert.
    let table = format!("{}.incidents", pipeline.database());
    let before = noted(&pipeline).await?;
    pipeline.store.execute(&format!("TRUNCATE TABLE {table}")).await?;
    watcher.restart().await?;
    until_judged(&watcher).await?;
    assert_told_once(&pipeline, &expected).await?;
    assert_eq!(noted(&pipeline).await?, before);

    // A stranger's record is left alone.
    let alerts = topics::ALERTS;
    pipeline.log.put(&alerts, None, Some(b"x"), b"{\"not\": \"ours\"}", &[]).await?;
    watcher.crash().await?;
    until_judged(&watcher).await?;
    assert_eq!(noted(&pipeline).await?, before);
    pipeline.assert_law().await?;
    Ok(())
}

/// Which of two leads; an error while none or both do.
async fn leader(watchers: &[Role; 2]) -> anyhow::Result<usize> {
    let mut leading = Vec::new();
    for (index, watcher) in watchers.iter().enumerate() {
        if watcher.metric("echolot_alert_leader").await? == Some(1.0) {
            leading.push(index);
        }
    }
    ensure!(leading.len() == 1, "{leading:?} lead");
    Ok(leading[0])
}

/// Which one leads and has judged all history, once both have settled: whoever joins may be chosen.
async fn until_one_leads(watchers: &[Role; 2]) -> anyhow::Result<usize> {
    let since = std::cell::Cell::new((Instant::now(), None));
    eventually("one of two leads, and goes on leading", PATIENCE, || async {
        let leader = leader(watchers).await.ok();
        if leader != since.get().1 {
            since.set((Instant::now(), leader));
        }
        let settled = since.get().0.elapsed() > SETTLED;
        let Some(leader) = leader.filter(|_| settled) else { return Ok(None) };
        let judged = watchers[leader].metric("echolot_alert_judged_timestamp_seconds").await?;
        Ok(judged.filter(|at| *at > 0.0).map(|_| leader))
    })
    .await
}

#[tokio::test]
async fn of_two_watchers_one_acts_and_the_other_takes_over_a_live_incident() -> anyhow::Result<()> {
    let pipeline = pipeline("alert_two").await?.set("alert.tick=1s").set("alert.lateness=5s");
    let _roles = pipeline.start().await?;
    let mut town = Town::new("Tramio", 11);
    let now = this_minute()?;
    incidents::push(&pipeline, &town.ordinary(now - DAYS * 1440, now - 5)).await?;

    let mut watchers = [watcher(&pipeline, &[]).await?, watcher(&pipeline, &[]).await?];
    let first = until_one_leads(&watchers).await?;
    assert_eq!(watchers[first].metric("echolot_alert_state{brand=\"tramio\"}").await?, Some(1.0));
    assert_eq!(watchers[1 - first].metric("echolot_alert_state{brand=\"tramio\"}").await?, None);
    assert_eq!(told(&pipeline).await?, []);

    let started = Instant::now();
    incidents::push(&pipeline, &town.complaints(this_minute()?, 60)).await?;
    let opened = eventually("an incident is told", LIVE, || async {
        Ok(records(&pipeline).await?.into_iter().next())
    })
    .await?;
    println!("told after {:?}: {opened}", started.elapsed());
    assert_eq!((&opened["brand"], &opened["kind"]), (&"tramio".into(), &"negative".into()));
    assert!(opened["evidence"]["observed"].as_f64() > Some(30.0), "{opened}");
    assert!(opened["why"]["terms"].as_array().is_some_and(|terms| !terms.is_empty()), "{opened}");

    watchers[first].kill().await?;
    let second = 1 - first;
    let over = Instant::now();
    eventually("the other takes over", PATIENCE, || async {
        let shown = watchers[second].metric("echolot_alert_state{brand=\"tramio\"}").await?;
        Ok((shown == Some(2.0)).then_some(()))
    })
    .await?;
    println!("taken over after {:?}", over.elapsed());
    for (series, least) in [
        ("echolot_alert_leader", 1.0),
        ("echolot_alert_severity{brand=\"tramio\",kind=\"negative\"}", 1.0),
        ("echolot_alert_voices{brand=\"tramio\"}", 30.0),
        ("echolot_alert_negative_share{brand=\"tramio\"}", 0.5),
    ] {
        let value = watchers[second].metric(series).await?;
        assert!(value >= Some(least), "{series} is {value:?}");
    }
    let expected =
        watchers[second].metric("echolot_alert_expected_voices{brand=\"tramio\"}").await?;
    assert!(expected < Some(5.0), "{expected:?}");

    // The dead one comes back, and waits.
    watchers[first].restart().await?;
    watchers[first].until_ready().await?;
    assert_eq!(leader(&watchers).await?, second);
    let told = told(&pipeline).await?;
    assert_eq!(told, [change(&opened)], "and nothing else, by nobody");
    assert_eq!(noted(&pipeline).await?, told);
    pipeline.assert_law().await?;
    Ok(())
}

#[tokio::test]
async fn a_silence_is_told_and_an_outage_of_its_source_is_not() -> anyhow::Result<()> {
    let pipeline = pipeline("alert_silence").await?;
    let _roles = pipeline.start().await?;
    let now = this_minute()?;
    let (from, silent) = (now - DAYS * 1440, now - 10 * 60);
    // Both brands fall silent at the same time, while others are spoken of.
    let nordwerk = Town::new("Nordwerk", 3).ordinary(from, silent);
    let file = pipeline.folder().join("nordwerk.ndjson");
    std::fs::write(&file, posts::lines(&nordwerk)?)?;
    let file = file.display().to_string();
    pipeline.backfill(&[&file, "--source", "archive"]).await?.well()?;
    pipeline.acknowledged("archive", nordwerk.into_iter().map(|post| post.id))?;
    let mut tramio = Town::new("Tramio", 5).ordinary(from, silent);
    tramio.extend(
        Town::new("Somebody", 9)
            .ordinary(from, now - 2)
            .into_iter()
            .map(|post| Submission { id: format!("other-{}", post.id), ..post }),
    );
    incidents::push(&pipeline, &tramio).await?;
    pipeline.assert_law().await?;
    // As ingest notes it when a source does not answer.
    let gap = format!(
        "INSERT INTO {}.source_gaps SELECT 'archive', fromUnixTimestamp64Milli({}), NULL, 'outage', \
         false, now64(3)",
        pipeline.database(),
        (silent - 1) * 60_000
    );
    pipeline.store.execute(&gap).await?;

    let watcher = watcher(&pipeline, &[]).await?;
    until_judged(&watcher).await?;
    let silences: Vec<Value> =
        records(&pipeline).await?.into_iter().filter(|told| told["kind"] == "silence").collect();
    assert_eq!(silences.len(), 1, "{silences:?}");
    assert_eq!(
        (&silences[0]["brand"], &silences[0]["phase"]),
        (&"tramio".into(), &"opened".into())
    );
    assert!(silences[0]["evidence"]["share"].is_null(), "{silences:?}");
    for (brand, severity) in [("tramio", 1.0), ("nordwerk", 0.0)] {
        let series = format!("echolot_alert_severity{{brand=\"{brand}\",kind=\"silence\"}}");
        assert_eq!(watcher.metric(&series).await?, Some(severity), "{brand}");
    }
    pipeline.assert_law().await?;
    Ok(())
}
