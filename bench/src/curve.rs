//! Delays read off two curves: what was offered when, and what was counted when.

use std::time::Duration;

use crate::{counts::Seen, load::Accepted};

/// Delays of many mentions.
#[derive(Debug)]
pub(crate) struct Delays {
    /// Delay in seconds and number of mentions with it, shortest first.
    weighted: Vec<(f64, u64)>,
}

impl Delays {
    /// Seconds from a mention being due to the poll that first showed it.
    ///
    /// The n-th mention that was due is taken to be visible when at least n are counted. A mention
    /// that overtakes another leaves the mean as it is. Nothing is interpolated between two polls,
    /// so each delay is at most one poll too long, never too short.
    pub(crate) fn between(accepted: &[Accepted], seen: &[Seen]) -> Self {
        let mut accepted = accepted.to_vec();
        accepted.sort_by_key(|batch| batch.due);
        let mut weighted = Vec::new();
        let (mut batches, mut covered) = (accepted.into_iter().peekable(), 0);
        let mut left = batches.peek().map_or(0, |batch| batch.mentions);
        for poll in seen {
            while covered < poll.mentions {
                let Some(batch) = batches.peek() else { break };
                let now = left.min(poll.mentions - covered);
                weighted.push((poll.at.saturating_duration_since(batch.due).as_secs_f64(), now));
                covered += now;
                left -= now;
                if left == 0 {
                    batches.next();
                    left = batches.peek().map_or(0, |batch| batch.mentions);
                }
            }
        }
        weighted.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self { weighted }
    }

    /// The delay that a share `q` of the mentions does not exceed; `None` without mentions.
    pub(crate) fn quantile(&self, q: f64) -> Option<f64> {
        let total: u64 = self.weighted.iter().map(|(_, mentions)| mentions).sum();
        let wanted = total as f64 * q;
        let mut passed = 0;
        self.weighted.iter().find_map(|(delay, mentions)| {
            passed += mentions;
            (passed as f64 >= wanted).then_some(*delay)
        })
    }
}

/// Mentions a second between the first poll at least `warm_up` after the first one, and the last.
pub(crate) fn rate(seen: &[Seen], warm_up: Duration) -> Option<f64> {
    let (first, last) = (seen.first()?, seen.last()?);
    let from = seen.iter().find(|poll| poll.at >= first.at + warm_up)?;
    let seconds = last.at.saturating_duration_since(from.at).as_secs_f64();
    (seconds > 0.0).then(|| (last.mentions - from.mentions) as f64 / seconds)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn curves(accepted: &[(u64, u64)], seen: &[(u64, u64)]) -> (Vec<Accepted>, Vec<Seen>) {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        (
            accepted.iter().map(|&(ms, mentions)| Accepted { due: at(ms), mentions }).collect(),
            seen.iter().map(|&(ms, mentions)| Seen { at: at(ms), mentions }).collect(),
        )
    }

    fn delays(accepted: &[(u64, u64)], seen: &[(u64, u64)]) -> Vec<(f64, u64)> {
        let (accepted, seen) = curves(accepted, seen);
        Delays::between(&accepted, &seen).weighted
    }

    #[test]
    fn a_batch_that_is_counted_in_two_parts_has_two_delays() {
        let found = delays(&[(0, 10), (100, 10)], &[(50, 0), (300, 15), (600, 20)]);
        assert_eq!(found, [(0.2, 5), (0.3, 10), (0.5, 5)]);
    }

    #[test]
    fn batches_count_in_the_order_in_which_they_were_due() {
        let found = delays(&[(100, 1), (0, 1)], &[(200, 1), (1000, 2)]);
        assert_eq!(found, [(0.2, 1), (0.9, 1)]);
    }

    #[test]
    fn quantiles_weigh_by_mentions() {
        let (accepted, seen) = curves(&[(0, 99), (0, 1)], &[(100, 99), (2000, 100)]);
        let delays = Delays::between(&accepted, &seen);
        assert_eq!(delays.quantile(0.5), Some(0.1));
        assert_eq!(delays.quantile(0.99), Some(0.1));
        assert_eq!(delays.quantile(1.0), Some(2.0));
        assert_eq!(Delays::between(&[], &seen).quantile(0.5), None);
    }

    #[test]
    fn the_rate_leaves_the_warm_up_out() {
        let (_, seen) = curves(&[], &[(0, 0), (1000, 10), (2000, 1010), (4000, 3010)]);
        assert_eq!(rate(&seen, Duration::from_secs(1)), Some(1000.0));
        assert_eq!(rate(&seen[..1], Duration::from_secs(1)), None);
    }
}
