//! Buckets recomputed from the mentions: one statement that runs in the store.
//!
//! A bucket is a pure function of the mentions in it, so recomputing it is right after anything
//! that may have happened: late data, edits, deletions, redelivery, a death in mid-batch.

use std::fmt::Write as _;

use echolot_store::{Action, Store, StoreError};

use crate::bucket::Bucket;

/// Twice in a statement at 11 bytes each, well below `max_query_size`; and a bound on what one
/// statement reads.
const BUCKETS_A_STATEMENT: usize = 16_384;

/// A raw partition and the version that its rows are to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Versioned {
    pub(crate) partition: u16,
    pub(crate) version: u64,
}

/// The measures of `sentiment_10s`, in the order of its columns.
pub(crate) const MEASURES: [&str; 9] =
    ["mentions", "negative", "neutral", "positive", "net", "likes", "replies", "shares", "reach"];

/// The key of `sentiment_10s`.
pub(crate) const KEY: &str = "bucket, brand, source, language, raw_partition, brand_group, owned";

/// Counts of the mentions that `filter` leaves, one row for each key of `sentiment_10s`: the columns
/// of [`KEY`], then [`MEASURES`].
///
/// A mention is counted under `*` and under each of its brands, or the empty brand if it has none;
/// under a brand with the sentiment of what concerns that brand. Net sentiment is summed as
/// decimals: sums of floats depend on their order.
pub(crate) fn recount(database: &str, filter: &str) -> String {
    format!(
        "SELECT bucket, brand, source, language, raw_partition, brand_group, owned, \
         count() AS mentions, countIf(feels = 'negative') AS negative, \
         countIf(feels = 'neutral') AS neutral, countIf(feels = 'positive') AS positive, \
         sum(toDecimal64(balance, 6)) AS net, \
         sum(ifNull(m.likes, 0)) AS likes, sum(ifNull(m.replies, 0)) AS replies, \
         sum(ifNull(m.shares, 0)) AS shares, sum(ifNull(m.reach, 0)) AS reach \
         FROM (SELECT bucket, source, language, raw_partition, likes, replies, shares, reach, \
         arrayJoin(arrayConcat([0], if(empty(brands), [-1], arrayEnumerate(brands)))) AS n, \
         multiIf(n = 0, '*', n = -1, '', brands[n]) AS brand, \
         if(n > 0, brand_groups[n], '') AS brand_group, \
         if(n > 0, brand_owned[n], has(brand_owned, true)) AS owned, \
         if(n > 0, brand_polarity[n], polarity) AS feels, \
         if(n > 0, brand_positive[n] - brand_negative[n], s.positive - s.negative) AS balance \
         FROM {database}.mentions AS s FINAL WHERE {filter}) AS m \
         GROUP BY {KEY}"
    )
}

/// Recomputes `buckets` for the given raw partitions.
///
/// Dying between two statements leaves some buckets behind; their events are redelivered, since
/// offsets are committed after all of them.
pub(crate) async fn recompute(
    store: &Store,
    database: &str,
    partitions: &[Versioned],
    buckets: &[Bucket],
) -> Result<(), StoreError> {
    for chunk in buckets.chunks(BUCKETS_A_STATEMENT) {
        store.execute(Action::Recompute, &statement(database, partitions, chunk)).await?;
    }
    Ok(())
}

/// Keys that have no mentions any more are written as zeros: the second half of the union finds
/// every key that ever was.
fn statement(database: &str, partitions: &[Versioned], buckets: &[Bucket]) -> String {
    let filter = filter(partitions, buckets);
    let counted = recount(database, &filter);
    let zeros = MEASURES.map(|_| "0").join(", ");
    let sums = MEASURES.map(|measure| format!("sum(c.{measure})")).join(", ");
    let columns = MEASURES.join(", ");
    let numbers = joined(partitions.iter().map(|p| u64::from(p.partition)));
    let versions = joined(partitions.iter().map(|p| p.version));
    format!(
        "INSERT INTO {database}.sentiment_10s \
         ({KEY}, version, {columns}) \
         SELECT {KEY}, \
         transform(raw_partition, [{numbers}], [{versions}], toUInt64(0)), {sums} \
         FROM ({counted} UNION ALL \
         SELECT DISTINCT {KEY}, {zeros} \
         FROM {database}.sentiment_10s WHERE {filter}) AS c \
         GROUP BY {KEY}"
    )
}

fn filter(partitions: &[Versioned], buckets: &[Bucket]) -> String {
    let partitions = joined(partitions.iter().map(|p| u64::from(p.partition)));
    let buckets = joined(buckets.iter().map(|bucket| u64::from(bucket.as_seconds())));
    format!("bucket IN ({buckets}) AND raw_partition IN ({partitions})")
}

fn joined(numbers: impl Iterator<Item = u64>) -> String {
    let mut list = String::new();
    for number in numbers {
        // Writing to a string cannot fail.
        let _ = write!(list, "{number},");
    }
    list.pop();
    list
}
