//! Waiting for something that nobody announces.

use std::time::{Duration, Instant};

use anyhow::bail;

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Looks until `condition` gives a value; an error naming `what` when it does not within `within`.
pub async fn eventually<T, F>(
    what: &str,
    within: Duration,
    mut condition: impl FnMut() -> F,
) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<Option<T>>>,
{
    let deadline = Instant::now() + within;
    loop {
        let last = condition().await;
        match last {
            Ok(Some(value)) => return Ok(value),
            Ok(None) if Instant::now() >= deadline => bail!("not within {within:?}: {what}"),
            Err(error) if Instant::now() >= deadline => {
                return Err(error.context(format!("not within {within:?}: {what}")));
            }
            Ok(None) | Err(_) => tokio::time::sleep(LOOK).await,
        }
    }
}
