//! One brand over time, and what its mentions are made of.

use axum::{
    Json,
    extract::{Query, State},
};
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::incidents::{self, Incident};
use crate::{
    error::{ApiError, Failure},
    period::{Period, written_seconds},
    server::Shared,
    uncertainty::{Counts, Net},
};

const POINTS: i64 = 120;

/// Which brand, and when.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct BrandQuery {
    /// First instant, RFC 3339.
    from: String,
    /// The instant behind the last.
    to: String,
    /// The brand.
    brand: String,
    /// Only mentions of this source.
    #[serde(default)]
    source: String,
    /// Only mentions in this language.
    #[serde(default)]
    language: String,
}

/// One brand. What its own accounts wrote is left out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Course {
    brand: String,
    from: String,
    to: String,
    /// Seconds between points.
    step: i64,
    /// One for each step, also where nothing was said.
    points: Vec<Point>,
    total: Group,
    languages: Vec<Group>,
    sources: Vec<Group>,
    /// Words in the most mentions, without those that every text has.
    terms: Vec<Term>,
    /// Those who wrote most, by pseudonym; never of internal sources.
    authors: Vec<Author>,
    /// Times of which mentions may be missing.
    gaps: Vec<Gap>,
    incidents: Vec<Incident>,
}

/// Counts of one step.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Point {
    at: String,
    negative: u64,
    neutral: u64,
    positive: u64,
    net: Option<Net>,
}

/// Counts of one part.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Group {
    name: String,
    mentions: u64,
    negative: u64,
    neutral: u64,
    positive: u64,
    net: Option<Net>,
}

/// A word.
#[derive(Debug, Row, Serialize, Deserialize, ToSchema)]
pub(crate) struct Term {
    term: String,
    mentions: u64,
    /// Mean net sentiment of the mentions with it.
    net: f64,
}

/// Somebody who wrote.
#[derive(Debug, Row, Serialize, Deserialize, ToSchema)]
pub(crate) struct Author {
    /// Pseudonym.
    author: String,
    source: String,
    mentions: u64,
    net: f64,
}

/// A gap of a source.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Gap {
    source: String,
    from: String,
    to: String,
    why: String,
    /// True when everything was told afterwards.
    caught_up: bool,
}

#[derive(Row, Deserialize)]
struct Part {
    by: String,
    name: String,
    at: i64,
    mentions: u64,
    negative: u64,
    neutral: u64,
    positive: u64,
    net: f64,
}

#[derive(Row, Deserialize)]
struct FoundGap {
    source: String,
    from: i64,
    to: i64,
    why: String,
    caught_up: bool,
}

const MENTIONS: &str = "FROM mentions_by_brand AS m INNER JOIN (SELECT id FROM mentions WHERE NOT internal \
    AND published_at >= fromUnixTimestamp({from:Int64}) AND published_at < fromUnixTimestamp({to:Int64})) AS p \
    ON p.id = m.id WHERE m.brand = {brand:String} AND NOT m.owned \
    AND m.published_at >= fromUnixTimestamp({from:Int64}) AND m.published_at < fromUnixTimestamp({to:Int64}) \
    AND ({source:String} = '' OR m.source = {source:String}) \
    AND ({language:String} = '' OR m.language = {language:String})";

/// Words of at least four letters, once a mention, links and names left out. Words in more than two
/// fifths of many mentions are grammar or the brand itself.
const TERMS: &str = "SELECT term, count() AS mentions, avg(net) AS net FROM (SELECT m.positive - m.negative AS net, \
    arrayJoin(arraySlice(arrayDistinct(arrayFilter(w -> lengthUTF8(w) BETWEEN 4 AND 30, \
    extractAll(replaceRegexpAll(lowerUTF8(m.text), '(https?://|@)\\\\S+', ''), '\\\\p{L}+'))), 1, 200)) AS term";
const TERMS_END: &str =
    ") GROUP BY term HAVING mentions >= 3 ORDER BY mentions DESC, term LIMIT 400";

const AUTHORS: &str = "SELECT m.author AS author, m.source AS source, count() AS mentions, \
    avg(m.positive - m.negative) AS net";
const AUTHORS_END: &str = "AND m.author != '' GROUP BY author, source HAVING mentions >= 2 \
    ORDER BY mentions DESC, author LIMIT 10";

const GAPS: &str = "SELECT source, toUnixTimestamp(toDateTime(from_time, 'UTC'))::Int64 AS from, \
    least(toUnixTimestamp(toDateTime(ifNull(to_time, now64(3)), 'UTC'))::Int64, {to:Int64}) AS to, \
    why, caught_up FROM source_gaps FINAL \
    WHERE from_time < fromUnixTimestamp({to:Int64}) AND ifNull(to_time, now64(3)) > fromUnixTimestamp({from:Int64}) \
    AND ({source:String} = '' OR source = {source:String}) ORDER BY from LIMIT 500";

/// One brand over time.
#[utoipa::path(get, path = "/brand", params(BrandQuery), responses(
    (status = 200, body = Course), (status = 400, body = Failure), (status = 503, body = Failure)))]
