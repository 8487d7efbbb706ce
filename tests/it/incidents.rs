//! Days of a brand, and a day on which things go wrong.

use std::time::{SystemTime, UNIX_EPOCH};

use echolot_harness::{Pipeline, posts};
use echolot_schemas::{Timestamp, submission::Submission};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

/// Days before the present that are filled: more than the week that the detector learns.
pub(crate) const DAYS: i64 = 11;
/// Mentions an hour.
const HOURLY: u32 = 6;
/// Mentions in one request.
const REQUEST: usize = 400;

const NEGATIVE: [&str; 8] = [
    "terrible",
    "awful",
    "horrible",
    "a disgrace",
    "infuriating",
    "the worst ever",
    "pathetic",
    "miserable",
];
const FINE: [&str; 6] = ["fine", "as planned", "the usual", "on time", "quite nice", "great today"];
const WHAT: [&str; 10] = [
    "the evening tram",
    "ticket machines",
    "the phone line",
    "seat heating",
    "the new timetable",
    "bicycle racks",
    "door alarms",
    "the night bus",
    "station lifts",
    "the refund form",
];
const WHERE: [&str; 10] = [
    "near the harbour",
    "behind the town hall",
    "at the old mill",
    "in the northern quarter",
    "by the stadium",
    "along the river",
    "under the bridge",
    "at the fair",
    "opposite the theatre",
    "close to the zoo",
];
const WHO: [&str; 8] = [
    "my neighbour says",
    "after work",
    "with two children",
    "as every Tuesday",
    "for the third time",
    "on my way home",
    "carrying a cello",
    "in heavy rain",
];

/// Minutes since 1970, now.
pub(crate) fn this_minute() -> anyhow::Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / 60)?)
}

/// Says things about a brand, each in its own words and by an author of its own.
pub(crate) struct Town {
    brand: &'static str,
    chance: StdRng,
    said: u32,
}

impl Town {
    pub(crate) fn new(brand: &'static str, seed: u64) -> Self {
        Self { brand, chance: StdRng::seed_from_u64(seed), said: 0 }
    }

    fn say(&mut self, negative: bool, at: i64) -> Submission {
        self.said += 1;
        let mut word =
            |words: &[&'static str]| words.choose(&mut self.chance).copied().unwrap_or_default();
        let (what, place, who) = (word(&WHAT), word(&WHERE), word(&WHO));
        let brand = self.brand;
        let text = if negative {
            let (how, again) = (word(&NEGATIVE), word(&NEGATIVE));
            format!("{brand} is {how}: {what} {place} {who}, {again} service")
        } else {
            format!("{brand}, {who}: {what} {place}, {}", word(&FINE))
        };
        let at = Timestamp::from_millis(
            at * 60_000 + i64::from(self.chance.random_range(0..60_000_u32)),
        );
        let id = format!("t-{}", self.said);
        let author = Some(format!("rider_{}", self.said));
        Submission { author, ..posts::said(&id, &text, at) }
    }

    /// An ordinary time: a fifth is negative.
    pub(crate) fn ordinary(&mut self, from: i64, to: i64) -> Vec<Submission> {
        let chance = f64::from(HOURLY) / 60.0;
        let mut all = Vec::new();
        for at in from..to {
            if self.chance.random_bool(chance) {
                let negative = self.chance.random_bool(0.2);
                all.push(self.say(negative, at));
            }
        }
        all
    }

    /// So many complaints within minute `at`.
    pub(crate) fn complaints(&mut self, at: i64, count: u32) -> Vec<Submission> {
        (0..count).map(|_| self.say(true, at)).collect()
    }
}

/// Pushes all of it; returns when it can be seen.
pub(crate) async fn push(pipeline: &Pipeline, all: &[Submission]) -> anyhow::Result<()> {
    let push = pipeline.push()?;
    let before = pipeline.shown().await.unwrap_or_default();
    for some in all.chunks(REQUEST) {
        push.mentions(some).await?;
    }
    pipeline.until_shown(before + all.len() as u64).await
}
