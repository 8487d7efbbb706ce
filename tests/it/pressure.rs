//! More than fits, and being told to stop in the middle of it.

use std::time::Duration;

use echolot_harness::{RoleName, posts};

use crate::setup::{PATIENCE, pipeline};

/// A role that is told to stop ends within this time.
const STOP: Duration = Duration::from_secs(10);

#[tokio::test]
async fn roles_told_to_stop_under_load_bring_home_what_they_hold() -> anyhow::Result<()> {
    let pipeline = pipeline("stop").await?;
    let mut roles = pipeline.start().await?;
    let load = pipeline.load("g", 400)?;
    for name in RoleName::ALL {
        load.until_sent(load.sent() + 300, PATIENCE).await?;
        let role = roles.get(name)?;
        let stopped = role.stop(STOP).await?;
        assert!(stopped.status.success(), "{name}: {stopped:?}\n{}", role.log().join("\n"));
        role.restart().await?;
        role.until_ready().await?;
    }
    load.finish().await?;
    pipeline.assert_law().await?;
    Ok(())
}

#[tokio::test]
async fn requests_past_the_limit_are_told_to_come_again_and_lose_nothing() -> anyhow::Result<()> {
    let pipeline = pipeline("busy").await?.set("ingest.push.requests_in_flight=1");
    let _roles = pipeline.start().await?;
    let push = pipeline.push()?;
    let posts = |from: u64| (from..from + 100).map(|number| posts::post("h", number));
    let requests = (0..30).map(|request| {
        let (push, posts) = (push.clone(), posts(request * 100).collect::<Vec<_>>());
        async move {
            let answer = push.send("application/x-ndjson", posts::lines(&posts)?).await?;
            if answer.status == 429 {
                assert_eq!(answer.retry_after.as_deref(), Some("1"));
            }
            push.mentions(&posts).await?;
            anyhow::Ok(answer.status)
        }
    });
    let statuses = futures::future::try_join_all(requests).await?;
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert!(count(429) > 0 && count(202) > 0, "{statuses:?}");
    assert_eq!(count(429) + count(202), statuses.len(), "{statuses:?}");
    assert_eq!(pipeline.assert_law().await?.stored, 3000);
    Ok(())
}
