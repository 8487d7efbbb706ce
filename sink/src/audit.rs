//! What the store holds, for `echolot audit` to hold against the log.

use clickhouse::Row;
use echolot_schemas::MentionId;
use serde::Deserialize;
use uuid::Uuid;

use echolot_store::{Action, Rows, Store, StoreError};

use crate::{
    aggregates::{KEY, MEASURES, recount},
    row::State,
};

/// Reads one generation.
#[derive(Debug)]
pub struct StoreAudit<'a> {
    store: &'a Store,
    database: String,
}

/// A mention's latest row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredMention {
    /// Which mention.
    pub id: MentionId,
    /// The raw event that its state comes from.
    pub raw_offset: u64,
    /// Its state.
    pub state: State,
}

/// The mentions of one raw partition.
#[derive(Debug)]
pub struct StoredMentions(Rows<MentionFound>);

#[derive(Row, Deserialize)]
struct MentionFound {
    #[serde(with = "clickhouse::serde::uuid")]
    id: Uuid,
    raw_offset: u64,
    state: i8,
}

/// How many there are, and the first of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding<T> {
    /// How many.
    pub count: u64,
    /// At most as many as were asked for.
    pub examples: Vec<T>,
}

/// A key of `sentiment_10s` whose counts are not those of the mentions.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct DifferingKey {
    /// Start of the ten seconds, seconds since 1970.
    pub bucket: u32,
    /// Brand, `*` for all mentions.
    pub brand: String,
    /// Source.
    pub source: String,
    /// Language.
    pub language: String,
    /// Raw partition.
    pub raw_partition: u16,
    /// Group of the brand.
    pub brand_group: String,
    /// True for what brands wrote themselves.
    pub owned: bool,
    /// Mentions as the aggregate has them.
    pub aggregated: u64,
    /// Mentions as a recount finds them.
    pub recounted: u64,
}

#[derive(Row, Deserialize)]
struct UnmatchedOffset {
    raw_offset: u64,
}

#[derive(Row, Deserialize)]
struct DoubledId {
    #[serde(with = "clickhouse::serde::uuid")]
    id: Uuid,
}

#[derive(Row, Deserialize)]
struct Count {
    count: u64,
}

/// A partition of ten million mentions is sorted on disk rather than held in memory.
const BOUNDED: &str = "SETTINGS max_bytes_before_external_group_by = 536870912, \
     max_bytes_before_external_sort = 536870912";

impl<'a> StoreAudit<'a> {
    /// Of this generation.
    pub fn new(store: &'a Store, generation: u32) -> Self {
        Self { store, database: store.database(generation) }
    }

    /// Every mention of a raw partition in its latest state, hidden ones included, in no order.
    /// One whose rows lie at two sort times comes twice; [`Self::doubled`] tells of those.
    pub fn mentions(&self, partition: u16) -> Result<StoredMentions, StoreError> {
        // Of two rows of the same raw event (scored again) the later one counts.
        let sql = format!(
            "SELECT id, max(m.raw_offset) AS raw_offset, \
             argMax(m.state, (m.raw_offset, m.stored_at)) AS state \
             FROM {}.mentions AS m WHERE raw_partition = {partition} GROUP BY bucket, id \
             SETTINGS optimize_aggregation_in_order = 1",
            self.database
        );
        self.store.stream(Action::Audit, &sql).map(StoredMentions)
    }

    /// Offsets of the raw events of a partition that a replay from `mentions.raw` found to be about
    /// no brand.
    pub async fn unmatched(&self, partition: u16) -> Result<Vec<u64>, StoreError> {
        let sql = format!(
            "SELECT DISTINCT raw_offset FROM {}.unmatched WHERE raw_partition = {partition}",
            self.database
        );
        let found = self.store.fetch::<UnmatchedOffset>(Action::Audit, &sql).await?;
        Ok(found.into_iter().map(|found| found.raw_offset).collect())
    }

    /// Live mentions that are counted more than once: stored under several sort times.
    pub async fn doubled(
        &self,
        partition: u16,
        examples: usize,
    ) -> Result<Finding<MentionId>, StoreError> {
        let doubled = format!(
            "SELECT id FROM {}.mentions FINAL WHERE raw_partition = {partition} \
             GROUP BY id HAVING count() > 1",
            self.database
        );
        let found: Finding<DoubledId> = self.find(&doubled, "id", examples).await?;
        let examples = found.examples.into_iter().map(|found| found.id.into()).collect();
        Ok(Finding { count: found.count, examples })
    }

    /// Keys of a raw partition whose counts differ from a recount in any measure.
    pub async fn differing(
        &self,
        partition: u16,
        examples: usize,
    ) -> Result<Finding<DifferingKey>, StoreError> {
        let database = &self.database;
        let filter = format!("raw_partition = {partition}");
        let recounted = recount(database, &filter);
        let measures = MEASURES.join(", ");
        let differs = MEASURES
            .map(|m| format!("sumIf(c.{m}, aggregate) != sumIf(c.{m}, NOT aggregate)"))
            .join(" OR ");
        let differing = format!(
            "SELECT {KEY}, sumIf(c.mentions, aggregate) AS aggregated, \
             sumIf(c.mentions, NOT aggregate) AS recounted \
             FROM (SELECT {KEY}, {measures}, true AS aggregate FROM {database}.sentiment_10s FINAL \
             WHERE {filter} UNION ALL SELECT *, false AS aggregate FROM ({recounted})) AS c \
             GROUP BY {KEY} HAVING {differs}"
        );
        self.find(&differing, "bucket, brand, source, language", examples).await
    }

    async fn find<T>(
        &self,
        query: &str,
        order: &str,
        examples: usize,
    ) -> Result<Finding<T>, StoreError>
    where
        T: clickhouse::RowOwned + clickhouse::RowRead,
    {
        let count = format!("SELECT count() AS count FROM ({query}) {BOUNDED}");
        let count = self.store.fetch::<Count>(Action::Audit, &count).await?;
        let count = count.first().map_or(0, |count| count.count);
        if count == 0 {
            return Ok(Finding { count, examples: Vec::new() });
        }
        let first = format!("{query} ORDER BY {order} LIMIT {examples} {BOUNDED}");
        let examples = self.store.fetch::<T>(Action::Audit, &first).await?;
        Ok(Finding { count, examples })
    }
}

impl StoredMentions {
    /// The next mention; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<StoredMention>, StoreError> {
        let Some(found) = self.0.next().await? else { return Ok(None) };
        let state = State::from_number(found.state).ok_or_else(|| StoreError::Mismatch {
            action: Action::Audit,
            detail: format!("mention {} has the unknown state {}", found.id, found.state),
        })?;
        Ok(Some(StoredMention { id: found.id.into(), raw_offset: found.raw_offset, state }))
    }
}
