//! Who reacts to what, and when: engagement by source, members that help, hours that go well.

use axum::{
    Json,
    extract::{Query, State},
};
use clickhouse::Row;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    error::{ApiError, Failure},
    period::Period,
    server::Shared,
};

/// Members of one answer.
const MEMBERS: u32 = 15;
/// Whoever answered fewer questions is not listed.
const LEAST_HELP: u32 = 2;
/// A question may be so much older than the period in which it is answered, in seconds.
const MEMORY: i64 = 30 * 86_400;

/// Which mentions, and whose clock.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EngagementQuery {
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
    /// Time zone of days and hours, such as `Europe/Berlin`; UTC unless given.
    #[serde(default)]
    zone: String,
    /// Hours of what the brands' own accounts wrote (`true`) or of all mentions.
    #[serde(default)]
    own: bool,
}

/// Reactions in one period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Engagement {
    /// The most mentions first.
    sources: Vec<Reactions>,
    /// By pseudonym, whoever answered the most questions of others first. Own accounts and internal
    /// sources are left out.
    members: Vec<Member>,
    /// Hours of the week that have any mention.
    hours: Vec<Hour>,
}

/// What mentions of one source set off.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reactions {
    source: String,
    mentions: u64,
    /// Mentions of which the source tells reactions.
    counted: u64,
    /// Likes, replies and shares of those.
    reactions: u64,
    /// Mentions with any reaction.
    engaged: u64,
    /// Reactions for each person reached, of mentions whose reach is known. Absent where none is.
    rate: Option<f64>,
}

/// Somebody who helps.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Member {
    /// Pseudonym.
    author: String,
    source: String,
    /// Questions of others that were answered.
    questions: u64,
    answers: u64,
    /// Likes of the answers, as far as known.
    likes: u64,
}

/// One hour of the week.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Hour {
    /// 1 Monday to 7 Sunday.
    day: u8,
    /// 0 to 23.
    hour: u8,
    /// Mentions whose reactions are known: what `typical` rests on.
    mentions: u64,
    /// Typical reactions: the geometric mean of reactions plus one, less one. A single mention that
    /// everybody shared does not move it far.
    typical: f64,
}

#[derive(Row, Deserialize)]
struct FoundReactions {
    source: String,
    mentions: u64,
    counted: u64,
    reactions: u64,
    engaged: u64,
    rate: f64,
}

#[derive(Row, Deserialize)]
struct FoundMember {
    author: String,
    source: String,
    questions: u64,
    answers: u64,
    likes: u64,
}

#[derive(Row, Deserialize)]
struct FoundHour {
    day: u8,
    hour: u8,
    mentions: u64,
    typical: f64,
}

const CHOSEN: &str = "published_at >= toDateTime({from:Int64}, 'UTC') \
    AND published_at < toDateTime({to:Int64}, 'UTC') \
    AND ({brand:String} = '' OR has(brands, {brand:String})) \
    AND ({source:String} = '' OR source = {source:String})";

/// Whether the source tells any count, and what they come to.
const COUNTED: &str = "coalesce(likes, replies, shares) IS NOT NULL AS counts, \
    ifNull(likes, 0) + ifNull(replies, 0) + ifNull(shares, 0) AS reacted";

/// Reactions of a period.
#[utoipa::path(get, path = "/engagement", params(EngagementQuery), responses(
    (status = 200, body = Engagement), (status = 400, body = Failure), (status = 503, body = Failure)))]
