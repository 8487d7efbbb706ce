//! How a transient fault is waited out: exponential backoff with jitter.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);

/// The pauses between attempts. Each pause is drawn from the upper half of its bound, so
/// that roles that failed together do not come back together.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The pause before the next attempt.
    pub fn next_pause(&mut self) -> Duration {
        let bound = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        bound.mul_f64(rand::random_range(0.5..1.0))
    }

    /// Attempts that failed so far.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        let mut backoff = Backoff::default();
        let pauses: Vec<Duration> = (0..40).map(|_| backoff.next_pause()).collect();
        assert!(pauses[0] < Duration::from_millis(51));
        assert!(pauses[39] >= LONGEST / 2 && pauses.iter().all(|pause| *pause <= LONGEST));
    }
}
