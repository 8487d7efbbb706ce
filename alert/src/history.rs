//! Minutes as the store holds them, by brand.

use clickhouse::Row;
use echolot_store::{Action, Store, StoreError};
use serde::Deserialize;

use crate::{coverage::Stretch, minute::Minute, sketch::Sketch};

type Words = (u64, u64, u64, u64);

#[derive(Row, Deserialize)]
struct Found {
    brand: String,
    at: i64,
    mentions: u64,
    negative: u64,
    positive: u64,
    voices: u64,
    authors: Words,
    texts: Words,
}

#[derive(Row, Deserialize)]
struct Extent {
    first: i64,
    last: i64,
    count: u64,
}

#[derive(Row, Deserialize)]
struct Heard {
    at: i64,
    count: u32,
}

fn words(hash: &str) -> String {
    let word = |index: u32| {
        format!(
            "groupBitOrIf(if(intDiv({hash} % 256, 64) = {index}, \
             bitShiftLeft(toUInt64(1), {hash} % 64), toUInt64(0)), polarity = 'negative')"
        )
    };
    format!("tuple({}, {}, {}, {})", word(0), word(1), word(2), word(3))
}

/// Minutes of one brand, or of all, in `from..to` (minutes since 1970), in order. What the
/// brand's own accounts wrote is left out, what is said of several brands counts by the part about
/// each, copies and reposts are one text. Mentions without a known author count as one author each.
pub async fn minutes(
    store: &Store,
    brand: Option<&str>,
    from: i64,
    to: i64,
) -> Result<Vec<(String, Minute)>, StoreError> {
    let sql = format!(
        "SELECT brand, at, count() AS mentions, countIf(polarity = 'negative') AS negative, \
         countIf(polarity = 'positive') AS positive, \
         least(negative, uniqExactIf(who, polarity = 'negative'), \
         uniqExactIf(what, polarity = 'negative')) AS voices, \
         {authors} AS authors, {texts} AS texts \
         FROM (SELECT arrayJoin(arrayZip(brands, brand_polarity, brand_owned)) AS about, \
         about.1 AS brand, about.2 AS polarity, \
         intDiv(toUnixTimestamp(published_at), 60)::Int64 AS at, \
         cityHash64(if(author = '', toString(id), author)) AS who, text_group AS what \
         FROM {published}.mentions \
         WHERE published_at >= fromUnixTimestamp64Milli({{from:Int64}}, 'UTC') \
         AND published_at < fromUnixTimestamp64Milli({{to:Int64}}, 'UTC') \
         AND ({{brand:String}} = '' OR has(brands, {{brand:String}}))) \
         WHERE NOT about.3 AND ({{brand:String}} = '' OR brand = {{brand:String}}) \
         GROUP BY brand, at ORDER BY at, brand",
        authors = words("who"),
        texts = words("what"),
        published = store.published(),
    );
    let found = store
        .fetch_bound::<Found>(Action::Read, &sql, |query| {
            query
                .param("from", from * 60_000)
                .param("to", to * 60_000)
                .param("brand", brand.unwrap_or_default())
        })
        .await?;
    Ok(found.into_iter().map(Found::split).collect())
}

/// First and last minute that anything was said in; none for an empty store.
pub async fn extent(store: &Store) -> Result<Option<(i64, i64)>, StoreError> {
    let sql = format!(
        "SELECT intDiv(toUnixTimestamp(min(minute)), 60)::Int64 AS first, \
         intDiv(toUnixTimestamp(max(minute)), 60)::Int64 AS last, count() AS count \
         FROM {}.sentiment_by_minute WHERE brand = '*'",
        store.published()
    );
    let found = store.fetch::<Extent>(Action::Read, &sql).await?;
    Ok(found.first().filter(|extent| extent.count > 0).map(|extent| (extent.first, extent.last)))
}

/// Minutes of `from..=to` in which anything was said, about a brand or not, with the number of mentions.
pub(crate) async fn heard(
    store: &Store,
    (from, to): Stretch,
) -> Result<Vec<(i64, u32)>, StoreError> {
    let sql = format!(
        "SELECT intDiv(toUnixTimestamp(minute), 60)::Int64 AS at, \
         toUInt32(least(sum(mentions), 4294967295)) AS count FROM {}.sentiment_by_minute \
         WHERE brand = '*' AND minute >= toDateTime({{from:Int64}} * 60, 'UTC') \
         AND minute <= toDateTime({{to:Int64}} * 60, 'UTC') GROUP BY at ORDER BY at",
        store.published()
    );
    let found = store
        .fetch_bound::<Heard>(Action::Read, &sql, |query| query.param("from", from).param("to", to))
        .await?;
    Ok(found.into_iter().map(|heard| (heard.at, heard.count)).collect())
}

impl Found {
    fn split(self) -> (String, Minute) {
        let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let sketch = |(a, b, c, d): Words| Sketch::from_words([a, b, c, d]);
        let minute = Minute {
            at: self.at,
            mentions: small(self.mentions),
            negative: small(self.negative),
            positive: small(self.positive),
            voices: small(self.voices),
            authors: sketch(self.authors),
            texts: sketch(self.texts),
        };
        (self.brand, minute)
    }
}
