//! The outcome of an audit, for people and for programs.

use echolot_schemas::MentionId;
use echolot_sink::audit::{DifferingKey, Finding};
use serde::Serialize;

use super::{
    EXAMPLES,
    judge::{Judged, Lost},
};
use crate::tools;

/// The sums over all partitions, with examples of whatever is wrong.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// Raw events on the log.
    events: u64,
    /// Stored in the very state that the event says.
    stored: u64,
    /// A newer event about the same mention took their place.
    superseded: u64,
    /// About no brand, and not kept.
    unmatched: u64,
    /// On `mentions.dead`, with the reason.
    dead_lettered: u64,
    /// Deletions in effect, and what came after them.
    deleted: u64,
    /// Not worked off when the audit began to look.
    pending: u64,
    /// Neither stored nor accounted for.
    lost: u64,
    /// Mentions stored more than once.
    doubled: u64,
    /// Mentions that the store shows and no event explains.
    unexplained: u64,
    /// Counts that differ from a recount.
    aggregates_differ: u64,
    #[serde(skip_serializing_if = "Examples::is_empty")]
    examples: Examples,
}

#[derive(Debug, Default, Serialize)]
struct Examples {
    lost: Vec<Lost>,
    doubled: Vec<MentionId>,
    unexplained: Vec<MentionId>,
    aggregates_differ: Vec<String>,
}

impl Examples {
    fn is_empty(&self) -> bool {
        self.lines().next().is_none()
    }

    fn lines(&self) -> impl Iterator<Item = String> {
        let lost = self.lost.iter().map(|lost| {
            let mention = lost.mention.map(|id| format!(", mention {id}")).unwrap_or_default();
            format!("lost: mentions.raw/{}@{}{mention}: {}", lost.partition, lost.offset, lost.why)
        });
        let doubled = self.doubled.iter().map(|id| format!("doubled: mention {id}"));
        let unexplained = self.unexplained.iter().map(|id| format!("unexplained: mention {id}"));
        let differing = self.aggregates_differ.iter().map(|key| format!("differs: {key}"));
        lost.chain(doubled).chain(unexplained).chain(differing)
    }
}

/// Adds examples up to the most that are shown.
fn collect<T>(examples: &mut Vec<T>, more: impl IntoIterator<Item = T>) {
    let room = EXAMPLES.saturating_sub(examples.len());
    examples.extend(more.into_iter().take(room));
}

impl Report {
    /// A report of nothing yet, with so many records not worked off.
    pub(super) fn new(pending: u64) -> Self {
        Self { pending, ..Self::default() }
    }

    pub(super) fn add(&mut self, judged: Judged) {
        self.events += judged.events;
        self.stored += judged.stored;
        self.superseded += judged.superseded;
        self.unmatched += judged.unmatched;
        self.dead_lettered += judged.dead_lettered;
        self.deleted += judged.deleted;
        self.lost += judged.lost.len() as u64;
        self.unexplained += judged.unexplained.len() as u64;
        collect(&mut self.examples.lost, judged.lost);
        collect(&mut self.examples.unexplained, judged.unexplained);
    }

    pub(super) fn doubled(&mut self, found: &Finding<MentionId>) {
        self.doubled += found.count;
        collect(&mut self.examples.doubled, found.examples.iter().copied());
    }

    pub(super) fn differing(&mut self, found: &Finding<DifferingKey>) {
        self.aggregates_differ += found.count;
        collect(&mut self.examples.aggregates_differ, found.examples.iter().map(describe));
    }

    /// True when nothing is lost, doubled, unexplained, miscounted or still to come.
    pub(super) fn is_clean(&self) -> bool {
        self.faults().iter().all(|(_, count, _)| *count == 0)
    }

    fn faults(&self) -> [(&'static str, u64, &'static str); 5] {
        [
            ("pending", self.pending, "not worked off yet; are enrich and sink running?"),
            ("lost", self.lost, "neither stored nor accounted for"),
            ("doubled", self.doubled, "mentions stored more than once"),
            ("unexplained", self.unexplained, "stored, but not on the log"),
            ("aggregates_differ", self.aggregates_differ, "counts that differ from a recount"),
        ]
    }

    pub(super) fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    pub(super) fn to_table(&self) -> String {
        let mut table = tools::table(["", "", "what it means"]);
        for (name, count, meaning) in [
            ("events", self.events, "raw events on the log"),
            ("stored", self.stored, "stored in the state that the event says"),
            ("superseded", self.superseded, "a newer event of the same mention took their place"),
            ("unmatched", self.unmatched, "about no brand, and not kept"),
            ("dead_lettered", self.dead_lettered, "refused, kept with the reason"),
            ("deleted", self.deleted, "deletions in effect, and what came after them"),
        ]
        .into_iter()
        .chain(self.faults())
        {
            table.add_row([name.to_owned(), count.to_string(), meaning.to_owned()]);
        }
        let verdict = if self.is_clean() {
            "clean: every event is accounted for once, and every count equals a recount"
        } else {
            "NOT clean"
        };
        let mut lines = vec![table.to_string()];
        lines.extend(self.examples.lines());
        lines.push(verdict.to_owned());
        lines.join("\n")
    }
}

fn describe(key: &DifferingKey) -> String {
    format!(
        "bucket {}, brand {:?} of group {:?}{}, source {:?}, language {:?}, raw partition {}: \
         {} counted, {} recounted",
        key.bucket,
        key.brand,
        key.brand_group,
        if key.owned { ", owned" } else { "" },
        key.source,
        key.language,
        key.raw_partition,
        key.aggregated,
        key.recounted,
    )
}
