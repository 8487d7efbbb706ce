//! Bootstrap intervals (Efron and Tibshirani 1993, percentile method), with a fixed seed.

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::Serialize;

use super::metrics::{Judged, Metric, Sums};

/// Resamples for each interval.
const RESAMPLES: usize = 1000;
const SEED: u64 = 20_261_123;

/// A value and the middle 95 % of its resamples.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Interval {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// Every measure of one set; a mean of sets resamples each of them.
pub(super) fn intervals(sets: &[&[Judged]]) -> Vec<(Metric, Interval)> {
    let mut draw = StdRng::seed_from_u64(SEED);
    let resamples: Vec<Vec<Sums>> = (0..RESAMPLES)
        .map(|_| {
            sets.iter()
                .map(|rows| {
                    Sums::of((0..rows.len()).map(|_| &rows[draw.random_range(0..rows.len())]))
                })
                .collect()
        })
        .collect();
    let whole: Vec<Sums> = sets.iter().map(|rows| Sums::of(*rows)).collect();
    Metric::ALL
        .into_iter()
        .map(|metric| {
            let values = resamples.iter().map(|sets| mean(metric, sets)).collect();
            (metric, percentiles(mean(metric, &whole), values))
        })
        .collect()
}

/// The share of right answers among so many.
pub(super) fn share(right: usize, texts: usize) -> Interval {
    let mut draw = StdRng::seed_from_u64(SEED);
    let value = right as f64 / texts.max(1) as f64;
    let resample = |_| (0..texts).filter(|_| draw.random_range(0..texts) < right).count();
    let values =
        (0..RESAMPLES).map(resample).map(|right| right as f64 / texts.max(1) as f64).collect();
    percentiles(value, values)
}

fn mean(metric: Metric, sets: &[Sums]) -> f64 {
    sets.iter().map(|sums| metric.value(sums)).sum::<f64>() / sets.len().max(1) as f64
}

fn percentiles(value: f64, mut values: Vec<f64>) -> Interval {
    values.sort_by(f64::total_cmp);
    let at = |share: usize| values[(values.len() - 1) * share / 1000];
    Interval { value, low: at(25), high: at(975) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_holds_its_value_and_is_the_same_every_time() {
        let rows: Vec<Judged> = (0..300)
            .map(|at| Judged {
                gold: at % 3,
                said: (at % 3 + at % 2) % 3,
                confidence: 0.5,
                length: 9,
            })
            .collect();
        let (once, again) = (intervals(&[&rows]), intervals(&[&rows]));
        for ((metric, first), (_, second)) in once.iter().zip(&again) {
            assert!(first.low <= first.value && first.value <= first.high, "{metric:?} {first:?}");
            assert!(
                first.low.total_cmp(&second.low).is_eq()
                    && first.high.total_cmp(&second.high).is_eq()
            );
        }
    }

    #[test]
    fn the_share_of_few_texts_is_less_certain_than_that_of_many() {
        let (few, many) = (share(9, 10), share(900, 1000));
        assert!(few.high - few.low > 3.0 * (many.high - many.low));
    }
}
