//! Sources that follow platforms: recorded exchanges played by local servers, from the first event to
//! a clean audit, with every kind of end in between.

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
    time::Duration,
};

use anyhow::{Context, ensure};
use echolot_harness::{
    Pipeline, Recordings, Role, RoleName, log::Record, recordings::HOOK_SECRET, wait::eventually,
};
use echolot_schemas::{
    EventType, MentionId, SourceName,
    codec::header,
    coverage::{CoverageState, GapReason, SourceCoverage},
    topics,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::setup::{PATIENCE, pipeline};

const DATA: &str = "../shared/data/event_samples";
/// Ideas that are called in: id and text.
const IDEAS: [(&str, &str); 3] = [
    ("i-1", "Die Tramio braucht mehr Platz für Fahrräder"),
    ("i-2", "Bitte ein Abo, das ich pausieren kann"),
    ("i-3", "Die neue App ist wirklich gut geworden"),
];

/// Events as the recorded ones, once all are acknowledged.
async fn observed(pipeline: &Pipeline) -> anyhow::Result<BTreeMap<String, usize>> {
    let mut seen = BTreeMap::new();
    for record in pipeline.log.records(topics::RAW).await? {
        if record.header(header::TYPE) == Some(EventType::MentionObserved.as_str()) {
            let event: Value = serde_json::from_slice(&record.payload)?;
            let source = event["mention"]["source"].as_str().unwrap_or_default();
            *seen.entry(source.to_owned()).or_default() += 1;
        }
    }
    Ok(seen)
}

/// Ids of the mentions that `echolot source test` makes of a sample; noted as acknowledged.
async fn expected(pipeline: &Pipeline, source: &str, sample: &Path) -> anyhow::Result<usize> {
    let sample = sample.display().to_string();
    let told = pipeline.tool(&["source", "test", source, "--sample", &sample, "--json"]).await?;
    let tried: Value = serde_json::from_str(&told.well()?)?;
    let mentions = tried["observed"].as_array().context("no mentions")?;
    for event in mentions {
        let id: MentionId = serde_json::from_value(event["mention"]["id"].clone())?;
        pipeline.known.acknowledged_id(id);
    }
    Ok(mentions.len())
}

/// Calls the webhook of the ideas; the status.
async fn call(pipeline: &Pipeline, secret: &str, body: &Value) -> anyhow::Result<u16> {
    let address = format!("http://{}/v1/hooks/ideas", pipeline.door()?);
    let request = reqwest::Client::new().post(address).header("X-Echolot-Token", secret);
    Ok(request.body(body.to_string()).send().await?.status().as_u16())
}

fn ideas() -> Value {
    let idea = |(id, text)| json!({"id": id, "text": text, "at": "2026-06-01T08:00:00Z", "by": id});
    json!({"ideas": IDEAS.map(idea)})
}

/// What `echolot source status --json` tells, by source.
async fn status(pipeline: &Pipeline) -> anyhow::Result<BTreeMap<String, SourceCoverage>> {
    let told = pipeline.tool(&["source", "status", "--json"]).await?;
    let sources = told.stdout.lines().map(|line| Ok(serde_json::from_str(line)?));
    let sources = sources.collect::<anyhow::Result<Vec<SourceCoverage>>>()?;
    let well = sources.iter().all(|source| source.state == CoverageState::Ok);
    ensure!(told.code == Some(i32::from(!well)), "{told:?}");
    Ok(sources.into_iter().map(|one| (one.source.to_string(), one)).collect())
}

#[derive(Debug, Deserialize)]
struct CoverageRow {
    source: String,
    state: String,
    accepted: u64,
    rejected: u64,
    gaps: u64,
    open: u64,
    why: String,
}

/// What analysts read of the same.
async fn stored_coverage(pipeline: &Pipeline) -> anyhow::Result<Vec<CoverageRow>> {
    let database = pipeline.database();
    let sql = format!(
        "SELECT c.source AS source, any(c.state) AS state, any(c.accepted) AS accepted, \
         any(c.rejected) AS rejected, countIf(g.source != '') AS gaps, \
         countIf(g.source != '' AND g.to_time IS NULL) AS open, max(g.why) AS why \
         FROM (SELECT * FROM {database}.source_coverage FINAL) AS c \
         LEFT JOIN (SELECT * FROM {database}.source_gaps FINAL) AS g ON g.source = c.source \
         GROUP BY source ORDER BY source"
    );
    pipeline.store.rows(&sql).await
}

/// Waits until the store tells of every source what the log does.
async fn until_covered(pipeline: &Pipeline) -> anyhow::Result<BTreeMap<String, SourceCoverage>> {
    eventually("store and log tell the same of each source", PATIENCE, || async {
        let told = status(pipeline).await?;
        let stored = stored_coverage(pipeline).await?;
        ensure!(told.len() == stored.len(), "{told:?} and {stored:?}");
        for row in &stored {
            let one = &told[&row.source];
            let open = one.gaps.iter().filter(|gap| gap.to.is_none()).count() as u64;
            let same = (one.state.as_str(), one.accepted, one.rejected)
                == (row.state.as_str(), row.accepted, row.rejected)
                && (one.gaps.len() as u64, open) == (row.gaps, row.open);
            let why = one.gaps.iter().map(|gap| gap.why.as_str()).max().unwrap_or_default();
            ensure!(same && why == row.why, "{one:?} and {row:?}");
        }
        Ok(Some(told))
    })
    .await
}

async fn until_raw(
    pipeline: &Pipeline,
    what: &str,
    enough: impl Fn(&BTreeMap<String, usize>) -> bool,
) -> anyhow::Result<()> {
    eventually(what, PATIENCE, || async {
        let seen = observed(pipeline).await?;
        ensure!(enough(&seen), "so far {seen:?}");
        Ok(Some(()))
    })
    .await
}

/// Waits until the log knows so many mentions, those that it only knows to be gone among them: then
/// every source has said what it has to say.
async fn until_known(pipeline: &Pipeline, mentions: usize) -> anyhow::Result<()> {
    eventually(&format!("{mentions} mentions are on the log"), PATIENCE, || async {
        let records = pipeline.log.records(topics::RAW).await?;
        let known: HashSet<_> = records.iter().filter_map(Record::mention).collect();
        ensure!(known.len() == mentions, "{} are", known.len());
        Ok(Some(()))
    })
    .await
}

/// Waits until the published view shows exactly so many.
async fn until_left(pipeline: &Pipeline, mentions: usize) -> anyhow::Result<()> {
    eventually(&format!("{mentions} mentions are left"), PATIENCE, || async {
        let shown = pipeline.shown().await?;
        ensure!(shown == mentions as u64, "{shown} are shown");
        Ok(Some(()))
    })
    .await
}

/// Ingest that follows `recordings`; each of its sources once in mid-stream.
async fn killed_in_mid_stream(pipeline: &Pipeline) -> anyhow::Result<Role> {
    let mut ingest = pipeline.role(RoleName::Ingest, &[]).await?;
    for least in [2, 8] {
        let some = |seen: &BTreeMap<String, usize>| {
            seen.get("bluesky").is_some_and(|posts| *posts >= least)
        };
        until_raw(pipeline, "some posts are on the log", some).await?;
        ingest.crash().await?;
    }
    Ok(ingest)
}

#[tokio::test]
async fn recorded_platforms_are_followed_to_a_clean_audit_with_deletions_purge_and_an_expired_token()
-> anyhow::Result<()> {
    let pipeline = pipeline("sources").await?;
    let samples = pipeline.folder().join("samples");
    // A server that hangs up after so many events, connection by connection.
    let hang_ups = vec![20, 1, 0, 33, 7, 90, 2];
    let pace = Duration::from_millis(15);
    let played = Recordings::start(Path::new(DATA), &samples, pace, hang_ups).await?;
    let config = played.config()
        + &format!(
            "[sources.brands]\nkind = \"jetstream\"\nversion = \"v1\"\nurl = \"ws://{}\"\n",
            played.stream.address()
        );
    let pipeline = pipeline.configured(&config)?;
    let _sink = pipeline.role(RoleName::Sink, &[]).await?;
    let _enrich = pipeline.role(RoleName::Enrich, &[]).await?;

    let mut count = BTreeMap::new();
    for (source, sample) in [
        ("bluesky", "bluesky"),
        ("fediverse", "fediverse"),
        ("members", "fediverse"),
        ("news", "news"),
    ] {
        count.insert(source, expected(&pipeline, source, &played.sample(sample)).await?);
    }
    assert_eq!(
        count,
        BTreeMap::from([("bluesky", 16), ("fediverse", 20), ("members", 20), ("news", 4)])
    );

    let mut ingest = killed_in_mid_stream(&pipeline).await?;
    assert_eq!(call(&pipeline, "a wrong secret", &ideas()).await?, 401);
    assert_eq!(call(&pipeline, HOOK_SECRET, &ideas()).await?, 202);
    pipeline.acknowledged("ideas", IDEAS.map(|(id, _)| id.to_owned()))?;
    let all = count.values().sum::<usize>() + IDEAS.len();
    // Both streams tell of one deletion of a post that nobody had seen.
    until_known(&pipeline, all + 2).await?;
    until_left(&pipeline, all).await?;
    let before = pipeline.assert_law().await?;
    assert_eq!((before.stored, before.deleted), (all, 0));
    let cursors = played.stream.cursors();
    assert!(cursors.len() > 7 && cursors.iter().flatten().count() > 4, "{cursors:?}");

    // Somebody takes a post back, an account is taken down, an idea is withdrawn.
    let posts = played.stream.posts();
    let (gone, _) = posts
        .iter()
        .find(|(did, _)| posts.iter().filter(|(other, _)| other == did).count() == 3)
        .context("nobody said three things")?;
    let (did, rkey) = posts.iter().find(|(did, _)| did != gone).context("one author alone")?;
    played.stream.delete(did, rkey);
    played.stream.take_down(gone);
    let withdrawn = json!({"ideas": [{"id": "i-2", "state": "deleted"}]});
    assert_eq!(call(&pipeline, HOOK_SECRET, &withdrawn).await?, 202);
    until_left(&pipeline, all - 5).await?;

    // A token is revoked: that source stands still, and the others go on.
    played.revoke_tokens();
    ingest.until_noted("members stands still: not authorised").await?;
    played.stream.say("did:plc:ada", "3mpnew", "Die Tramio kam heute pünktlich");
    let source = SourceName::new("brands")?;
    let native = "at://did:plc:ada/app.bsky.feed.post/3mpnew";
    pipeline.known.acknowledged_id(MentionId::derive(&source, native));
    pipeline.acknowledged("bluesky", [native.to_owned()])?;
    // The new post twice, and the filtered source's word of what was taken back.
    until_known(&pipeline, all + 5).await?;
    until_left(&pipeline, all - 3).await?;
    let after = pipeline.assert_law().await?;
    assert_eq!((after.stored, after.deleted), (all - 3, 5));

    // Everything is delivered once more, older states behind newer ones: what is gone stays gone.
    let records = pipeline.log.records(topics::RAW).await?;
    pipeline.log.repeat(topics::RAW, &records).await?;
    let again = pipeline.assert_law().await?;
    assert_eq!((again.stored, again.deleted), (all - 3, 5));
    for author in [gone.as_str(), did.as_str()] {
        let database = pipeline.database();
        let left = format!(
            "SELECT count() FROM {database}.mentions WHERE source = 'bluesky' \
             AND position(url, '{author}') > 0"
        );
        assert_eq!(pipeline.store.number(&left).await?, 0, "{author}");
    }

    let told = until_covered(&pipeline).await?;
    let names: Vec<&str> = told.keys().map(String::as_str).collect();
    assert_eq!(names, ["bluesky", "brands", "fediverse", "ideas", "members", "news"]);
    for (name, source) in &told {
        if name == "members" {
            assert_eq!(source.state, CoverageState::Stopped);
            let open: Vec<_> = source.gaps.iter().filter(|gap| gap.to.is_none()).collect();
            assert_eq!(open.len(), 1, "{source:?}");
            assert_eq!(open[0].why, GapReason::Unauthorised);
            assert!(
                source.detail.as_deref().is_some_and(|why| why.contains("token")),
                "{source:?}"
            );
        } else {
            assert_eq!(source.state, CoverageState::Ok, "{source:?}");
            assert!(source.gaps.is_empty() && source.detail.is_none(), "{source:?}");
        }
        assert_eq!(source.lost, 0);
    }
    // The second source keeps what a brand's query finds, and deletions.
    let kept = observed(&pipeline).await?;
    assert_eq!(kept["brands"], 2, "one post, and it was delivered twice");

    let shown = pipeline.tool(&["source", "status"]).await?;
    assert_eq!(shown.code, Some(1));
    assert!(shown.stdout.contains("members: not authorised"), "{}", shown.stdout);
    assert!(ingest.stop(PATIENCE).await?.status.success());
    pipeline.tool(&["audit"]).await?.well()?;
    Ok(())
}
