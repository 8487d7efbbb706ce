//! The tests: is this minute's past still what chance would make?

use super::{
    Detector, SHARE_PRIOR, Series,
    past::{SHORT, Sums},
    watch::Verdict,
};
use crate::{
    incident::Evidence,
    minute::Minute,
    rule::{Kind, WINDOWS},
    tail,
};

/// A window that is less likely than this keeps an incident open.
const UNUSUAL: f64 = 0.02;
/// A count that is more likely than this is no evidence, whatever the share says.
const COUNT_LIMIT: f64 = 0.02;

impl Detector {
    /// Tests every window of a kind that looks for more than usual.
    pub(super) fn rise(&self, kind: Kind, at: i64, whole_hour: bool, open: Option<u32>) -> Verdict {
        let series = match kind {
            Kind::Positive => Series::Positive,
            Kind::Volume => Series::Mentions,
            _ => Series::Voices,
        };
        let mut worst: Option<(f64, Evidence)> = None;
        let mut unusual: Option<Evidence> = None;
        for (index, length) in WINDOWS.into_iter().enumerate() {
            let short = index < SHORT.len();
            if !short && (!whole_hour || self.past.hours.len() < (length / 60) as usize) {
                continue;
            }
            let limit = self.rule.chance(index);
            let watched = open.is_some_and(|window| length == window.max(60));
            let Some(evidence) =
                self.test(series, index, at, if watched { UNUSUAL } else { limit })
            else {
                continue;
            };
            if watched {
                unusual = Some(evidence);
            }
            let surprise = evidence.chance / limit;
            if surprise <= 1.0
                && self.is_substantial(kind, &evidence)
                && worst.is_none_or(|(least, _)| surprise < least)
            {
                worst = Some((surprise, evidence));
            }
        }
        match (worst, unusual) {
            (Some((_, evidence)), _) => Verdict::Fires(evidence),
            (None, Some(evidence)) => Verdict::Unusual(evidence),
            // A long window speaks once an hour; between, an incident of its own is not calm.
            (None, None) if open.is_some_and(|window| window > 60) && !whole_hour => {
                Verdict::Unknown
            }
            (None, None) => Verdict::Calm,
        }
    }

    /// Whether a window holds more than `limit` allows, cheapest questions first.
    fn test(&self, series: Series, index: usize, at: i64, limit: f64) -> Option<Evidence> {
        let length = WINDOWS.get(index).copied()?;
        let (sums, mut counted) = self.sums(series, index);
        let rule = &self.rule;
        let expected = self.expected(series, index);
        let enough = |counted: f64| {
            let floor = if limit < UNUSUAL { expected * rule.min_ratio } else { expected };
            counted > floor && counted - expected.min(floor) >= f64::from(rule.min_voices) - 0.5
        };
        if sums.mentions < rule.min_mentions || !enough(counted) {
            return None;
        }
        let merged = (series == Series::Voices).then(|| self.merged(index, at));
        if let Some(merged) = &merged {
            counted = merged.distinct_voices();
            if !enough(counted) {
                return None;
            }
        }
        let of_count = tail::at_least(counted, expected, self.spread(series, index));
        if of_count > COUNT_LIMIT {
            return None;
        }
        let rest = f64::from(sums.mentions.saturating_sub(match series {
            Series::Positive => sums.positive,
            Series::Voices => sums.negative,
            Series::Mentions => sums.mentions,
        }));
        let (share, usual_share) = (counted / (counted + rest), self.usual_share(series));
        let chance = match series {
            Series::Mentions => of_count,
            _ => tail::both(of_count, self.share_chance(counted, counted + rest, usual_share)),
        };
        if chance > limit {
            return None;
        }
        Some(Evidence {
            window: length,
            observed: counted,
            expected,
            chance,
            share,
            usual_share,
            mentions: sums.mentions,
            authors: merged.map_or(0, |merged| merged.authors.about().round() as u32),
        })
    }

    pub(super) fn sums(&self, series: Series, index: usize) -> (Sums, f64) {
        let mut sums = self.past.short(index);
        if index >= SHORT.len() {
            sums = Sums::default();
            let hours = WINDOWS.get(index).map_or(0, |minutes| (minutes / 60) as usize);
            for hour in self.past.last_hours(hours) {
                sums.mentions += hour.counts.mentions;
                sums.negative += hour.counts.negative;
                sums.voices += hour.counts.voices;
                sums.positive += hour.counts.positive;
            }
        }
        let counted = match series {
            Series::Voices => sums.voices,
            Series::Positive => sums.positive,
            Series::Mentions => sums.mentions,
        };
        (sums, f64::from(counted))
    }

