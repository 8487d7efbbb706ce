//! Quantiles of a Prometheus histogram in the text format.

/// Cumulative buckets: upper bound, observations up to it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Histogram(Vec<(f64, f64)>);

impl Histogram {
    /// The histogram of that name without labels in an exposition; empty where there is none.
    pub(crate) fn parse(exposition: &str, name: &str) -> Self {
        let buckets = exposition.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?.strip_prefix("_bucket{le=\"")?;
            let (bound, count) = rest.split_once("\"}")?;
            Some((bound.parse().ok()?, count.trim().parse().ok()?))
        });
        Self(buckets.collect())
    }

    /// What was observed since `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let before = |index: usize| earlier.0.get(index).map_or(0.0, |(_, count)| *count);
        let buckets = self.0.iter().enumerate();
        Self(buckets.map(|(index, (bound, count))| (*bound, count - before(index))).collect())
    }

    /// The value below which a share `q` lies, linear within its bucket as Prometheus'
    /// `histogram_quantile` does; `None` without observations or above the last finite bound.
    pub(crate) fn quantile(&self, q: f64) -> Option<f64> {
        let total = self.0.last().map(|(_, count)| *count).filter(|count| *count > 0.0)?;
        let wanted = total * q;
        let mut below = (0.0, 0.0);
        for &(bound, count) in &self.0 {
            if count >= wanted {
                let share =
                    if count > below.1 { (wanted - below.1) / (count - below.1) } else { 1.0 };
                let value = below.0 + (bound - below.0) * share;
                return value.is_finite().then_some(value);
            }
            below = (bound, count);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# TYPE x histogram\nx_bucket{le=\"0.5\"} 10\nx_bucket{le=\"1\"} 20\n\
        x_bucket{le=\"+Inf\"} 20\nx_sum 9\nx_count 20\nxy_bucket{le=\"1\"} 7\n";

    #[test]
    fn quantiles_lie_within_their_bucket() {
        let histogram = Histogram::parse(TEXT, "x");
        assert_eq!(histogram.quantile(0.25), Some(0.25));
        assert_eq!(histogram.quantile(0.75), Some(0.75));
        assert_eq!(histogram.quantile(1.0), Some(1.0));
        assert_eq!(Histogram::parse(TEXT, "absent").quantile(0.5), None);
    }

    #[test]
    fn only_what_came_since_is_looked_at() {
        let before = Histogram::parse(TEXT, "x");
        let after = Histogram(vec![(0.5, 10.0), (1.0, 40.0), (f64::INFINITY, 40.0)]);
        assert_eq!(after.since(&before).quantile(0.5), Some(0.75));
        assert_eq!(before.since(&before).quantile(0.5), None);
    }
}
