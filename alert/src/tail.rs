//! Exact tail probabilities of counts and shares.

use statrs::function::{beta::beta_reg, gamma::ln_gamma};

/// P(X >= `count`) for a negative binomial count with this mean and the variance
/// `mean + excess * mean²`; `excess` above 0.
///
/// The tail is a regularised incomplete beta function: `I(mean·excess / (1 + mean·excess); count, 1/excess)`
/// (Abramowitz & Stegun 26.5.26), so it is exact for one mention a day and for a thousand a minute.
pub(crate) fn at_least(count: f64, mean: f64, excess: f64) -> f64 {
    if count <= 0.0 {
        return 1.0;
    }
    if mean <= 0.0 {
        return 0.0;
    }
    let odds = mean * excess;
    beta_reg(count, 1.0 / excess, odds / (1.0 + odds)).clamp(0.0, 1.0)
}

/// P(X <= `count`) of the same.
pub(crate) fn at_most(count: f64, mean: f64, excess: f64) -> f64 {
    if mean <= 0.0 {
        return 1.0;
    }
    let odds = mean * excess;
    // The other end of the same integral, so that tiny values keep their digits.
    beta_reg(1.0 / excess, count + 1.0, 1.0 / (1.0 + odds)).clamp(0.0, 1.0)
}

/// P(X >= `hits`) of `total` draws whose share is Beta(`a`, `b`) distributed.
///
/// Summed outwards from `hits` by the ratio of neighbouring terms until they no longer count.
/// Source: Skellam, "A probability distribution derived from the binomial distribution by regarding
/// the probability of success as variable", JRSS B 10(2), 1948.
pub(crate) fn share_at_least(hits: f64, total: f64, a: f64, b: f64) -> f64 {
    let (hits, total) = (hits.round(), total.round());
    if hits <= 0.0 {
        return 1.0;
    }
    if hits > total {
        return 0.0;
    }
    if hits < total * a / (a + b) {
        // Not in the upper tail at all: nobody asks how far below.
        return 1.0;
    }
    let ln_beta = |x: f64, y: f64| ln_gamma(x) + ln_gamma(y) - ln_gamma(x + y);
    let ln_choose = ln_gamma(total + 1.0) - ln_gamma(hits + 1.0) - ln_gamma(total - hits + 1.0);
    let mut term = (ln_choose + ln_beta(hits + a, total - hits + b) - ln_beta(a, b)).exp();
    let (mut sum, mut at) = (term, hits);
    while at < total && term > sum * 1e-12 {
        term *= (total - at) / (at + 1.0) * (at + a) / (total - at - 1.0 + b);
        sum += term;
        at += 1.0;
    }
    sum.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-6, "{found} is not {expected}");
    }

    /// The same by summing the probabilities up.
    fn summed(count: u32, mean: f64, excess: f64) -> f64 {
        let size = 1.0 / excess;
        let term = |k: f64| {
            (ln_gamma(k + size) - ln_gamma(size) - ln_gamma(k + 1.0)
                + size * (size / (size + mean)).ln()
                + k * (mean / (size + mean)).ln())
            .exp()
        };
        (count..count + 4000).map(|k| term(f64::from(k))).sum()
    }

    #[test]
    fn both_tails_are_those_of_the_summed_distribution() {
        for (count, mean, excess) in
            [(1, 0.01, 0.1), (5, 0.7, 0.3), (40, 12.0, 0.05), (9, 2.0, 1.5)]
        {
            let expected = summed(count, mean, excess);
            close(at_least(f64::from(count), mean, excess), expected);
            let below = at_most(f64::from(count) - 1.0, mean, excess);
            assert!((below + expected - 1.0).abs() < 1e-9, "{below} + {expected}");
        }
    }

    #[test]
    fn a_uniform_share_makes_every_number_of_hits_equally_likely() {
        close(share_at_least(8.0, 9.0, 1.0, 1.0), 0.2);
        close(share_at_least(9.0, 9.0, 1.0, 1.0), 0.1);
    }

    #[test]
    fn what_cannot_happen_has_no_probability_and_nothing_is_certain() {
        assert!(at_least(0.0, 3.0, 0.1) >= 1.0);
        assert!(at_least(3.0, 0.0, 0.1) <= 0.0);
        assert!(share_at_least(4.0, 3.0, 2.0, 5.0) <= 0.0);
        assert!(at_least(4000.0, 2.0, 0.1) < 1e-100);
    }
}