    fn merged(&self, index: usize, at: i64) -> Minute {
        if let Some(length) = SHORT.get(index) {
            return self.past.merged(at, *length);
        }
        let hours = WINDOWS.get(index).map_or(0, |minutes| (minutes / 60) as usize);
        let mut merged = Minute::quiet(at);
        self.past.last_hours(hours).for_each(|hour| merged.absorb(&hour.counts));
        merged
    }

    pub(super) fn usual_share(&self, series: Series) -> f64 {
        let hits = match series {
            Series::Voices => self.negative.counts(),
            Series::Positive => self.positive.level.counts(),
            Series::Mentions => return 1.0,
        };
        let (prior, weight) = SHARE_PRIOR;
        (hits + prior * weight) / (self.mentions.level.counts() + weight)
    }

    /// The second and third condition: the share rose, and different people say different things.
    fn is_substantial(&self, kind: Kind, evidence: &Evidence) -> bool {
        let rule = &self.rule;
        if kind == Kind::Negative && f64::from(evidence.authors) < f64::from(rule.min_voices) * 0.9
        {
            return false;
        }
        if kind == Kind::Volume {
            return true;
        }
        if evidence.share < evidence.usual_share * rule.share_ratio {
            return false;
        }
        let total = evidence.observed / evidence.share;
        self.share_chance(evidence.observed, total, evidence.usual_share) < rule.share_chance
    }

    /// Chance of such a share, were it the usual one; the usual one is known as well as `firmness`
    /// mentions would tell it.
    fn share_chance(&self, hits: f64, total: f64, usual: f64) -> f64 {
        let firmness = self.rule.share_firmness.min(self.mentions.level.counts() + SHARE_PRIOR.1);
        tail::share_at_least(hits, total, firmness * usual, firmness * (1.0 - usual))
    }

    /// Fewer mentions than usual in whole hours that were covered.
    pub(super) fn silence(&self, whole_hour: bool) -> Verdict {
        if !whole_hour {
            return Verdict::Unknown;
        }
        for (index, hours) in [(2, 1_usize), (3, 6), (4, 24)] {
            let covered = self.past.last_hours(hours).all(|hour| hour.covered == 60);
            if !covered || self.past.hours.len() < hours {
                continue;
            }
            let seen = self.seen_in_hours(Series::Mentions, hours);
            let expected = self.expected(Series::Mentions, index);
            let chance = tail::at_most(seen, expected, self.spread(Series::Mentions, index));
            if chance < self.rule.chance(index) && seen < expected * 0.2 {
                return Verdict::Fires(Evidence {
                    window: hours as u32 * 60,
                    observed: seen,
                    expected,
                    chance,
                    share: f64::NAN,
                    usual_share: self.usual_share(Series::Voices),
                    mentions: seen as u32,
                    authors: 0,
                });
            }
        }
        Verdict::Calm
    }

    pub(super) fn threshold(&self, at: i64) -> Verdict {
        let merged = self.past.merged(at, 60);
        if self.rule.threshold == 0 || merged.negative < self.rule.threshold {
            return Verdict::Calm;
        }
        Verdict::Fires(Evidence {
            window: 60,
            observed: f64::from(merged.negative),
            expected: self.expected(Series::Voices, 2),
            chance: 1.0,
            share: f64::from(merged.negative) / f64::from(merged.mentions.max(1)),
            usual_share: self.usual_share(Series::Voices),
            mentions: merged.mentions,
            authors: merged.authors.about().round() as u32,
        })
    }
}

/// The count that one hour in a thousand reaches.
pub(super) fn upper(expected: f64, spread: f64) -> f64 {
    let (mut low, mut high) = (expected, expected + 10.0);
    while tail::at_least(high, expected, spread) > 1e-3 {
        high *= 2.0;
    }
    while high - low > 0.5 {
        let middle = f64::midpoint(low, high);
        if tail::at_least(middle, expected, spread) > 1e-3 { low = middle } else { high = middle }
    }
    high.ceil()
}
