//! Texts a second on one thread.

use std::time::{Duration, Instant};

/// Passes over the texts; the best counts, since other work on the machine only slows.
const PASSES: usize = 3;
/// Texts taken at most.
pub(super) const MOST_TEXTS: usize = 20_000;

/// Texts a second of `work`, which goes through all `texts` texts.
pub(super) fn texts_a_second<T>(texts: usize, mut work: impl FnMut() -> T) -> f64 {
    let best = (0..PASSES)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(work());
            start.elapsed()
        })
        .min()
        .unwrap_or_default();
    texts as f64 / best.max(Duration::from_nanos(1)).as_secs_f64()
}

/// What to add where a figure comes from a build without optimisation.
pub(super) fn remark() -> &'static str {
    if cfg!(debug_assertions) { " (debug build: not comparable)" } else { "" }
}
