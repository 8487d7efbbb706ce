use std::time::Duration;

/// When a crashed engine is started again, and when it is given up.
#[derive(Debug, Clone)]
pub struct RestartPolicy {
    /// The pause after the first failure; it doubles with every further one.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// An engine that was ready for this long starts with a clean slate.
    pub healthy_after: Duration,
    /// After so many failures in a row the engine is given up.
    pub failures_in_a_row: u32,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(5),
            healthy_after: Duration::from_secs(30),
            failures_in_a_row: 6,
        }
    }
}

/// Counts one engine's failures against a policy.
#[derive(Debug)]
pub(crate) struct Failures {
    policy: RestartPolicy,
    in_a_row: u32,
}

impl Failures {
    pub(crate) fn new(policy: RestartPolicy) -> Self {
        Self { policy, in_a_row: 0 }
    }

    pub(crate) fn in_a_row(&self) -> u32 {
        self.in_a_row
    }

    /// Counts a failure after the engine had been ready for `ready_for`; returns
    /// the pause before the next start, or `None` when it is to be given up.
    pub(crate) fn record(&mut self, ready_for: Duration) -> Option<Duration> {
        if ready_for >= self.policy.healthy_after {
            self.in_a_row = 0;
        }
        self.in_a_row += 1;
        if self.in_a_row >= self.policy.failures_in_a_row {
            return None;
        }
        let doublings = (self.in_a_row - 1).min(16);
        Some(self.policy.first_pause.saturating_mul(1 << doublings).min(self.policy.longest_pause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_then_the_engine_is_given_up() {
        let mut failures = Failures::new(RestartPolicy {
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_millis(250),
            healthy_after: Duration::from_secs(30),
            failures_in_a_row: 4,
        });
        let pauses: Vec<_> = (0..4).map(|_| failures.record(Duration::ZERO)).collect();
        assert_eq!(
            pauses,
            [
                Some(Duration::from_millis(100)),
                Some(Duration::from_millis(200)),
                Some(Duration::from_millis(250)),
                None
            ]
        );
    }

    #[test]
    fn a_healthy_stretch_wipes_the_slate() {
        let mut failures = Failures::new(RestartPolicy::default());
        for _ in 0..4 {
            failures.record(Duration::ZERO);
        }
        let pause = failures.record(Duration::from_secs(31));
        assert_eq!(pause, Some(RestartPolicy::default().first_pause));
        assert_eq!(failures.in_a_row(), 1);
    }
}
