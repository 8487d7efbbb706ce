//! Which minutes of a brand are whole: a quiet brand and a source that is down look alike in counts.

use std::collections::HashMap;

use clickhouse::Row;
use echolot_store::{Action, Store, StoreError};
use serde::Deserialize;

use crate::{history, pauses::pauses};

/// When sources that bring this share of a brand's mentions, or more, are down at the same time, its
/// counts are not whole. Silence asks for a fall by four fifths, so less cannot pass for it.
const DOWN_SHARE: f64 = 0.2;
/// Days of mentions from which it is told what each source brings.
const SHARES_OF: i64 = 30;
/// Minutes of which pauses are looked for anew each time; those of older ones stand.
const PRESENT: i64 = 3 * 1440;
/// Minutes within which a source must have answered to speak for the present.
const FRESH: i64 = 60;

/// From which minute to which, both of them too.
pub type Stretch = (i64, i64);

/// Times in which mentions may be missing, in order and apart from each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps(Vec<Stretch>);

impl Gaps {
    /// From stretches in any order that may overlap.
    pub fn new(mut stretches: Vec<Stretch>) -> Self {
        stretches.retain(|(from, to)| from <= to);
        stretches.sort_unstable();
        let mut apart: Vec<Stretch> = Vec::with_capacity(stretches.len());
        for (from, to) in stretches {
            match apart.last_mut() {
                Some((_, last)) if from <= *last + 1 => *last = to.max(*last),
                _ => apart.push((from, to)),
            }
        }
        Self(apart)
    }

    /// Whether a minute is in one.
    pub fn hold(&self, minute: i64) -> bool {
        let next = self.0.partition_point(|(from, _)| *from <= minute);
        let before = next.checked_sub(1).and_then(|index| self.0.get(index));
        before.is_some_and(|(_, to)| minute <= *to)
    }
}

/// One source.
#[derive(Clone, Debug, Default)]
struct Source {
    gaps: Vec<Stretch>,
    vouched: bool,
}

/// What ingest noted of its sources, and what each brings to each brand.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    from: i64,
    sources: HashMap<String, Source>,
    shares: HashMap<String, Vec<(String, f64)>>,
    /// Minutes in which anything was said.
    heard: Vec<(i64, u32)>,
    /// When nothing at all was, for too long.
    pauses: Vec<Stretch>,
}

#[derive(Row, Deserialize)]
struct Brought {
    brand: String,
    source: String,
    share: f64,
}

#[derive(Row, Deserialize)]
struct State {
    source: String,
    ok: bool,
    last: i64,
}

#[derive(Row, Deserialize)]
struct GapRow {
    source: String,
    from: i64,
    to: i64,
}

impl Coverage {
    /// Reads everything about the minutes from `from` to the present one, `now`. What a source told
    /// afterwards is not missing.
    pub async fn load(store: &Store, (from, now): Stretch) -> Result<Self, StoreError> {
        let shares = format!(
            "SELECT brand, source, toFloat64(sum(mentions)) / sum(sum(mentions)) OVER (PARTITION BY \
             brand) AS share FROM {}.sentiment_by_day WHERE day >= toDate(fromUnixTimestamp64Milli(\
             {{since:Int64}}, 'UTC')) AND brand NOT IN ('', '*') AND NOT owned GROUP BY brand, source",
            store.published()
        );
        let since = (now - SHARES_OF * 1440) * 60_000;
        let brought = store
            .fetch_bound::<Brought>(Action::Read, &shares, |query| query.param("since", since))
            .await?;
        let mut coverage = Self { from, ..Self::default() };
        for Brought { brand, source, share } in brought {
            coverage.shares.entry(brand).or_default().push((source, share));
        }
        coverage.refresh(store, now).await?;
        Ok(coverage)
    }

