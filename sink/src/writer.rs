//! The stage: stores batches, then recomputes the buckets they touched.
//!
//! Storing costs by the row, recomputing by the bucket, however few of its rows are new. So `judge`
//! stores, and `complete` recomputes: at once while the log is followed live, once for many batches
//! while there is a backlog.
//!
//! After every await the process may die. Offsets are committed only after `complete` returned, so
//! the batches come again, to this process or to another one, perhaps cut differently. Each step
//! below says why that leaves nothing lost and nothing counted twice.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    time::{Duration, Instant},
};

use clickhouse::Row;
use echolot_pipeline::{
    clock::Clock,
    stage::{Fault, Item, Stage, Verdict},
};
use echolot_schemas::{EnrichedEvent, Timestamp};
use serde::{Deserialize, Serialize};

use echolot_store::{Action, Store, StoreError};

use crate::{
    aggregates::{self, Versioned},
    bucket::Bucket,
    fold::{self, History, Outcome},
    lookup::{self, LookedUp},
    metrics::{Phase, SinkMetrics},
    noise::{NoiseColumns, RecentTexts},
    row::MentionRow,
    settings::SinkSettings,
    sightings::{KEY_SQL, Sightings},
    versions::Versions,
};

/// Writes one generation: the last stage of the pipeline.
pub struct Writer {
    store: Store,
    /// The generation's database.
    database: String,
    settings: SinkSettings,
    metrics: SinkMetrics,
    clock: Clock,
    owned: HashSet<i32>,
    sightings: Sightings,
    versions: Versions,
    open: Open,
    recent: RecentTexts,
    notes_unmatched: bool,
}

/// What was stored and is not counted yet.
#[derive(Debug, Default)]
struct Open {
    buckets: BTreeSet<Bucket>,
    /// The last raw offset seen, by raw partition.
    last_offsets: BTreeMap<u16, u64>,
    /// When each stored state was accepted by ingest.
    observed: Vec<Timestamp>,
}

impl Open {
    fn add(&mut self, batch: &[Item<EnrichedEvent>], outcome: &Outcome) {
        self.buckets.extend(&outcome.buckets);
        self.observed
            .extend(outcome.changes.iter().map(|change| batch[change.item].event.observed_at()));
        for (item, verdict) in batch.iter().zip(&outcome.verdicts) {
            let raw = item.event.raw();
            if !matches!(verdict, Verdict::Reject(_))
                && let (Ok(partition), Ok(offset)) =
                    (u16::try_from(raw.partition), u64::try_from(raw.offset))
            {
                let last = self.last_offsets.entry(partition).or_default();
                *last = offset.max(*last);
            }
        }
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("database", &self.database)
            .field("owned", &self.owned)
            .finish_non_exhaustive()
    }
}

#[derive(Row, Deserialize)]
struct Count {
    rows: u64,
}

#[derive(Row, Deserialize)]
struct Key {
    key: u64,
}

#[derive(Row, Serialize)]
struct UnmatchedRow {
    raw_partition: u16,
    raw_offset: u64,
}

#[derive(Row, Deserialize)]
struct LastVersion {
    raw_partition: u16,
    version: u64,
}

impl Writer {
    /// A writer into `generation`, whose tables must exist. It owns no partition yet.
    pub fn new(
        store: Store,
        generation: u32,
        settings: &SinkSettings,
        metrics: SinkMetrics,
        clock: Clock,
    ) -> Self {
        let database = store.database(generation);
        let sightings = Sightings::new(0, settings.sightings_memory);
        Self {
            store,
            database,
            settings: settings.clone(),
            metrics,
            clock,
            owned: HashSet::new(),
            sightings,
            versions: Versions::default(),
            open: Open::default(),
            recent: RecentTexts::empty(),
            notes_unmatched: false,
        }
    }

    /// A writer that also notes which raw events are about no brand, for a generation that is not
    /// filled from `mentions.enriched`: nothing else would tell the audit.
    #[must_use]
    pub fn noting_unmatched(self) -> Self {
        Self { notes_unmatched: true, ..self }
    }

    async fn note_unmatched(&self, batch: &[Item<EnrichedEvent>]) -> Result<(), StoreError> {
        let mut notes = batch.iter().filter_map(|item| match &item.event {
            EnrichedEvent::Unmatched(retracted) => Some(UnmatchedRow {
                raw_partition: u16::try_from(retracted.raw.partition).ok()?,
                raw_offset: u64::try_from(retracted.raw.offset).ok()?,
            }),
            EnrichedEvent::Enriched(_) | EnrichedEvent::Erased(_) => None,
        });
        let Some(first) = notes.next().filter(|_| self.notes_unmatched) else { return Ok(()) };
        let table = format!("{}.unmatched", self.database);
        let rows = std::iter::once(first).chain(notes);
        self.store.insert::<UnmatchedRow>(Action::Insert, &table, rows).await
    }

