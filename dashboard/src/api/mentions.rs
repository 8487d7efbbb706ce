//! Mentions, newest first, a page at a time.

use axum::{
    Json,
    extract::{Query, State},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    error::{ApiError, Failure},
    period::{Period, written},
    server::Shared,
    words::{self, Span},
};

const PAGE: u64 = 30;
const LARGEST_PAGE: u64 = 200;
/// Characters of a text in a list; the mention itself has all of it.
const EXCERPT: usize = 1200;
/// A day: the newest mentions of a period are looked for in ever longer parts of it, so that a page
/// of a busy brand does not read the years before.
const FIRST_PART: i64 = 86_400_000;

/// Which mentions.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MentionsQuery {
    /// First instant, RFC 3339.
    from: String,
    /// The instant behind the last.
    to: String,
    /// Words that must all stand in text or title; "quotes" keep words together.
    #[serde(default)]
    q: String,
    /// Only those about this brand.
    #[serde(default)]
    brand: String,
    /// Only those of this source.
    #[serde(default)]
    source: String,
    /// Only those in this language.
    #[serde(default)]
    language: String,
    /// Only negative, neutral or positive ones; of the brand, where one is named.
    #[serde(default)]
    sentiment: String,
    /// `next` of the page before.
    #[serde(default)]
    cursor: String,
    /// Mentions of a page, 1 to 200.
    limit: Option<u64>,
}

/// A page of mentions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Mentions {
    mentions: Vec<Mention>,
    /// Cursor of the next page; absent on the last.
    next: Option<String>,
}

/// One mention in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Mention {
    id: String,
    published_at: String,
    source: String,
    language: String,
    title: String,
    /// At most 1200 characters.
    text: String,
    /// True when the text is longer.
    shortened: bool,
    /// Where the words of the search stand in `text`: pairs of UTF-16 code units, end excluded.
    #[schema(value_type = Vec<Vec<u32>>)]
    spans: Vec<Span>,
    url: String,
    /// Pseudonym, empty where unknown.
    author: String,
    pub(crate) sentiment: Sentiment,
    brands: Vec<OfBrand>,
    likes: Option<u64>,
    replies: Option<u64>,
    shares: Option<u64>,
    /// Mentions with this text, copies and reposts: equal for all of them.
    text_group: String,
    repost: bool,
}

/// What the model says.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Sentiment {
    /// negative, neutral or positive.
    polarity: String,
    negative: f32,
    neutral: f32,
    positive: f32,
    /// The highest of the three.
    confidence: f32,
    /// True when the highest is less than 0.15 above the next: close to a coin toss.
    uncertain: bool,
}

/// What it says of one brand.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OfBrand {
    brand: String,
    polarity: String,
    /// True when one of the brand's own accounts wrote it.
    owned: bool,
}

impl Sentiment {
    pub(crate) fn new(polarity: String, [negative, neutral, positive]: [f32; 3]) -> Self {
        let mut sorted = [negative, neutral, positive];
        sorted.sort_by(f32::total_cmp);
        let [_, second, first] = sorted;
        let uncertain = first - second < 0.15;
        Self { polarity, negative, neutral, positive, confidence: first, uncertain }
    }
}

#[derive(Row, Deserialize)]
struct Found {
    id: String,
    published: i64,
    source: String,
    language: String,
    title: String,
    text: String,
    shortened: bool,
    url: String,
    author: String,
    polarity: String,
    negative: f32,
    neutral: f32,
    positive: f32,
    brands: Vec<(String, String, bool)>,
    likes: Option<u64>,
    replies: Option<u64>,
    shares: Option<u64>,
    text_group: String,
    repost: bool,
}

const SQL: &str = "SELECT toString(m.id) AS id, toUnixTimestamp64Milli(m.published_at) AS published, \
    m.source AS source, m.language AS language, substringUTF8(m.title, 1, 300) AS title, \
    substringUTF8(m.text, 1, {excerpt:UInt32}) AS text, lengthUTF8(m.text) > {excerpt:UInt32} AS shortened, \
    m.url AS url, m.author AS author, toString(m.polarity) AS polarity, m.negative AS negative, \
    m.neutral AS neutral, m.positive AS positive, \
    arrayZip(CAST(m.brands, 'Array(String)'), CAST(m.brand_polarity, 'Array(String)'), m.brand_owned) AS brands, \
    m.likes AS likes, m.replies AS replies, m.shares AS shares, toString(m.text_group) AS text_group, \
    m.repost AS repost \
    FROM mentions AS m \
    WHERE m.published_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') \
    AND (m.published_at < fromUnixTimestamp64Milli({upto:Int64}, 'UTC') \
        OR (m.published_at = fromUnixTimestamp64Milli({upto:Int64}, 'UTC') AND m.id < {behind:UUID})) \
    AND ({brand:String} = '' OR has(m.brands, {brand:String})) \
    AND ({source:String} = '' OR m.source = {source:String}) \
    AND ({language:String} = '' OR m.language = {language:String}) \
    AND ({sentiment:String} = '' OR {sentiment:String} = toString(if({brand:String} = '', m.polarity, \
        m.brand_polarity[indexOf(m.brands, {brand:String})]))) \
    AND arrayAll(word -> positionCaseInsensitiveUTF8(m.text, word) > 0 \
        OR positionCaseInsensitiveUTF8(m.title, word) > 0, {words:Array(String)}) \
    ORDER BY m.published_at DESC, m.id DESC LIMIT {limit:UInt64}";

