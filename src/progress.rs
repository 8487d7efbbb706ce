//! Progress to look at: bars with rate and time left, on a terminal only.

use std::time::Duration;

use anyhow::Context;
use echolot_pipeline::reader::{Extent, LogReader};
use echolot_schemas::topics::Topic;
use indicatif::{ProgressBar, ProgressStyle};

use crate::process::Process;

/// How often a backlog is looked up.
pub(crate) const LOOK: Duration = Duration::from_millis(200);

/// A bar over `total` of `unit`; drawn on a terminal, silent elsewhere.
pub(crate) fn bar(title: &str, total: u64, unit: Unit) -> ProgressBar {
    let template = match unit {
        Unit::Bytes => {
            "{prefix:>10} [{wide_bar}] {bytes}/{total_bytes} {bytes_per_sec} {eta} left {msg}"
        }
        Unit::Records => {
            "{prefix:>10} [{wide_bar}] {human_pos}/{human_len} {per_sec} {eta} left {msg}"
        }
    };
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    ProgressBar::new(total).with_style(style).with_prefix(title.to_owned())
}

/// What a bar counts.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    Bytes,
    Records,
}

/// What a group is to work off: a topic up to where it ended when the goal was set.
#[derive(Clone, Debug)]
pub(crate) struct Goal {
    topic: Topic,
    group: String,
    ends: Vec<Extent>,
}

impl Goal {
    /// The goal of `group` to settle all of `topic` up to `ends`.
    pub(crate) fn new(topic: Topic, group: impl Into<String>, ends: &[Extent]) -> Self {
        Self { topic, group: group.into(), ends: ends.to_vec() }
    }

    /// Whose goal it is.
    pub(crate) fn group(&self) -> &str {
        &self.group
    }

    /// Records still to be settled; `reader` must read for the goal's group.
    pub(crate) fn open(&self, reader: &LogReader) -> anyhow::Result<u64> {
        let committed = reader.committed(&self.topic)?;
        let open = self.ends.iter().zip(committed).map(|(extent, committed)| {
            let from = committed.unwrap_or(extent.low).max(extent.low);
            u64::try_from(extent.high - from).unwrap_or_default()
        });
        Ok(open.sum())
    }
}

/// Waits, with a bar, until a group has settled all that the topic holds now, or `process` is told
/// to stop.
pub(crate) async fn until_caught_up(
    process: &Process,
    topic: Topic,
    group: &str,
    title: &str,
) -> anyhow::Result<()> {
    let kafka = process.settings.kafka.clone();
    let (group, title) = (group.to_owned(), title.to_owned());
    let cancel = process.cancel.clone();
    let watch = move || -> anyhow::Result<()> {
        let reader = LogReader::connect(&kafka, &group)?;
        let goal = Goal::new(topic, group, &reader.extents(&topic)?);
        let total = goal.open(&reader)?;
        let bar = bar(&title, total, Unit::Records);
        loop {
            let open = goal.open(&reader)?;
            bar.set_position(total.saturating_sub(open));
            if open == 0 || cancel.is_cancelled() {
                break;
            }
            std::thread::sleep(LOOK);
        }
        bar.finish_and_clear();
        Ok(())
    };
    tokio::task::spawn_blocking(watch).await.context("the progress thread panicked")?
}