pub(crate) async fn engagement(
    State(shared): State<Shared>,
    Query(query): Query<EngagementQuery>,
) -> Result<Json<Engagement>, ApiError> {
    let period = Period::between(&query.from, &query.to)?;
    let zone = zone(&query.zone)?;
    let sources = format!(
        "SELECT source::String AS source, count() AS mentions, countIf(counts) AS counted, \
            sum(reacted) AS reactions, countIf(reacted > 0) AS engaged, \
            sumIf(reacted, reach > 0) / sumIf(assumeNotNull(reach), reach > 0) AS rate \
         FROM (SELECT source, ifNull(reach, 0) AS reach, {COUNTED} FROM mentions WHERE {CHOSEN}) \
         GROUP BY source ORDER BY mentions DESC, source LIMIT 50"
    );
    let members = format!(
        "SELECT a.author AS author, a.source::String AS source, uniqExact(a.question) AS questions, \
            count() AS answers, sum(a.likes) AS likes \
         FROM (SELECT author, source, assumeNotNull(parent_id) AS question, ifNull(likes, 0) AS likes \
            FROM mentions WHERE {CHOSEN} AND isNotNull(parent_id) AND author != '' AND NOT internal \
            AND NOT has(brand_owned, true)) AS a \
         INNER JOIN (SELECT id, author FROM mentions WHERE question \
            AND published_at >= toDateTime({{asked:Int64}}, 'UTC') \
            AND published_at < toDateTime({{to:Int64}}, 'UTC')) AS q ON a.question = q.id \
         WHERE a.author != q.author GROUP BY author, source \
         HAVING questions >= {{least:UInt32}} ORDER BY questions DESC, likes DESC, author LIMIT {{members:UInt32}}"
    );
    let hours = format!(
        "SELECT toDayOfWeek(published_at, 0, {{zone:String}}) AS day, toHour(published_at, {{zone:String}}) AS hour, \
            count() AS mentions, exp(avg(log(1 + reacted))) - 1 AS typical \
         FROM (SELECT published_at, {COUNTED} FROM mentions WHERE {CHOSEN} \
            AND (NOT {{own:Bool}} OR has(brand_owned, true))) \
         WHERE counts GROUP BY day, hour ORDER BY day, hour"
    );
    let bind = |sql: clickhouse::query::Query| {
        sql.param("from", period.from)
            .param("to", period.to)
            .param("brand", &query.brand)
            .param("source", &query.source)
    };
    let (sources, members, hours) = tokio::try_join!(
        shared.reader.ask::<FoundReactions>(&sources, bind),
        shared.reader.ask::<FoundMember>(&members, |sql| {
            bind(sql)
                .param("asked", (period.from - MEMORY).max(0))
                .param("least", LEAST_HELP)
                .param("members", MEMBERS)
        }),
        shared
            .reader
            .ask::<FoundHour>(&hours, |sql| bind(sql).param("zone", zone).param("own", query.own)),
    )?;
    Ok(Json(Engagement {
        sources: sources.into_iter().map(FoundReactions::told).collect(),
        members: members.into_iter().map(FoundMember::told).collect(),
        hours: hours.into_iter().map(FoundHour::told).collect(),
    }))
}

/// A zone that exists. The store has the same ones.
fn zone(name: &str) -> Result<&str, ApiError> {
    if name.is_empty() {
        return Ok("UTC");
    }
    let known = name.len() <= 64 && TimeZone::get(name).is_ok();
    known
        .then_some(name)
        .ok_or_else(|| ApiError::parameter("zone", "must be a time zone such as Europe/Berlin"))
}

impl FoundReactions {
    fn told(self) -> Reactions {
        Reactions {
            source: self.source,
            mentions: self.mentions,
            counted: self.counted,
            reactions: self.reactions,
            engaged: self.engaged,
            rate: self.rate.is_finite().then_some(self.rate),
        }
    }
}

impl FoundMember {
    fn told(self) -> Member {
        Member {
            author: self.author,
            source: self.source,
            questions: self.questions,
            answers: self.answers,
            likes: self.likes,
        }
    }
}

impl FoundHour {
    fn told(self) -> Hour {
        Hour { day: self.day, hour: self.hour, mentions: self.mentions, typical: self.typical }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_zones_that_exist_reach_the_store() {
        assert_eq!(zone("").unwrap(), "UTC");
        assert_eq!(zone("Europe/Berlin").unwrap(), "Europe/Berlin");
        for none in ["Mars/Olympus", "../etc/passwd", "'", &"x".repeat(100)] {
            assert!(zone(none).is_err(), "{none}");
        }
    }
}
