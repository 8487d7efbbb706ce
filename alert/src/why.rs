//! Why: what stands out in an incident against the fortnight before it.

use clickhouse::Row;
use echolot_store::{Action, Store, StoreError};
use serde::{Deserialize, Serialize};

/// Days before the incident that terms are compared with.
const BEFORE: i64 = 14 * 1440;
/// Terms that are told.
const TERMS: usize = 12;
/// Weight of the prior, in words. Source: see [`log_odds`].
const PRIOR: f64 = 500.0;

/// What stands out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// Words of the negative mentions, the most over-represented first, with their z score.
    pub terms: Vec<(String, f64)>,
    /// Ids and addresses of the mentions with the most engagement.
    pub top_mentions: Vec<(String, String)>,
    /// Sources with their negative mentions.
    pub sources: Vec<(String, u64)>,
    /// Languages with their negative mentions.
    pub languages: Vec<(String, u64)>,
    /// Id and published time of the first negative mention.
    pub first: Option<(String, String)>,
}

#[derive(Row, Deserialize)]
struct Term {
    word: String,
    now: u64,
    before: u64,
    all_now: u64,
    all_before: u64,
}

#[derive(Row, Deserialize)]
struct Facts {
    count: u64,
    first: String,
    first_at: String,
    sources: Vec<(String, u64)>,
    languages: Vec<(String, u64)>,
    top: Vec<(String, String)>,
}

/// How much more often a term is used now than before, in standard deviations: log-odds ratio with an
/// informative Dirichlet prior, so that rare words do not win by being rare.
///
/// Source: Monroe, Colaresi, Quinn, "Fightin' Words", Political Analysis 16(4), 2008, eq. 15-22.
fn log_odds(now: f64, before: f64, all_now: f64, all_before: f64) -> f64 {
    let prior = PRIOR * (now + before) / (all_now + all_before).max(1.0);
    let odds =
        |count: f64, all: f64| ((count + prior) / (all + PRIOR - count - prior).max(0.5)).ln();
    let variance = 1.0 / (now + prior) + 1.0 / (before + prior);
    (odds(now, all_now) - odds(before, all_before)) / variance.sqrt()
}

/// Asks the store about the negative mentions of `brand` in `from..=to`, minutes since 1970.
pub(crate) async fn ask(store: &Store, brand: &str, from: i64, to: i64) -> Result<Why, StoreError> {
    let published = store.published();
    let mentions = format!(
        "FROM {published}.mentions WHERE has(brands, {{brand:String}}) AND polarity = 'negative' \
         AND published_at < fromUnixTimestamp64Milli({{to:Int64}}, 'UTC') AND published_at >= "
    );
    let terms = format!(
        "SELECT word, countIf(recent) AS now, countIf(NOT recent) AS before, \
         sum(now) OVER () AS all_now, sum(before) OVER () AS all_before FROM (\
         SELECT published_at >= fromUnixTimestamp64Milli({{from:Int64}}, 'UTC') AS recent, \
         arrayJoin(arrayDistinct(arrayFilter(w -> lengthUTF8(w) BETWEEN 4 AND 40, \
         extractAll(replaceRegexpAll(lowerUTF8(text), '(https?://|@)\\\\S+', ''), '\\\\p{{L}}+')))) \
         AS word {mentions} fromUnixTimestamp64Milli({{before:Int64}}, 'UTC')) \
         GROUP BY word HAVING now >= 2 ORDER BY now DESC, word LIMIT 2000"
    );
    let facts = format!(
        "SELECT count() AS count, toString(argMin(id, published_at)) AS first, \
         toString(min(published_at)) AS first_at, \
         arrayMap(s -> (s, countEqual(groupArray(10000)(source) AS s1, s)), \
         topK(8)(source::String)) AS sources, \
         arrayMap(l -> (l, countEqual(groupArray(10000)(language) AS l1, l)), \
         topK(8)(language::String)) AS languages, \
         arrayMap(m -> (m.2, m.3), arraySlice(arrayReverseSort(groupArray(10000)((ifNull(likes, 0) \
         + 2 * ifNull(shares, 0) + ifNull(replies, 0), toString(id), url))), 1, 5)) AS top \
         {mentions} fromUnixTimestamp64Milli({{from:Int64}}, 'UTC')"
    );
    let bind = |query: clickhouse::query::Query| {
        query.param("brand", brand).param("from", from * 60_000).param("to", (to + 1) * 60_000)
    };
    let before = (from - BEFORE) * 60_000;
    let found = store
        .fetch_bound::<Term>(Action::Read, &terms, |query| bind(query).param("before", before))
        .await?;
    let mut terms: Vec<(String, f64)> = found
        .into_iter()
        .map(|found| {
            let [now, before, all_now, all_before] =
                [found.now, found.before, found.all_now, found.all_before].map(|n| n as f64);
            (found.word, log_odds(now, before, all_now, all_before))
        })
        .filter(|(_, score)| *score > 0.5)
        .collect();
    terms.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    terms.truncate(TERMS);
    let found = store.fetch_bound::<Facts>(Action::Read, &facts, bind).await?;
    let Some(facts) = found.into_iter().next().filter(|facts| facts.count > 0) else {
        return Ok(Why { terms, ..Why::default() });
    };
    Ok(Why {
        terms,
        top_mentions: facts.top,
        sources: facts.sources,
        languages: facts.languages,
        first: Some((facts.first, facts.first_at)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_word_stands_out_and_a_usual_one_does_not() {
        let new = log_odds(30.0, 0.0, 400.0, 4000.0);
        let usual = log_odds(40.0, 400.0, 400.0, 4000.0);
        let rare = log_odds(2.0, 0.0, 400.0, 4000.0);
        assert!(new > 3.0 && usual.abs() < 0.1 && rare < new, "{new} {usual} {rare}");
    }
}
