//! How far a net sentiment could be off because only so many mentions were read.

use serde::Serialize;
use utoipa::ToSchema;

/// 95 % of a normal distribution lie within so many standard errors.
const Z: f64 = 1.96;

/// Counts of one brand in one period.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) mentions: u64,
    pub(crate) negative: u64,
    pub(crate) neutral: u64,
    pub(crate) positive: u64,
    /// Sum over the mentions of positive minus negative probability.
    pub(crate) net: f64,
}

/// Mean of positive minus negative probability, and where it lies with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Net {
    /// The mean, -1 to 1.
    pub(crate) value: f64,
    /// Lower end of the 95 % interval.
    pub(crate) low: f64,
    /// Upper end.
    pub(crate) high: f64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.mentions += other.mentions;
        self.negative += other.negative;
        self.neutral += other.neutral;
        self.positive += other.positive;
        self.net += other.net;
    }

    /// `None` where there are no mentions.
    pub(crate) fn net(&self) -> Option<Net> {
        let value = (self.mentions > 0).then(|| self.net / self.mentions as f64)?;
        let margin = Z * self.standard_error();
        Some(Net { value, low: (value - margin).max(-1.0), high: (value + margin).min(1.0) })
    }

    /// Of a difference of two multinomial shares, with half a mention added to each class so that
    /// few mentions never look certain.
    ///
    /// Source: Agresti and Min, "Simple improved confidence intervals for comparing matched
    /// proportions", Statistics in Medicine 24, 2005.
    fn standard_error(&self) -> f64 {
        let [negative, neutral, positive] =
            [self.negative, self.neutral, self.positive].map(|count| count as f64 + 0.5);
        let all = negative + neutral + positive;
        let difference = (positive - negative) / all;
        (((positive + negative) / all - difference * difference) / all).sqrt()
    }

    /// True when the change from `before` is larger than chance explains, 19 times of 20.
    pub(crate) fn differs_from(&self, before: &Self) -> bool {
        match (self.net(), before.net()) {
            (Some(now), Some(then)) => {
                let error = self.standard_error().hypot(before.standard_error());
                (now.value - then.value).abs() > Z * error
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(negative: u64, neutral: u64, positive: u64) -> Counts {
        let net = positive as f64 - negative as f64;
        Counts { mentions: negative + neutral + positive, negative, neutral, positive, net }
    }

    #[test]
    fn few_mentions_are_uncertain_and_many_are_not() {
        let width = |counts: Counts| counts.net().map(|net| net.high - net.low).unwrap();
        assert!(width(counts(0, 0, 1)) > 0.4);
        assert!(width(counts(0, 0, 1)) > width(counts(0, 0, 50)));
        assert!(width(counts(3000, 4000, 3000)) < 0.05);
        assert_eq!(counts(0, 0, 0).net(), None);
    }

    #[test]
    fn the_same_change_is_clear_on_many_mentions_and_chance_on_few() {
        assert!(!counts(3, 4, 3).differs_from(&counts(2, 4, 4)));
        assert!(counts(300, 400, 300).differs_from(&counts(200, 400, 400)));
        assert!(!counts(1, 1, 1).differs_from(&Counts::default()));
    }
}
