//! `kill -9` of a role at a random moment under load.

use std::time::Duration;

use echolot_harness::{RoleName, torture::Torture};

use crate::setup::{self, pipeline};

/// How long a killed role may take until it is ready again.
const RECOVERY: Duration = Duration::from_secs(10);

async fn killed_twice_under_load(name: &str, role: RoleName) -> anyhow::Result<()> {
    let pipeline = pipeline(name).await?;
    let mut roles = pipeline.start().await?;
    let load = pipeline.load("k", 400)?;
    for posts in [300, 900] {
        load.until_sent(posts, Duration::from_mins(1)).await?;
        let took = roles.get(role)?.crash().await?;
        assert!(took < RECOVERY, "{role} was ready again after {took:?}");
    }
    load.until_sent(load.sent() + 200, Duration::from_mins(1)).await?;
    load.finish().await?;
    pipeline.assert_law().await?;
    Ok(())
}

#[tokio::test]
async fn killing_ingest_under_load_loses_and_doubles_nothing() -> anyhow::Result<()> {
    killed_twice_under_load("kill_ingest", RoleName::Ingest).await
}

#[tokio::test]
async fn killing_enrich_under_load_loses_and_doubles_nothing() -> anyhow::Result<()> {
    killed_twice_under_load("kill_enrich", RoleName::Enrich).await
}

#[tokio::test]
async fn killing_sink_under_load_loses_and_doubles_nothing() -> anyhow::Result<()> {
    killed_twice_under_load("kill_sink", RoleName::Sink).await
}

/// The short form of `make torture KILLS=100`.
#[tokio::test]
async fn roles_killed_at_random_moments_lose_and_double_nothing() -> anyhow::Result<()> {
    let torture = Torture {
        echolot: setup::ECHOLOT.into(),
        folder: setup::folder(),
        kills: 6,
        per_second: 400,
        seed: echolot_harness::torture::any_seed(),
        options: vec!["kafka.session_timeout=2s".to_owned()],
    };
    let outcome = torture.on(&setup::site().await?, |_, _| {}).await?;
    assert!(outcome.account.holds(), "seed {}: {outcome}", torture.seed);
    Ok(())
}
