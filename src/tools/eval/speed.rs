//! Texts a second on one thread.

use std::time::{Duration, Instant};

/// Passes over the texts; the best counts, since other work on the machine only slows.
const PASSES: usize = 3;
/// Texts taken at most.
pub(super) const MOST_TEXTS: usize = 20_000;
/// Texts that show how many a pass can take.
const PILOT: usize = 256;
/// How long a pass may take.
const PASS: Duration = Duration::from_secs(10);

/// Texts a second of `work` on one thread.
pub(super) fn of<T>(texts: &[String], mut work: impl FnMut(&[String]) -> T) -> f64 {
    let mut rate = |texts: &[String]| {
        let start = Instant::now();
        std::hint::black_box(work(texts));
        texts.len() as f64 / start.elapsed().max(Duration::from_nanos(1)).as_secs_f64()
    };
    let pilot = rate(&texts[..texts.len().min(PILOT)]);
    let fits = |pilots: &usize| (pilots * PILOT) as f64 <= pilot * PASS.as_secs_f64();
    let pilots = (1..=MOST_TEXTS / PILOT).take_while(fits).count().max(1);
    let part = &texts[..texts.len().min(pilots * PILOT)];
    (0..PASSES).map(|_| rate(part)).fold(0.0, f64::max)
}

/// What to add where a figure comes from a build without optimisation.
pub(super) fn remark() -> &'static str {
    if cfg!(debug_assertions) { " (debug build: not comparable)" } else { "" }
}
