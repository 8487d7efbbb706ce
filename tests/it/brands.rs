//! Brand files that change while everything runs, and history that follows them.

use std::fs;

use echolot_harness::{Pipeline, posts, push::Push};
use echolot_schemas::{Timestamp, submission::Submission};

use crate::setup::pipeline;

fn define(pipeline: &Pipeline, file: &str) -> anyhow::Result<()> {
    Ok(fs::write(pipeline.folder().join("brands.toml"), file)?)
}

/// What the store counts of a brand.
async fn counted(pipeline: &Pipeline, brand: &str) -> anyhow::Result<u64> {
    let sql = format!(
        "SELECT sum(mentions) FROM {}.sentiment_by_day WHERE brand = '{brand}'",
        pipeline.database()
    );
    pipeline.store.number(&sql).await
}

fn said(id: &str, author: &str, text: &str) -> Submission {
    let said = posts::said(id, text, Timestamp::from_millis(posts::JUNE));
    Submission { author: Some(author.to_owned()), ..said }
}

#[tokio::test]
async fn a_changed_query_applies_to_history_by_replay_and_what_was_deleted_stays_so()
-> anyhow::Result<()> {
    let pipeline = pipeline("rematch").await?;
    let roles = pipeline.start().await?;
    let push = pipeline.push()?;
    let posts: Vec<_> = (0..40).map(|number| posts::post("r", number)).collect();
    push.mentions(&posts).await?;
    push.mentions(&[posts::deletion("r-6"), posts::edit("r", 1)]).await?;
    let own = said("own", "Tramio_Info", "Guten Morgen, wie können wir helfen?");
    let both = said("both", "ada", "Tramio ist super, aber Nordwerk ist furchtbar und nervt nur.");
    push.mentions(&[own, both]).await?;
    pipeline.until_shown(41).await?;
    pipeline.assert_law().await?;
    let tramio = counted(&pipeline, "tramio").await?;
    assert!(tramio > 0 && counted(&pipeline, "salat").await? == 0);

    // Another query, another brand, an account of its own.
    define(
        &pipeline,
        r#"
        [[brand]]
        name = "tramio"
        group = "Nahverkehr"
        query = "tramio -nordwerk"
        owned_accounts = ["@Tramio_Info"]
        [[brand]]
        name = "salat"
        query = "salat"
        "#,
    )?;
    let told = pipeline.tool(&["replay"]).await?.well()?;
    assert!(told.contains("generation 2: promoted"), "{told}");
    let replayed = pipeline.assert_law().await?;
    assert_eq!((replayed.stored, replayed.deleted), (41, 1));
    let database = pipeline.database();
    let by_text = |brand: &str| {
        format!(
            "SELECT count() FROM {database}.mentions WHERE positionCaseInsensitive(text, '{brand}') > 0"
        )
    };
    let salads = pipeline.store.number(&by_text("salat")).await?;
    assert!(salads > 0);
    assert_eq!(counted(&pipeline, "salat").await?, salads);
    assert_eq!(counted(&pipeline, "nordwerk").await?, 0);
    assert!(counted(&pipeline, "tramio").await? < tramio);
    let owned = format!(
        "SELECT count() FROM {database}.mentions_by_brand WHERE owned AND brand = 'tramio' \
         AND brand_group = 'Nahverkehr'"
    );
    assert_eq!(pipeline.store.number(&owned).await?, 1);
    let voice =
        format!("SELECT sum(mentions) FROM {database}.share_of_voice WHERE brand = 'tramio'");
    assert_eq!(pipeline.store.number(&voice).await? + 1, counted(&pipeline, "tramio").await?);

    // What comes next goes on in the new generation; what was deleted does not come back.
    roles.sink.until_said("another generation was promoted").await?;
    push.mentions(&[posts::post("r", 6), posts::post("r", 41)]).await?;
    pipeline.until_shown(42).await?;
    let after = pipeline.assert_law().await?;
    assert_eq!((after.stored, after.deleted), (42, 1));
    Ok(())
}