/// Mentions, newest first.
#[utoipa::path(get, path = "/mentions", params(MentionsQuery), responses(
    (status = 200, body = Mentions), (status = 400, body = Failure), (status = 503, body = Failure)))]
pub(crate) async fn mentions(
    State(shared): State<Shared>,
    Query(query): Query<MentionsQuery>,
) -> Result<Json<Mentions>, ApiError> {
    let period = Period::between(&query.from, &query.to)?;
    let words = words::of(&query.q)?;
    if !["", "negative", "neutral", "positive"].contains(&query.sentiment.as_str()) {
        return Err(ApiError::parameter("sentiment", "must be negative, neutral or positive"));
    }
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(ApiError::parameter("limit", "must be 1 to 200"));
    }
    let first = period.from * 1000;
    let mut upto = period.to * 1000;
    let mut behind = Uuid::nil();
    if !query.cursor.is_empty() {
        (upto, behind) = Cursor::read(&query.cursor)?;
        upto = upto.min(period.to * 1000);
    }
    let mut found: Vec<Found> = Vec::new();
    let mut part = FIRST_PART;
    while upto > first && found.len() as u64 <= limit {
        let since = (upto - part).max(first);
        // One more than is shown tells whether there is a next page.
        let wanted = limit + 1 - found.len() as u64;
        found.extend(
            shared
                .reader
                .ask::<Found>(SQL, |sql| {
                    sql.param("excerpt", EXCERPT)
                        .param("since", since)
                        .param("upto", upto)
                        .param("behind", behind.to_string())
                        .param("brand", &query.brand)
                        .param("source", &query.source)
                        .param("language", &query.language)
                        .param("sentiment", &query.sentiment)
                        .param("words", &words)
                        .param("limit", wanted)
                })
                .await?,
        );
        (upto, behind) = (since, Uuid::nil());
        part = part.saturating_mul(8);
    }
    let more = found.len() as u64 > limit;
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = found.last().filter(|_| more).map(|last| Cursor::written(last.published, &last.id));
    let mentions = found.into_iter().map(|found| shown(found, &words)).collect();
    Ok(Json(Mentions { mentions, next }))
}

fn shown(found: Found, words: &[String]) -> Mention {
    Mention {
        published_at: written(found.published),
        spans: words::places(&found.text, words),
        sentiment: Sentiment::new(found.polarity, [found.negative, found.neutral, found.positive]),
        brands: found
            .brands
            .into_iter()
            .map(|(brand, polarity, owned)| OfBrand { brand, polarity, owned })
            .collect(),
        id: found.id,
        source: found.source,
        language: found.language,
        title: found.title,
        text: found.text,
        shortened: found.shortened,
        url: link(found.url),
        author: found.author,
        likes: found.likes,
        replies: found.replies,
        shares: found.shares,
        text_group: found.text_group,
        repost: found.repost,
    }
}

/// An address that a browser may open; anything else, such as `javascript:`, is none.
pub(crate) fn link(url: String) -> String {
    let web = url.starts_with("https://") || url.starts_with("http://");
    if web { url } else { String::new() }
}

/// Where a page ends: time and id of its last mention, opaque to callers.
struct Cursor;

impl Cursor {
    fn written(published: i64, id: &str) -> String {
        URL_SAFE_NO_PAD.encode(format!("{published} {id}"))
    }

    fn read(cursor: &str) -> Result<(i64, Uuid), ApiError> {
        let text =
            URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        text.as_deref()
            .and_then(|text| text.split_once(' '))
            .and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)))
            .ok_or_else(|| ApiError::parameter("cursor", "must be `next` of the page before"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_another_text_is_refused() {
        let id = Uuid::from_u128(7);
        let (at, behind) = Cursor::read(&Cursor::written(1234, &id.to_string())).unwrap();
        assert_eq!((at, behind), (1234, id));
        for cursor in ["x", "%", &URL_SAFE_NO_PAD.encode("1 2")] {
            assert!(Cursor::read(cursor).is_err(), "{cursor}");
        }
    }

    #[test]
    fn close_probabilities_are_uncertain() {
        let uncertain = |three| Sentiment::new("neutral".to_owned(), three).uncertain;
        assert!(uncertain([0.41, 0.45, 0.14]));
        assert!(!uncertain([0.1, 0.7, 0.2]));
    }

    #[test]
    fn only_addresses_of_the_web_are_links() {
        assert_eq!(link("https://a.example/1".to_owned()), "https://a.example/1");
        assert_eq!(link("javascript:alert(1)".to_owned()), "");
    }
}