pub(crate) async fn brand(
    State(shared): State<Shared>,
    Query(query): Query<BrandQuery>,
) -> Result<Json<Course>, ApiError> {
    let period = Period::between(&query.from, &query.to)?;
    let step = period.step(POINTS);
    let counts = format!(
        "SELECT by, if(by = 'time', '', if(by = 'source', c.source::String, c.language::String)) AS name, \
         if(by = 'time', {{from:Int64}} + intDiv(at - {{from:Int64}}, {{step:Int64}}) * {{step:Int64}}, 0) AS at, \
         sum(c.mentions) AS mentions, sum(c.negative) AS negative, sum(c.neutral) AS neutral, \
         sum(c.positive) AS positive, sum(c.net_sentiment * c.mentions) AS net \
         FROM {} AS c ARRAY JOIN ['time', 'source', 'language'] AS by \
         WHERE brand = {{brand:String}} AND NOT owned \
         AND ({{source:String}} = '' OR c.source = {{source:String}}) \
         AND ({{language:String}} = '' OR c.language = {{language:String}}) \
         GROUP BY by, name, at ORDER BY mentions DESC",
        period.grain.counts()
    );
    let bind = |sql: clickhouse::query::Query| {
        sql.param("start", period.from)
            .param("end", period.to)
            .param("from", period.from)
            .param("to", period.to)
            .param("step", step)
            .param("brand", &query.brand)
            .param("source", &query.source)
            .param("language", &query.language)
    };
    let terms = format!("{TERMS} {MENTIONS} {TERMS_END}");
    let authors = format!("{AUTHORS} {MENTIONS} {AUTHORS_END}");
    let (parts, terms, authors, gaps, incidents) = tokio::try_join!(
        shared.reader.ask::<Part>(&counts, bind),
        shared.reader.ask::<Term>(&terms, bind),
        shared.reader.ask::<Author>(&authors, bind),
        shared.reader.ask::<FoundGap>(GAPS, bind),
        incidents::within(&shared.reader, &period, &query.brand),
    )?;
    let [time, sources, languages] = ["time", "source", "language"]
        .map(|by| parts.iter().filter(|part| part.by == by).collect::<Vec<_>>());
    let mut total = Counts::default();
    for part in &time {
        total.add(part.counts());
    }
    Ok(Json(Course {
        from: written_seconds(period.from),
        to: written_seconds(period.to),
        step,
        points: points(&period, step, &time),
        terms: telling(terms, &query.brand, total.mentions),
        total: group(query.brand.clone(), total),
        languages: languages.into_iter().map(Part::group).collect(),
        sources: sources.into_iter().map(Part::group).collect(),
        authors,
        gaps: gaps.into_iter().map(FoundGap::told).collect(),
        incidents,
        brand: query.brand,
    }))
}

fn points(period: &Period, step: i64, found: &[&Part]) -> Vec<Point> {
    let mut at = period.from;
    let mut points = Vec::new();
    while at < period.to {
        let mut counts = Counts::default();
        found.iter().filter(|part| part.at == at).for_each(|part| counts.add(part.counts()));
        points.push(Point {
            at: written_seconds(at),
            negative: counts.negative,
            neutral: counts.neutral,
            positive: counts.positive,
            net: counts.net(),
        });
        at += step;
    }
    points
}

/// Leaves out what is in nearly every text, and the brand's own name.
fn telling(terms: Vec<Term>, brand: &str, mentions: u64) -> Vec<Term> {
    let many = if mentions >= 20 { mentions * 2 / 5 } else { u64::MAX };
    let brand = brand.to_lowercase();
    let telling = |term: &Term| {
        term.mentions <= many
            && !brand.contains(&term.term)
            && !term.term.contains(&brand)
            && !GRAMMAR.contains(&term.term.as_str())
    };
    terms.into_iter().filter(telling).take(20).collect()
}

/// Words of four letters and more that say nothing of a subject, German and English.
const GRAMMAR: [&str; 101] = [
    "aber", "alle", "alles", "also", "auch", "beim", "bitte", "bist", "danke", "dann", "dass",
    "dein", "denn", "diese", "diesem", "diesen", "dieser", "dieses", "doch", "dort", "drei",
    "durch", "eben", "eine", "einem", "einen", "einer", "eines", "etwas", "euch", "fünf", "ganz",
    "geht", "gibt", "habe", "haben", "hatte", "heute", "hier", "ihre", "immer", "jetzt", "kann",
    "kein", "keine", "mehr", "mein", "meine", "meinem", "meinen", "mich", "muss", "nach", "nicht",
    "nichts", "noch", "nämlich", "oder", "ohne", "schon", "sein", "seit", "sich", "sind", "unter",
    "vier", "warum", "wegen", "weil", "wenn", "wieder", "wird", "würde", "zurück", "zwei", "about",
    "after", "again", "been", "because", "could", "from", "have", "into", "just", "like", "more",
    "only", "over", "that", "their", "there", "they", "this", "what", "when", "which", "will",
    "with", "would", "your",
];

impl Part {
    fn counts(&self) -> Counts {
        Counts {
            mentions: self.mentions,
            negative: self.negative,
            neutral: self.neutral,
            positive: self.positive,
            net: self.net,
        }
    }

    fn group(&self) -> Group {
        group(self.name.clone(), self.counts())
    }
}

fn group(name: String, counts: Counts) -> Group {
    Group {
        name,
        mentions: counts.mentions,
        negative: counts.negative,
        neutral: counts.neutral,
        positive: counts.positive,
        net: counts.net(),
    }
}

impl FoundGap {
    fn told(self) -> Gap {
        Gap {
            source: self.source,
            from: written_seconds(self.from),
            to: written_seconds(self.to),
            why: self.why,
            caught_up: self.caught_up,
        }
    }
}
