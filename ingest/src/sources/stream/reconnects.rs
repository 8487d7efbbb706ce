//! How long to wait before the next connection.

use std::time::{Duration, Instant};

use crate::source::SourceFault;

/// The pauses between connections to one server.
///
/// Each pause is drawn from the upper half of a bound that doubles with every connection that did
/// not hold; one that held for as long as the longest pause starts over. So neither a server that
/// refuses nor one that accepts and hangs up is hammered.
#[derive(Clone, Debug)]
pub struct Reconnects {
    first: Duration,
    longest: Duration,
    failures: u32,
    connected: Option<Instant>,
}

impl Reconnects {
    /// Pauses that begin at `first` and never pass `longest`.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0, connected: None }
    }

    /// A connection stands since `now`.
    pub fn connected(&mut self, now: Instant) {
        self.connected = Some(now);
    }

    /// It broke at `now`, or could not be made: the pause before the next.
    pub fn pause(&mut self, now: Instant) -> Duration {
        let held = self.connected.take().map_or(Duration::ZERO, |since| now - since);
        if held >= self.longest {
            self.failures = 0;
        }
        let bound = self.first.saturating_mul(1 << self.failures.min(16)).min(self.longest);
        self.failures = self.failures.saturating_add(1);
        bound.mul_f64(rand::random_range(0.5..1.0))
    }

    /// A fault that may pass, told with the pause before the next connection.
    pub fn paused(&mut self, fault: SourceFault) -> SourceFault {
        match fault {
            SourceFault::Transient { detail, retry_after: None } => {
                let retry_after = Some(self.pause(Instant::now()));
                SourceFault::Transient { detail, retry_after }
            }
            fault => fault,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_mins(1);

    #[test]
    fn a_server_that_hangs_up_at_once_is_left_alone_ever_longer() {
        let mut reconnects = Reconnects::new(FIRST, LONGEST);
        let now = Instant::now();
        let pauses: Vec<_> = (0..20)
            .map(|_| {
                reconnects.connected(now);
                reconnects.pause(now)
            })
            .collect();
        assert!(pauses[0] <= FIRST && pauses[19] >= LONGEST / 2, "{pauses:?}");
        assert!(pauses.iter().all(|pause| *pause <= LONGEST), "{pauses:?}");
    }

    #[test]
    fn a_connection_that_held_starts_over() {
        let mut reconnects = Reconnects::new(FIRST, LONGEST);
        let now = Instant::now();
        for _ in 0..10 {
            reconnects.pause(now);
        }
        reconnects.connected(now);
        assert!(reconnects.pause(now + LONGEST) <= FIRST);
    }
}
