//! Questions by others: those that nobody answered, and how long answers took. It tells of
//! questions, never of who answered.

use axum::{
    Json,
    extract::{Query, State},
};
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    error::{ApiError, Failure},
    period::{Period, written},
    server::Shared,
};

/// Waiting questions of one answer.
const WAITING: u32 = 50;
/// Topics of one answer.
const TOPICS: u32 = 25;
/// Characters of a waiting question.
const EXCERPT: u32 = 400;
/// An answer may come so long after the end of the period, in seconds.
const PATIENCE: i64 = 90 * 86_400;

/// Which questions.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct QuestionsQuery {
    /// First instant, RFC 3339.
    from: String,
    /// The instant behind the last.
    to: String,
    /// Only those about this brand.
    #[serde(default)]
    brand: String,
    /// Only those of this source.
    #[serde(default)]
    source: String,
    /// Which of the waiting come first: `oldest`, unless `newest` is asked for.
    #[serde(default)]
    order: String,
}

/// Questions of one period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Questions {
    all: Waits,
    /// The same for each source, the most asked first.
    sources: Vec<Waits>,
    /// The same for each tag, the most asked first, at most 25. A question of two tags counts for both.
    topics: Vec<Waits>,
    /// Those without an answer, at most 50.
    waiting: Vec<Question>,
}

/// How long questions waited.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Waits {
    /// The source or tag.
    name: String,
    asked: u64,
    /// Those that anyone but who asked has answered, within 90 days after the period.
    answered: u64,
    /// Seconds to the first answer: half of those answered waited less. Absent where none was.
    median: Option<f64>,
    /// The same: 9 of 10 waited less.
    p90: Option<f64>,
    /// Those that an own account of a brand has answered.
    own_answered: u64,
    own_median: Option<f64>,
    own_p90: Option<f64>,
}

/// A question that waits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Question {
    id: String,
    published_at: String,
    /// Seconds from then until now.
    age: u64,
    source: String,
    language: String,
    title: String,
    /// At most 400 characters.
    text: String,
    url: String,
    brands: Vec<String>,
    /// Reactions that are known: likes, replies and shares.
    reactions: u64,
}

#[derive(Row, Deserialize)]
struct FoundWaits {
    kind: String,
    name: String,
    asked: u64,
    answered: u64,
    median: f64,
    p90: f64,
    own_answered: u64,
    own_median: f64,
    own_p90: f64,
}

#[derive(Row, Deserialize)]
struct FoundQuestion {
    id: String,
    published: i64,
    age: u64,
    source: String,
    language: String,
    title: String,
    text: String,
    url: String,
    brands: Vec<String>,
    reactions: u64,
}

/// Questions with the answers of others, as `response_times` has them; bounded in time on both sides,
/// so that a week is answered from a week of mentions and not from all.
fn answered(columns: &str) -> String {
    const ASKED: &str = "mentions AS m WHERE m.question \
        AND m.published_at >= toDateTime({from:Int64}, 'UTC') \
        AND m.published_at < toDateTime({to:Int64}, 'UTC') \
        AND ({brand:String} = '' OR has(m.brands, {brand:String})) \
        AND ({source:String} = '' OR m.source = {source:String})";
    format!(
        "(WITH arrayFilter(one -> one.1 = '' OR one.1 != q.author, a.said) AS others, \
            arrayFilter(one -> one.3, others) AS own, \
            x -> greatest(0, dateDiff('millisecond', q.published_at, arrayMin(one -> one.2, x))) / 1000 AS wait \
         SELECT q.*, length(others) AS answers, if(empty(others), NULL, wait(others)) AS seconds, \
            if(empty(own), NULL, wait(own)) AS own_seconds \
         FROM (SELECT m.id AS id, m.published_at AS published_at, m.author AS author, {columns} FROM {ASKED}) AS q \
         LEFT JOIN (SELECT assumeNotNull(parent_id) AS question, \
                groupArray((author, published_at, has(brand_owned, true))) AS said FROM mentions \
            WHERE published_at >= toDateTime({{from:Int64}}, 'UTC') \
            AND published_at < toDateTime({{patience:Int64}}, 'UTC') \
            AND isNotNull(parent_id) AND assumeNotNull(parent_id) IN (SELECT m.id FROM {ASKED}) \
            GROUP BY question) AS a ON a.question = q.id)"
    )
}

