//! Records that come twice, and partitions that change hands.

use std::time::Duration;

use echolot_harness::{Mode, Proxy, RoleName, posts};
use echolot_schemas::topics;

use crate::setup::{PATIENCE, pipeline, site};

#[tokio::test]
async fn records_delivered_twice_are_counted_once() -> anyhow::Result<()> {
    let pipeline = pipeline("twice").await?;
    let _roles = pipeline.start().await?;
    let posts: Vec<_> = (0..200).map(|number| posts::post("d", number)).collect();
    let push = pipeline.push()?;
    push.mentions(&posts).await?;
    let edits: Vec<_> = (0..40).map(|number| posts::edit("d", number)).collect();
    push.mentions(&edits).await?;
    push.mentions(&[posts::deletion("d-7")]).await?;
    let once = pipeline.assert_law().await?;
    assert_eq!((once.stored, once.deleted), (199, 1));

    // Older states come after newer ones, the deletion's mention after the deletion.
    for topic in [topics::ENRICHED, topics::RAW] {
        let records = pipeline.log.records(topic).await?;
        pipeline.log.repeat(topic, &records).await?;
        let twice = pipeline.assert_law().await?;
        assert_eq!((twice.stored, twice.deleted), (199, 1), "{} twice", topic.name);
    }
    Ok(())
}

#[tokio::test]
async fn partitions_that_change_hands_in_mid_batch_are_counted_once() -> anyhow::Result<()> {
    let pipeline = pipeline("rebalance")
        .await?
        .set("sink.worker.batch_rows=60")
        .set("sink.worker.linger=20ms");
    let (_ingest, _enrich) = tokio::try_join!(
        pipeline.role(RoleName::Ingest, &[]),
        pipeline.role(RoleName::Enrich, &[]),
    )?;
    // Answers come late, so that a batch is always at work when partitions are taken away.
    let proxy = Proxy::before(&site().await?.endpoints.url).await?;
    let late = [format!("clickhouse.url={}", proxy.url)];
    let mut first = pipeline.role(RoleName::Sink, &late).await?;
    proxy.set(Mode::Slow(Duration::from_millis(150)));

    let load = pipeline.load("r", 400)?;
    load.until_sent(400, PATIENCE).await?;
    let mut second = pipeline.role(RoleName::Sink, &[]).await?;
    load.until_sent(load.sent() + 400, PATIENCE).await?;
    first.kill().await?;
    load.until_sent(load.sent() + 400, PATIENCE).await?;
    first.restart().await?;
    first.until_ready().await?;
    assert!(second.stop(PATIENCE).await?.status.success());
    load.finish().await?;
    pipeline.assert_law().await?;
    Ok(())
}
