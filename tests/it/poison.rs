//! Records that no stage can make anything of.

use std::fs;

use echolot_harness::{Pipeline, log, pipeline::Letter, posts};
use echolot_schemas::{EventType, MentionId, SourceName, codec, mention::Engagement, topics};

use crate::setup::{PATIENCE, pipeline};

/// Puts bytes under the key of a mention onto the raw topic.
async fn poison(
    pipeline: &Pipeline,
    native_id: &str,
    payload: &[u8],
    headers: &[(String, Vec<u8>)],
) -> anyhow::Result<()> {
    let id = MentionId::derive(&SourceName::new("forum")?, native_id);
    let key = id.to_string();
    pipeline.log.put(&topics::RAW, Some(0), Some(key.as_bytes()), payload, headers).await?;
    pipeline.known.acknowledged_id(id);
    Ok(())
}

fn observed() -> Vec<(String, Vec<u8>)> {
    log::headers(EventType::MentionObserved)
}

/// As [`observed`], by a release that is not out yet.
fn of_the_future() -> Vec<(String, Vec<u8>)> {
    let mut headers = observed();
    for (name, value) in &mut headers {
        if name == codec::header::DATA_SCHEMA {
            *value = b"urn:echolot:mention.observed:v99".to_vec();
        }
    }
    headers
}

/// The only letter of that stage and reason.
fn only<'a>(letters: &'a [Letter], stage: &str, reason: &str) -> &'a Letter {
    let mut found = letters.iter().filter(|l| l.stage == stage && l.reason == reason);
    match (found.next(), found.next()) {
        (Some(letter), None) => letter,
        _ => panic!("not one {reason} of {stage}: {letters:#?}"),
    }
}

#[tokio::test]
async fn poison_at_every_stage_becomes_a_dead_letter_that_can_be_put_back() -> anyhow::Result<()> {
    let pipeline = pipeline("poison").await?;
    let _roles = pipeline.start().await?;
    let push = pipeline.push()?;
    let posts: Vec<_> = (0..50).map(|number| posts::post("p", number)).collect();

    // Ingest: a line of a file that is no JSON.
    let file = pipeline.folder().join("bad.ndjson");
    let mut lines = posts::lines(&[posts::post("file", 1)])?;
    lines.extend_from_slice(b"{\"id\": \"broken\", \"text\n");
    fs::write(&file, lines)?;
    let told = pipeline.backfill(&[&file.display().to_string()]).await?;
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.stdout.contains("1 accepted, 1 rejected"), "{told:?}");
    pipeline.acknowledged("files", ["file-1".to_owned()])?;
    // Enrich: no JSON, a schema of tomorrow, and nothing that a mention could be.
    push.mentions(&posts[..25]).await?;
    poison(&pipeline, "torn", b"{\"observed_at\":", &observed()).await?;
    poison(&pipeline, "tomorrow", b"{}", &of_the_future()).await?;
    pipeline.log.put(&topics::RAW, Some(1), Some(b"?"), b"\xff\x00noise", &[]).await?;
    // Sink: no JSON, and a row that the table refuses.
    let enriched = log::headers(EventType::MentionEnriched);
    pipeline.log.put(&topics::ENRICHED, Some(0), Some(b"?"), b"[]", &enriched).await?;
    let mut refused = posts::post("p", 50);
    refused.engagement = Some(Engagement { likes: Some(u64::MAX), ..Engagement::default() });
    push.mentions(&[refused]).await?;
    push.mentions(&posts[25..]).await?;

    let account = pipeline.assert_law().await?;
    assert_eq!((account.stored, account.dead_lettered), (51, 3));
    assert_eq!(account.audit.dead_lettered, 4, "the one that names no mention as well");
    let letters = pipeline.dead_letters().await?;
    assert_eq!(letters.len(), 6, "{letters:#?}");
    assert!(only(&letters, "ingest", "malformed").origin.is_none());
    assert!(only(&letters, "enrich", "unknown_schema").detail.contains("v99"));
    let torn = letters.iter().find(|l| l.stage == "enrich" && l.detail.contains("payload"));
    let torn = torn.unwrap_or_else(|| panic!("{letters:#?}")).number;
    assert!(
        only(&letters, "sink", "malformed")
            .origin
            .as_deref()
            .is_some_and(|origin| { origin.starts_with("mentions.enriched/0@") })
    );
    let refused = only(&letters, "sink", "refused_by_store");
    assert!(refused.detail.contains("engagement_adds_up"), "{refused:?}");
    let shown = pipeline.tool(&["dead-letters", "show", &torn.to_string()]).await?.well()?;
    assert!(shown.contains("{\"observed_at\":") && shown.contains("mention.observed"), "{shown}");

    // The table is mended, so the refused one goes through; the torn one is as torn as before.
    let generation = pipeline.generation().await?;
    let mend = format!("ALTER TABLE {generation}.mentions DROP CONSTRAINT engagement_adds_up");
    pipeline.store.execute(&mend).await?;
    pipeline.retry(&[torn, refused.number]).await?;
    pipeline.until_dead(7).await?;
    let account = pipeline.assert_law().await?;
    assert_eq!((account.stored, account.dead_lettered), (52, 2));
    Ok(())
}

#[tokio::test]
async fn a_flood_of_poison_stops_the_role_and_discards_nothing() -> anyhow::Result<()> {
    let mut pipeline = pipeline("flood").await?.set("enrich.worker.poison_run=20");
    let mut roles = pipeline.start().await?;
    let push = pipeline.push()?;
    let posts: Vec<_> = (0..100).map(|number| posts::post("f", number)).collect();
    push.mentions(&posts[..50]).await?;
    pipeline.assert_law().await?;

    for number in 0..100 {
        poison(&pipeline, &format!("noise-{number}"), b"noise", &observed()).await?;
    }
    push.mentions(&posts[50..]).await?;
    let status = roles.enrich.until_ended(PATIENCE).await?;
    assert_eq!(status.code(), Some(2));
    roles.enrich.until_said("nothing was discarded").await?;
    let dead = pipeline.dead_letters().await?.len();
    assert!(dead < 20, "{dead} dead letters, though the role was to stop before the 20th");

    // The operator decides that it is the records after all.
    pipeline.change("enrich.worker.poison_run=1000");
    roles.enrich = pipeline.role(roles.enrich.name(), &[]).await?;
    let account = pipeline.assert_law().await?;
    assert_eq!((account.stored, account.dead_lettered), (100, 100));
    Ok(())
}
