//! What is expected: level, season, and how far counts stray from them by themselves.

use crate::calendar::HOURS_OF_WEEK;

/// Half-life of levels, hours: two weeks.
const LEVEL_HALF_LIFE: f64 = 14.0 * 24.0;
/// Half-life of seasons, hours: six weeks.
const SEASON_HALF_LIFE: f64 = 42.0 * 24.0;
/// Expected counts that an hour of the day, a weekday or a cell must have seen before its own data
/// weighs as much as what is known one step up.
const SHRINKAGE: f64 = 20.0;
/// Extra variance that is assumed before data says otherwise, as a share of the squared mean.
const EXCESS_PRIOR: f64 = 0.10;
/// Weight of that assumption, in squared expected counts.
const EXCESS_WEIGHT: f64 = 40.0;
/// Bounds of what data may say.
const EXCESS_BOUNDS: (f64, f64) = (0.004, 3.0);

fn decay(half_life: f64) -> f64 {
    0.5_f64.powf(1.0 / half_life)
}

/// Counts an hour, forgetting what is long past: the mean of a Gamma posterior.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Level {
    counts: f64,
    exposure: f64,
}

impl Level {
    /// An hour with this many counts and this much exposure, in usual hours.
    pub(crate) fn learn(&mut self, counts: f64, exposure: f64) {
        let keep = decay(LEVEL_HALF_LIFE);
        self.counts = self.counts * keep + counts;
        self.exposure = self.exposure * keep + exposure;
    }

    /// Counts an hour of usual season.
    pub(crate) fn rate(&self) -> f64 {
        if self.exposure > 0.0 { self.counts / self.exposure } else { 0.0 }
    }

    /// What not knowing the level adds to the excess variance: 1 / shape of the posterior.
    pub(crate) fn doubt(&self) -> f64 {
        1.0 / (self.counts + 1.0)
    }

    /// Counts remembered.
    pub(crate) const fn counts(&self) -> f64 {
        self.counts
    }

    /// Forgets most, so that what comes now soon rules.
    pub(crate) fn forget(&mut self, keep: f64) {
        self.counts *= keep;
        self.exposure *= keep;
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    counts: f64,
    visits: f64,
}

impl Cell {
    fn add(&mut self, other: &Self) {
        self.counts += other.counts;
        self.visits += other.visits;
    }

    /// Factor over `usual` counts a visit, drawn to 1 where little was seen.
    fn factor(&self, usual: f64) -> f64 {
        (self.counts + SHRINKAGE) / (self.visits * usual + SHRINKAGE)
    }
}

/// Factors of the hours of the week: hour of the day times weekday times what is left, each shrunk
/// to 1. Learned from all mentions of a brand, since negative ones alone are too few.
#[derive(Clone, Debug)]
pub(crate) struct Season {
    cells: Vec<Cell>,
    factors: Vec<f64>,
}

impl Default for Season {
    fn default() -> Self {
        Self { cells: vec![Cell::default(); HOURS_OF_WEEK], factors: vec![1.0; HOURS_OF_WEEK] }
    }
}

impl Season {
    /// Factor of an hour of the week; 1 is the mean hour.
    pub(crate) fn factor(&self, hour_of_week: u8) -> f64 {
        self.factors.get(usize::from(hour_of_week)).copied().unwrap_or(1.0)
    }

    /// An hour and what was counted in it.
    pub(crate) fn learn(&mut self, hour_of_week: u8, counts: f64) {
        let Some(cell) = self.cells.get_mut(usize::from(hour_of_week)) else { return };
        let keep = decay(SEASON_HALF_LIFE / HOURS_OF_WEEK as f64);
        cell.counts = cell.counts * keep + counts;
        cell.visits = cell.visits * keep + 1.0;
    }

    /// Takes what was learned into use; once a day is enough.
    pub(crate) fn refresh(&mut self) {
        let (mut all, mut hours, mut days) =
            (Cell::default(), [Cell::default(); 24], [Cell::default(); 7]);
        for (index, cell) in self.cells.iter().enumerate() {
            all.add(cell);
            hours[index % 24].add(cell);
            days[index / 24].add(cell);
        }
        let usual = all.counts / all.visits.max(1.0);
        for (index, (factor, cell)) in self.factors.iter_mut().zip(&self.cells).enumerate() {
            let base = hours[index % 24].factor(usual) * days[index / 24].factor(usual);
            *factor = base * cell.factor(usual * base);
        }
        let mean = self.factors.iter().sum::<f64>() / HOURS_OF_WEEK as f64;
        self.factors.iter_mut().for_each(|factor| *factor /= mean);
    }
}

/// Variance beyond that of pure chance: `(variance - mean) / mean²`, the parameter of the negative
/// binomial, by moments. Source: Hilbe, "Negative Binomial Regression", 2nd ed., ch. 8.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Excess {
    strayed: f64,
    expected: f64,
}

impl Excess {
    /// A window without an incident. Counts beyond four standard deviations are taken as that:
    /// what is rare must not make itself usual.
    pub(crate) fn learn(&mut self, counts: f64, expected: f64) {
        let keep = decay(LEVEL_HALF_LIFE);
        let counts = counts.min(self.ceiling(expected));
        let strayed = (counts - expected).powi(2) - expected;
        self.strayed = self.strayed * keep + strayed;
        self.expected = self.expected * keep + expected.powi(2);
    }

    /// The parameter.
    pub(crate) fn value(&self) -> f64 {
        let value = (self.strayed + EXCESS_PRIOR * EXCESS_WEIGHT) / (self.expected + EXCESS_WEIGHT);
        value.clamp(EXCESS_BOUNDS.0, EXCESS_BOUNDS.1)
    }

    /// Four standard deviations above the mean, and two counts.
    pub(crate) fn ceiling(&self, expected: f64) -> f64 {
        expected + 4.0 * (expected + self.value() * expected.powi(2)).sqrt() + 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_season_with_little_data_stays_flat_and_with_much_data_shows() {
        let learned = |per_hour: f64| {
            let mut season = Season::default();
            for hour in 0..168 * 8_u32 {
                let how = u8::try_from(hour % 168).unwrap();
                let busy = (8..20).contains(&(how % 24));
                season.learn(how, if busy { 1.8 * per_hour } else { 0.2 * per_hour });
            }
            season.refresh();
            season
        };
        assert!((learned(0.01).factor(12) - 1.0).abs() < 0.1);
        assert!((learned(100.0).factor(12) - 1.8).abs() < 0.1);
        assert!((learned(100.0).factor(3) - 0.2).abs() < 0.05);
    }

    #[test]
    fn one_incident_does_not_become_usual() {
        let mut excess = Excess::default();
        (0..500).for_each(|i| excess.learn(f64::from(8 + i % 5), 10.0));
        let before = excess.value();
        excess.learn(500.0, 10.0);
        assert!(excess.value() < before + 0.05, "{} {before}", excess.value());
    }
}
