//! Engines that are killed, and one whose disk is full.

use echolot_engines::{ClickHouseOptions, EngineKind, EngineOptions};
use echolot_harness::{Endpoints, Engines, Pipeline, engines, posts};

use crate::setup::{ECHOLOT, PATIENCE, home, on};

/// Kills an engine twice under load.
async fn killed_under_load(engine: EngineKind, name: &str) -> anyhow::Result<()> {
    let own = Engines::start(&home(name)?, engines::options(ECHOLOT.as_ref())).await?;
    let site = on(Endpoints::of(own.endpoints(), own.endpoints())?);
    let pipeline = Pipeline::new(&site, name)?.set("kafka.session_timeout=2s");
    let roles = pipeline.start().await?;
    let load = pipeline.load("e", 400)?;
    for posts in [300, 700] {
        load.until_sent(posts, PATIENCE).await?;
        own.crash(engine).await?;
        load.until_sent(load.sent() + 200, PATIENCE).await?;
    }
    load.finish().await?;
    pipeline.assert_law().await?;
    for role in [&roles.ingest, &roles.enrich, &roles.sink] {
        role.until_ready().await?;
    }
    drop(roles);
    own.stop().await;
    Ok(())
}

#[tokio::test]
async fn killing_clickhouse_under_load_loses_and_doubles_nothing() -> anyhow::Result<()> {
    killed_under_load(EngineKind::ClickHouse, "kill_clickhouse").await
}

#[tokio::test]
async fn killing_kafka_under_load_loses_and_doubles_nothing() -> anyhow::Result<()> {
    killed_under_load(EngineKind::Kafka, "kill_kafka").await
}

#[tokio::test]
async fn a_full_disk_of_the_store_is_waited_out() -> anyhow::Result<()> {
    let options = engines::options(ECHOLOT.as_ref());
    let kafka = EngineOptions { clickhouse: None, ..options.clone() };
    let roomy = EngineOptions { kafka: None, ..options };
    // More than any disk has: everything that takes space is refused.
    let keep_free_bytes = 1 << 60;
    let full = ClickHouseOptions { keep_free_bytes, ..ClickHouseOptions::default() };
    let full = EngineOptions { clickhouse: Some(full), ..roomy.clone() };

    let log = Engines::start(&home("full_disk_log")?, kafka).await?;
    let store = Engines::start(&home("full_disk_store")?, roomy.clone()).await?;
    let site = on(Endpoints::of(log.endpoints(), store.endpoints())?);
    let pipeline = Pipeline::new(&site, "full_disk")?.set("kafka.session_timeout=2s");
    let roles = pipeline.start().await?;
    let push = pipeline.push()?;
    let posts: Vec<_> = (0..400).map(|number| posts::post("f", number)).collect();
    push.mentions(&posts[..200]).await?;
    pipeline.until_shown(200).await?;

    let store = store.restart_with(full).await?;
    push.mentions(&posts[200..]).await?;
    roles.sink.until_not_ready("free some disk space").await?;
    assert_eq!(pipeline.shown().await?, 200);
    assert!(pipeline.dead_letters().await?.is_empty(), "no mention is at fault");

    let store = store.restart_with(roomy).await?;
    roles.sink.until_ready().await?;
    assert_eq!(pipeline.assert_law().await?.stored, 400);
    drop(roles);
    store.stop().await;
    log.stop().await;
    Ok(())
}