    /// Everything remembered is read again: while a partition was another's, the other wrote.
    async fn load(&mut self, partitions: &[i32]) -> Result<(), StoreError> {
        let list = partitions.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let database = &self.database;
        let filter = format!("raw_partition IN ({list})");
        let counted = self
            .store
            .fetch::<Count>(
                Action::Load,
                &format!("SELECT count() AS rows FROM {database}.mentions WHERE {filter}"),
            )
            .await?;
        let expected = counted.first().map_or(0, |count| count.rows);
        let expected = usize::try_from(expected).unwrap_or(usize::MAX);
        let mut sightings = Sightings::new(expected, self.settings.sightings_memory);
        let mut keys = self.store.stream::<Key>(
            Action::Load,
            &format!("SELECT {KEY_SQL} AS key FROM {database}.mentions WHERE {filter}"),
        )?;
        while let Some(Key { key }) = keys.next().await? {
            sightings.insert_key(key);
        }
        let versions = self
            .store
            .fetch::<LastVersion>(
                Action::Load,
                &format!(
                    "SELECT raw_partition, max(version) AS version FROM {database}.sentiment_10s \
                     WHERE {filter} GROUP BY raw_partition"
                ),
            )
            .await?;
        self.versions =
            Versions::new(versions.into_iter().map(|row| (row.raw_partition, row.version)));
        self.sightings = sightings;
        self.recent = RecentTexts::load(&self.store, database).await?;
        Ok(())
    }

    async fn look_up(&self, batch: &[Item<EnrichedEvent>]) -> Result<LookedUp, StoreError> {
        let started = Instant::now();
        let found = lookup::look_up(&self.store, &self.database, &self.sightings, batch).await?;
        self.metrics.took(Phase::LookUp, started.elapsed());
        self.metrics.looked_up(found.history.len(), found.misses);
        Ok(found)
    }

    async fn insert(
        &mut self,
        batch: &[Item<EnrichedEvent>],
        outcome: &Outcome,
        history: &History,
    ) -> Result<(), StoreError> {
        if outcome.changes.is_empty() {
            return Ok(());
        }
        let started = Instant::now();
        for change in &outcome.changes {
            // Before they are sent: an insert that seems to have failed may still land, and the
            // retry has to find its rows.
            self.sightings.insert(batch[change.item].event.mention_id());
        }
        let recent = &mut self.recent;
        let rows = outcome.changes.iter().filter_map(|change| {
            let event = &batch[change.item].event;
            let noise = match event {
                EnrichedEvent::Enriched(enriched) => {
                    recent.judge(enriched, history.contains_key(&enriched.mention.id))
                }
                EnrichedEvent::Unmatched(_) | EnrichedEvent::Erased(_) => NoiseColumns::default(),
            };
            MentionRow::of(event, change, noise)
        });
        let table = format!("{}.mentions", self.database);
        self.store.insert::<MentionRow<'_>>(Action::Insert, &table, rows).await?;
        self.metrics.took(Phase::Insert, started.elapsed());
        self.metrics.rows.inc_by(outcome.changes.len() as u64);
        self.metrics.sightings.set(i64::try_from(self.sightings.memory()).unwrap_or(i64::MAX));
        Ok(())
    }

    async fn recompute(&mut self) -> Result<(), StoreError> {
        if self.open.buckets.is_empty() {
            return Ok(());
        }
        let started = Instant::now();
        let partitions: Vec<Versioned> = self
            .open
            .last_offsets
            .iter()
            .map(|(&partition, &offset)| Versioned {
                partition,
                version: self.versions.next(partition, offset),
            })
            .collect();
        let buckets: Vec<_> = self.open.buckets.iter().copied().collect();
        aggregates::recompute(&self.store, &self.database, &partitions, &buckets).await?;
        self.metrics.took(Phase::Recompute, started.elapsed());
        self.metrics.buckets.inc_by(buckets.len() as u64);
        Ok(())
    }

    fn note_freshness(&self) {
        let now = self.clock.now();
        for observed_at in &self.open.observed {
            self.metrics.freshness.observe(now.seconds_since(*observed_at).max(0.0));
        }
    }
}

impl Stage for Writer {
    type Input = EnrichedEvent;
    type Output = ();

    fn name(&self) -> &'static str {
        "sink"
    }

    async fn assigned(&mut self, partitions: &[i32]) -> Result<(), Fault> {
        self.owned.clear();
        // What was not counted was not settled either, so whoever owns it now gets it again.
        self.open = Open::default();
        if partitions.is_empty() {
            return Ok(());
        }
        let started = Instant::now();
        self.load(partitions).await?;
        self.owned = partitions.iter().copied().collect();
        tracing::info!(
            partitions = partitions.len(),
            sightings_bytes = self.sightings.memory(),
            seconds = started.elapsed().as_secs_f64(),
            "known mentions loaded"
        );
        Ok(())
    }

    async fn judge(&mut self, batch: &[Item<EnrichedEvent>]) -> Result<Vec<Verdict<()>>, Fault> {
        if let Some(item) = batch.iter().find(|item| !self.owned.contains(&item.position.partition))
        {
            // Its mentions are not among the sightings, so they could be stored twice.
            return Err(Fault::Fatal(format!(
                "partition {} was handed to the sink without being assigned; this is a defect",
                item.position.partition
            )));
        }
        // Dying here: nothing was written.
        let found = self.look_up(batch).await?;
        let outcome = fold::fold(batch, &found.history);
        // Dying while this runs: some rows may be stored, others not. Redelivered, the same events
        // give the same rows under the same sort key and version, which replace themselves. Other
        // cuts of the batch give at worst an older state first, under that same key.
        self.insert(batch, &outcome, &found.history).await?;
        self.note_unmatched(batch).await?;
        self.open.add(batch, &outcome);
        Ok(outcome.verdicts)
    }

    fn patience(&self) -> Duration {
        self.settings.count_within
    }

    async fn complete(&mut self) -> Result<(), Fault> {
        // Dying here: mentions are ahead of their counts. Their events come again; they are then
        // found stored, and the buckets of everything found are recomputed too.
        self.recompute().await?;
        // Dying here: all is done, the events come again and change nothing.
        self.note_freshness();
        self.open = Open::default();
        Ok(())
    }
}