#[tokio::test]
async fn a_generation_without_unmatched_mentions_is_proven_after_a_replay_too() -> anyhow::Result<()>
{
    let pipeline = pipeline("rematch_less").await?.set("enrich.keep_unmatched=false");
    let _roles = pipeline.start().await?;
    let posts: Vec<_> = (0..24).map(|number| posts::post("l", number)).collect();
    pipeline.push()?.mentions(&posts).await?;
    let before = pipeline.assert_law().await?;
    assert!(before.unmatched > 0, "{before}");
    define(&pipeline, "name = \"salat\"\nquery = \"salat\"")?;
    pipeline.tool(&["replay"]).await?.well()?;
    let shown = pipeline.shown().await?;
    assert_eq!(shown, counted(&pipeline, "salat").await?);
    assert!(shown > 0 && shown < before.stored as u64);
    let told = pipeline.tool(&["audit", "--json"]).await?.well()?;
    assert!(told.contains(&format!("\"unmatched\":{}", 24 - shown)), "{told}");

    // The other way keeps what was found in its day.
    pipeline.tool(&["replay", "--keep-scores"]).await?.well()?;
    assert_eq!(pipeline.shown().await?, before.stored as u64);
    pipeline.assert_law().await?;
    Ok(())
}

#[tokio::test]
async fn two_brands_in_one_text_are_counted_by_what_is_said_of_each() -> anyhow::Result<()> {
    let pipeline = pipeline("praise_and_blame").await?;
    let _roles = pipeline.start().await?;
    let both = said("both", "ada", "Tramio ist super, aber Nordwerk ist furchtbar und nervt nur.");
    pipeline.push()?.mentions(&[both]).await?;
    pipeline.until_shown(1).await?;
    pipeline.assert_law().await?;
    let database = pipeline.database();
    for (brand, polarity) in [("tramio", "positive"), ("nordwerk", "negative")] {
        let sql = format!(
            "SELECT sum({polarity}) FROM {database}.sentiment_by_day WHERE brand = '{brand}'"
        );
        assert_eq!(pipeline.store.number(&sql).await?, 1, "{brand} is {polarity}");
    }
    Ok(())
}

async fn pushed(push: &Push, id: &str, text: &str) -> anyhow::Result<serde_json::Value> {
    let body = posts::lines(&[said(id, "ada", text)])?;
    Ok(push.send("application/x-ndjson", body).await?.body)
}

#[tokio::test]
async fn ingest_keeps_matches_only_follows_the_files_and_survives_a_broken_one()
-> anyhow::Result<()> {
    let pipeline = pipeline("filter").await?.set("ingest.push.senders.forum.keep=matches");
    let roles = pipeline.start().await?;
    let push = pipeline.push()?;
    assert_eq!(pushed(&push, "f-1", "Der Salat war gut").await?["filtered"], 1);
    push.mentions(&[said("f-2", "ada", "Die Tramio war gut")]).await?;

    // A broken file: both roles go on with the last good one, and say so.
    define(&pipeline, "name = \"salat\"\nquery = \"salat AND (\"")?;
    roles.ingest.until_noted("brand files cannot be used").await?;
    roles.enrich.until_noted("brand files cannot be used").await?;
    roles.ingest.until_said("the last good version goes on").await?;
    assert_eq!(pushed(&push, "f-3", "Der Salat war gut").await?["filtered"], 1);
    push.mentions(&[said("f-4", "ada", "Die Tramio fiel aus")]).await?;

    define(&pipeline, "name = \"salat\"\nquery = \"salat\"")?;
    for role in [&roles.ingest, &roles.enrich] {
        role.until_said("brands reloaded").await?;
        role.until_ready().await?;
    }
    assert_eq!(pushed(&push, "f-5", "Die Tramio war gut").await?["filtered"], 1);
    push.mentions(&[said("f-6", "ada", "Der Salat war gut")]).await?;
    let account = pipeline.assert_law().await?;
    assert_eq!((account.acknowledged, account.stored), (3, 3));
    assert_eq!(account.audit.events, 3, "what was filtered is not on the log");
    assert_eq!(counted(&pipeline, "tramio").await?, 2);
    assert_eq!(counted(&pipeline, "salat").await?, 1);
    Ok(())
}
