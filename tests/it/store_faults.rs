//! A store that refuses, is slow, or hides what it did.

use std::time::Duration;

use echolot_harness::{Mode, Pipeline, Proxy, Role, RoleName, posts};
use echolot_schemas::topics;

use crate::setup::{PATIENCE, pipeline, site};

/// A pipeline whose sink reaches the store through a proxy.
struct Bench {
    pipeline: Pipeline,
    proxy: Proxy,
    sink: Role,
    _others: (Role, Role),
}

impl Bench {
    async fn new(name: &str) -> anyhow::Result<Self> {
        let pipeline = pipeline(name).await?.set("clickhouse.timeout=1s");
        let proxy = Proxy::before(&site().await?.endpoints.url).await?;
        let through = [format!("clickhouse.url={}", proxy.url)];
        let (ingest, enrich, sink) = tokio::try_join!(
            pipeline.role(RoleName::Ingest, &[]),
            pipeline.role(RoleName::Enrich, &[]),
            pipeline.role(RoleName::Sink, &through),
        )?;
        Ok(Self { pipeline, proxy, sink, _others: (ingest, enrich) })
    }

    async fn push(&self, numbers: std::ops::Range<u64>) -> anyhow::Result<()> {
        let posts: Vec<_> = numbers.map(|number| posts::post("s", number)).collect();
        self.pipeline.push()?.mentions(&posts).await
    }

    /// While the store is in `mode` the sink says `why`; afterwards everything is there once.
    async fn survives(self, mode: Mode, why: &str) -> anyhow::Result<()> {
        self.push(0..200).await?;
        self.pipeline.until_shown(200).await?;
        self.proxy.set(mode);
        self.push(200..500).await?;
        self.sink.until_not_ready(why).await?;
        self.proxy.set(Mode::Pass);
        self.sink.until_ready().await?;
        let account = self.pipeline.assert_law().await?;
        assert_eq!(account.stored, 500);
        Ok(())
    }
}

#[tokio::test]
async fn a_store_that_refuses_connections_is_waited_for() -> anyhow::Result<()> {
    Bench::new("refusing").await?.survives(Mode::Refuse, "cannot be reached").await
}

#[tokio::test]
async fn a_store_that_answers_too_late_is_asked_again() -> anyhow::Result<()> {
    let slow = Mode::Slow(Duration::from_millis(1500));
    Bench::new("slow").await?.survives(slow, "did not finish").await
}

#[tokio::test]
async fn an_insert_that_took_effect_unknown_to_the_sink_is_counted_once() -> anyhow::Result<()> {
    let bench = Bench::new("unanswered").await?;
    bench.push(0..10).await?;
    bench.pipeline.assert_law().await?;
    let committed = async || bench.pipeline.log.committed(topics::ENRICHED, "sink-g1").await;
    let before = committed().await?;

    bench.proxy.set(Mode::DropInsertAnswers);
    bench.push(10..300).await?;
    bench.proxy.until_dropped(1, PATIENCE).await?;
    // Rows are in the store, yet the sink has no answer and commits nothing.
    let generation = bench.pipeline.generation().await?;
    let rows = format!("SELECT count() FROM {generation}.mentions");
    assert!(bench.pipeline.store.number(&rows).await? > 10);
    assert_eq!(committed().await?, before);
    bench.proxy.until_dropped(4, PATIENCE).await?;
    bench.proxy.set(Mode::Pass);
    let account = bench.pipeline.assert_law().await?;
    assert_eq!(account.stored, 300);
    Ok(())
}
