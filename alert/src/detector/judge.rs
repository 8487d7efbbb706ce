//! The tests: is this minute's past still what chance would make?

use std::iter;

use super::{
    Detector, HOUR, LONG, SHARE_PRIOR, Series,
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
    pub(super) fn rise(&self, kind: Kind, at: i64, open: Option<u32>) -> Verdict {
        let series = match kind {
            Kind::Positive => Series::Positive,
            Kind::Volume => Series::Mentions,
            _ => Series::Voices,
        };
        let mut worst: Option<(f64, Evidence)> = None;
        let mut unusual: Option<Evidence> = None;
        for (index, length) in WINDOWS.into_iter().enumerate() {
            if self.past.hours.len() < (length / 60) as usize {
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
            // The more they repeat themselves, the more of them it takes.
            let each = match series {
                Series::Voices => f64::from(sums.negative) / counted.max(1.0),
                Series::Positive | Series::Mentions => 1.0,
            };
            let floor_of_voices = f64::from(rule.min_voices) * each.max(1.0) - 0.5;
            counted > floor && counted - expected >= floor_of_voices
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
            _ => self.given_the_others(series, index, counted, rest),
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

    /// Chance of so many, given how many others there are: both follow the same volume, of which the
    /// others tell how it differs from the expected one. The share wavers by itself as `firmness` says.
    ///
    /// The volume's factor is Gamma distributed a priori, with mean 1 and the variance that the excess
    /// of all mentions shows; what the others leave of it is again Gamma, so the count is negative
    /// binomial. Source: Gelman et al., "Bayesian Data Analysis", 3rd ed., section 2.6.
    fn given_the_others(&self, series: Series, index: usize, counted: f64, others: f64) -> f64 {
        let usual = self.usual_share(series);
        let shape = 1.0 / self.spread(Series::Mentions, index);
        let volume = |index: usize, others: f64| {
            let expected = self.expected(Series::Mentions, index) * (1.0 - usual);
            (shape + others) / (shape + expected)
        };
        let (hour, of_hour) = self.sums(series, HOUR);
        let of_hour = f64::from(hour.mentions) - of_hour;
        // The last hour knows of a campaign more than a short window does.
        let volume = volume(index, others).max(volume(HOUR, of_hour));
        let wavers = 1.0 / (self.rule.share_firmness * usual * (1.0 - usual));
        let doubt = self.baseline(series).level.doubt();
        let mean = self.expected(series, index) * volume;
        tail::at_least(counted, mean, 1.0 / (shape + others) + wavers + doubt)
    }

    pub(super) fn sums(&self, series: Series, index: usize) -> (Sums, f64) {
        let mut sums = self.past.short(index);
        if index >= SHORT.len() {
            sums = Sums::default();
            for hour in self.past.hours_to_now(hours(index)) {
                sums.add(&hour.counts);
            }
        }
        let counted = series.of(&sums);
        (sums, f64::from(counted))
    }

    fn merged(&self, index: usize, at: i64) -> Minute {
        if let Some(length) = SHORT.get(index) {
            return self.past.merged(at, *length);
        }
        let mut merged = Minute::quiet(at);
        self.past.hours_to_now(hours(index)).for_each(|hour| merged.absorb(&hour.counts));
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
        for (index, hours) in iter::once((HOUR, 1)).chain(LONG) {
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

/// Hours of a long window.
fn hours(index: usize) -> usize {
    WINDOWS.get(index).map_or(0, |minutes| (minutes / 60) as usize)
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
