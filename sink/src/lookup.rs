//! What the store holds of mentions that may have been seen before.
//!
//! Most events about a known mention (new likes, an edit) carry the time that it is stored under:
//! the primary key finds those, and neighbours in time share what is read. The rest (deletions,
//! edits that carry another time, false alarms of the sightings) is found by id alone, through the
//! table's projection.

use std::fmt::Write as _;

use clickhouse::Row;
use echolot_pipeline::stage::Item;
use echolot_schemas::{EnrichedEvent, MentionId, Timestamp};
use serde::Deserialize;
use uuid::Uuid;

use echolot_store::{Action, Store, StoreError};

use crate::{
    bucket::Bucket,
    fold::{History, Stored},
    sightings::Sightings,
};

/// An id takes 40 bytes of a statement, so this many keep it well below `max_query_size`.
const IDS_A_STATEMENT: usize = 8192;

#[derive(Row, Deserialize)]
struct Found {
    #[serde(with = "clickhouse::serde::uuid")]
    id: Uuid,
    published_at: i64,
    raw_offset: u64,
    erased: u8,
}

/// What was looked up, and how it went.
#[derive(Debug, Default)]
pub(crate) struct LookedUp {
    pub(crate) history: History,
    /// Mentions that might have been seen and were not.
    pub(crate) misses: usize,
}

/// Looks up the batch's mentions that `sightings` knows.
pub(crate) async fn look_up(
    store: &Store,
    database: &str,
    sightings: &Sightings,
    batch: &[Item<EnrichedEvent>],
) -> Result<LookedUp, StoreError> {
    let mut timed = Vec::new();
    let mut wanted = Vec::new();
    for item in batch {
        let id = item.event.mention_id();
        if !sightings.may_contain(id) {
            continue;
        }
        wanted.push(id);
        if let EnrichedEvent::Enriched(enriched) = &item.event {
            timed.push((Bucket::of(enriched.mention.published_at), id));
        }
    }
    let mut history = History::new();
    timed.sort_unstable();
    timed.dedup();
    for chunk in timed.chunks(IDS_A_STATEMENT) {
        read(store, &by_time_and_id(database, chunk), &mut history).await?;
    }
    wanted.sort_unstable();
    wanted.dedup();
    wanted.retain(|id| !history.contains_key(id));
    for chunk in wanted.chunks(IDS_A_STATEMENT) {
        read(store, &by_id(database, chunk), &mut history).await?;
    }
    let misses = wanted.iter().filter(|id| !history.contains_key(id)).count();
    Ok(LookedUp { history, misses })
}

async fn read(store: &Store, sql: &str, history: &mut History) -> Result<(), StoreError> {
    for found in store.fetch::<Found>(Action::LookUp, sql).await? {
        let stored = Stored {
            published_at: Timestamp::from_millis(found.published_at),
            // Written from an i64 that was not negative.
            raw_offset: i64::try_from(found.raw_offset).unwrap_or(i64::MAX),
            erased: found.erased != 0,
        };
        history.insert(found.id.into(), stored);
    }
    Ok(())
}

/// Without FINAL, which would hide what was erased: all rows of a mention have the same time, and
/// one that was ever erased stays so.
const STATE_OF_EACH: &str = "SELECT id, argMax(m.published_at, m.raw_offset) AS published_at, \
     max(m.raw_offset) AS raw_offset, max(m.state = 'erased') AS erased";

fn by_time_and_id(database: &str, keys: &[(Bucket, MentionId)]) -> String {
    let mut sql = statement(database, keys.len(), "(bucket, id)");
    for (bucket, id) in keys {
        // Writing to a string cannot fail.
        let _ = write!(sql, "({},'{id}'),", bucket.as_seconds());
    }
    finish(sql, "SETTINGS optimize_use_projections = 0")
}

fn by_id(database: &str, ids: &[MentionId]) -> String {
    let mut sql = statement(database, ids.len(), "id");
    for id in ids {
        let _ = write!(sql, "'{id}',");
    }
    finish(sql, "")
}

fn statement(database: &str, keys: usize, columns: &str) -> String {
    let mut sql = String::with_capacity(512 + keys * 56);
    let _ = write!(sql, "{STATE_OF_EACH} FROM {database}.mentions AS m WHERE {columns} IN (");
    sql
}

fn finish(mut sql: String, settings: &str) -> String {
    // The last comma.
    sql.pop();
    sql.push_str(") GROUP BY id ");
    sql.push_str(settings);
    sql
}