    /// Reads anew how sources are.
    pub async fn refresh(&mut self, store: &Store, now: i64) -> Result<(), StoreError> {
        let states = format!(
            "SELECT source, state = 'ok' AS ok, \
             intDiv(toUnixTimestamp(ifNull(last_success, at)), 60)::Int64 AS last \
             FROM {}.source_coverage FINAL",
            store.published()
        );
        let gaps = format!(
            "SELECT source, intDiv(toUnixTimestamp(from_time), 60)::Int64 AS from, \
             intDiv(toUnixTimestamp(ifNull(to_time, now())), 60)::Int64 AS to \
             FROM {}.source_gaps FINAL WHERE NOT caught_up",
            store.published()
        );
        let states = store.fetch::<State>(Action::Read, &states).await?;
        let gaps = store.fetch::<GapRow>(Action::Read, &gaps).await?;
        let since = if self.heard.is_empty() { self.from } else { self.from.max(now - PRESENT) };
        self.heard.retain(|(at, _)| *at < since);
        self.heard.extend(history::heard(store, (since, now)).await?);
        self.pauses = pauses(&self.heard, now);
        self.sources.clear();
        for State { source, ok, last } in states {
            let known = self.sources.entry(source).or_default();
            known.vouched = ok && now - last <= FRESH;
            if !ok {
                known.gaps.push((last + 1, now));
            }
        }
        for GapRow { source, from, to } in gaps {
            self.sources.entry(source).or_default().gaps.push((from, to));
        }
        Ok(())
    }

    /// When mentions of a brand may be missing: when too many of its sources were down or, where they do
    /// not tell how they are, nobody at all was spoken of.
    pub fn of(&self, brand: &str) -> Gaps {
        let mut edges: Vec<(i64, f64)> = Vec::new();
        let mut vouched = 0.0;
        for (source, share) in self.shares.get(brand).into_iter().flatten() {
            let Some(source) = self.sources.get(source) else { continue };
            if source.vouched {
                vouched += share;
            }
            for (from, to) in Gaps::new(source.gaps.clone()).0 {
                edges.extend([(from, *share), (to + 1, -share)]);
            }
        }
        // What begins goes before what ends, so that gaps that follow each other are one.
        edges.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        let mut gaps = Vec::new();
        let (mut down, mut since) = (0.0, None);
        for (at, share) in edges {
            down += share;
            let too_many = down >= DOWN_SHARE - 1e-9;
            match (too_many, since) {
                (true, None) => since = Some(at),
                (false, Some(from)) => {
                    gaps.push((from, at - 1));
                    since = None;
                }
                _ => {}
            }
        }
        if vouched < 1.0 - DOWN_SHARE {
            gaps.extend(&self.pauses);
        }
        Gaps::new(gaps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coverage(shares: &[(&str, f64)], sources: &[(&str, bool, &[Stretch])]) -> Coverage {
        let shares = shares.iter().map(|(name, share)| ((*name).to_owned(), *share)).collect();
        let source = |(name, vouched, gaps): &(&str, bool, &[Stretch])| {
            ((*name).to_owned(), Source { gaps: gaps.to_vec(), vouched: *vouched })
        };
        Coverage {
            sources: sources.iter().map(source).collect(),
            shares: HashMap::from([("a".to_owned(), shares)]),
            pauses: vec![(100, 120)],
            ..Coverage::default()
        }
    }

    #[test]
    fn gaps_are_put_in_order_and_made_one_where_they_touch() {
        let gaps = Gaps::new(vec![(50, 60), (10, 20), (15, 30), (31, 32), (9, 5)]);
        assert_eq!(gaps, Gaps(vec![(10, 32), (50, 60)]));
        let held: Vec<i64> = (0..70).filter(|minute| gaps.hold(*minute)).collect();
        assert_eq!((held.len(), held.first(), held.last()), (34, Some(&10), Some(&60)));
    }

    #[test]
    fn small_sources_make_a_gap_only_together() {
        let shares = [("large", 0.7), ("small", 0.15), ("other", 0.15)];
        let found = coverage(
            &shares,
            &[("small", true, &[(10, 40)]), ("other", true, &[(30, 60), (50, 80)])],
        );
        assert_eq!(found.of("a"), Gaps::new(vec![(30, 40), (100, 120)]));
        let large = coverage(&shares, &[("large", true, &[(5, 9)])]);
        assert_eq!(large.of("a"), Gaps::new(vec![(5, 9), (100, 120)]));
    }

    #[test]
    fn a_pause_of_everything_is_believed_where_nearly_all_sources_are_known_to_be_well() {
        let shares = [("polled", 0.85), ("pushed", 0.15)];
        let down = Gaps::new(vec![(100, 120)]);
        assert_eq!(coverage(&shares, &[("polled", true, &[])]).of("a"), Gaps::default());
        assert_eq!(coverage(&shares, &[("polled", false, &[])]).of("a"), down);
        assert_eq!(coverage(&shares, &[]).of("b"), down);
    }
}