/// Questions of a period.
#[utoipa::path(get, path = "/questions", params(QuestionsQuery), responses(
    (status = 200, body = Questions), (status = 400, body = Failure), (status = 503, body = Failure)))]
pub(crate) async fn questions(
    State(shared): State<Shared>,
    Query(query): Query<QuestionsQuery>,
) -> Result<Json<Questions>, ApiError> {
    let period = Period::between(&query.from, &query.to)?;
    let order = match query.order.as_str() {
        "" | "oldest" => "ASC",
        "newest" => "DESC",
        _ => return Err(ApiError::parameter("order", "must be oldest or newest")),
    };
    let waits = format!(
        "SELECT g.1 AS kind, g.2 AS name, count() AS asked, countIf(answers > 0) AS answered, \
            ifNull(quantileIf(0.5)(assumeNotNull(seconds), answers > 0), nan) AS median, \
            ifNull(quantileIf(0.9)(assumeNotNull(seconds), answers > 0), nan) AS p90, \
            countIf(isNotNull(own_seconds)) AS own_answered, \
            ifNull(quantileIf(0.5)(assumeNotNull(own_seconds), isNotNull(own_seconds)), nan) AS own_median, \
            ifNull(quantileIf(0.9)(assumeNotNull(own_seconds), isNotNull(own_seconds)), nan) AS own_p90 \
         FROM {} ARRAY JOIN arrayConcat([('all', ''), ('source', source)], \
            arrayMap(tag -> ('topic', tag), arrayDistinct(arrayMap(tag -> lowerUTF8(tag), tags)))) AS g \
         GROUP BY kind, name ORDER BY asked DESC, name LIMIT {{topics:UInt32}} BY kind",
        answered("m.source::String AS source, m.tags AS tags")
    );
    let waiting = format!(
        "SELECT toString(id) AS id, toUnixTimestamp64Milli(published_at) AS published, \
            greatest(0, dateDiff('second', published_at, now64(3)))::UInt64 AS age, \
            source, language, title, text, url, brands, reactions \
         FROM {} WHERE answers = 0 ORDER BY published_at {order}, id LIMIT {{waiting:UInt32}}",
        answered(
            "m.source::String AS source, m.language::String AS language, \
             substringUTF8(m.title, 1, 300) AS title, substringUTF8(m.text, 1, {excerpt:UInt32}) AS text, \
             m.url AS url, CAST(m.brands, 'Array(String)') AS brands, \
             ifNull(m.likes, 0) + ifNull(m.replies, 0) + ifNull(m.shares, 0) AS reactions"
        )
    );
    let bind = |sql: clickhouse::query::Query| {
        sql.param("from", period.from)
            .param("to", period.to)
            .param("patience", period.to + PATIENCE)
            .param("brand", &query.brand)
            .param("source", &query.source)
    };
    let (waits, waiting) = tokio::try_join!(
        shared.reader.ask::<FoundWaits>(&waits, |sql| bind(sql).param("topics", TOPICS)),
        shared.reader.ask::<FoundQuestion>(&waiting, |sql| {
            bind(sql).param("waiting", WAITING).param("excerpt", EXCERPT)
        }),
    )?;
    let mut told = Questions {
        all: Waits::default(),
        sources: Vec::new(),
        topics: Vec::new(),
        waiting: waiting.into_iter().map(FoundQuestion::told).collect(),
    };
    for one in waits {
        match one.kind.as_str() {
            "source" => told.sources.push(one.told()),
            "topic" => told.topics.push(one.told()),
            _ => told.all = one.told(),
        }
    }
    Ok(Json(told))
}

impl FoundWaits {
    fn told(self) -> Waits {
        let known = |seconds: f64| seconds.is_finite().then_some(seconds);
        Waits {
            name: self.name,
            asked: self.asked,
            answered: self.answered,
            median: known(self.median),
            p90: known(self.p90),
            own_answered: self.own_answered,
            own_median: known(self.own_median),
            own_p90: known(self.own_p90),
        }
    }
}

impl FoundQuestion {
    fn told(self) -> Question {
        Question {
            id: self.id,
            published_at: written(self.published),
            age: self.age,
            source: self.source,
            language: self.language,
            title: self.title,
            text: self.text,
            url: super::mentions::link(self.url),
            brands: self.brands,
            reactions: self.reactions,
        }
    }
}
