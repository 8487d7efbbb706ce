//! Brands that never were: baselines from 5 to 50,000 mentions a day, with incidents and traps whose
//! time is known. The same seed gives the same minutes.

use rand::{Rng, SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, Gamma, Poisson};

use crate::{Minute, calendar::Calendar};

/// Share of negative mentions when nothing is the matter.
pub const USUAL_SHARE: f64 = 0.2;
/// Minutes of a day.
const DAY: i64 = 1440;
/// First minute: Monday 2026-03-02T00:00Z, so that daylight saving time begins in the fourth week.
pub const START: i64 = 29_540_160;

/// How an incident's negativity runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// All at once, for six hours.
    Step,
    /// Rising for three hours, then three at its height.
    Ramp,
    /// Half an hour at three times its size, then an hour and a half at its size.
    Burst,
    /// A day and a half.
    SlowBurn,
}

impl Shape {
    /// Every shape.
    pub const ALL: [Self; 4] = [Self::Step, Self::Ramp, Self::Burst, Self::SlowBurn];

    /// Minutes that it lasts.
    pub const fn minutes(self) -> i64 {
        match self {
            Self::Step | Self::Ramp => 360,
            Self::Burst => 120,
            Self::SlowBurn => 2160,
        }
    }

    fn height(self, minute: i64) -> f64 {
        match self {
            Self::Step | Self::SlowBurn => 1.0,
            Self::Ramp => (minute as f64 / 180.0).min(1.0),
            Self::Burst => {
                if minute < 30 {
                    3.0
                } else {
                    1.0
                }
            }
        }
    }
}

/// What must not be called an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    /// Positive mentions times ten for six hours.
    ViralPraise,
    /// Every Sunday evening five times as much.
    WeeklyPeaks,
    /// Everything times eight for twelve hours, the share as ever.
    Campaign,
    /// Three authors write half an hour's worth of the brand's mentions, all negative, for four hours.
    SpamWave,
    /// One text, copied by hundreds within two hours.
    DuplicateFlood,
    /// Sources down for eight hours, then everything at once within half an hour.
    Outage,
    /// Nothing at all, through the change to daylight saving time.
    ClockChange,
}

impl Trap {
    /// Every trap.
    pub const ALL: [Self; 7] = [
        Self::ViralPraise,
        Self::WeeklyPeaks,
        Self::Campaign,
        Self::SpamWave,
        Self::DuplicateFlood,
        Self::Outage,
        Self::ClockChange,
    ];

    /// First minute and length of the time in which it may mislead, where the story begins at `from`;
    /// outside it an alarm is a false one as in any quiet week.
    pub const fn span(self, from: i64) -> (i64, i64) {
        match self {
            Self::ViralPraise => (from, 360),
            Self::Campaign => (from, 720),
            Self::SpamWave => (from, 240),
            Self::DuplicateFlood => (from, 120),
            Self::Outage => (from, 510),
            // Sunday 2026-03-29, 16:00Z to 22:00Z: three hours of peak, the first in summer time.
            Self::WeeklyPeaks => (START + 27 * DAY + 960, 360),
            // From 01:00Z of that day, two days.
            Self::ClockChange => (START + 27 * DAY + 60, 2 * DAY),
        }
    }
}

/// What happens to a brand after three quiet weeks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Story {
    /// Nothing.
    Quiet,
    /// Negative mentions are added until their share is `times` the usual one.
    Incident(Shape, f64),
    /// A trap.
    Trap(Trap),
}

/// One brand's time.
#[derive(Clone, Debug)]
pub struct World {
    /// What happens.
    pub story: Story,
    /// First minute of it.
    pub from: i64,
    /// Minutes, each of them, in order.
    pub minutes: Vec<Minute>,
}

/// Chance, with hours and days that differ as those of real brands do: extra variance of 4 % by hour
/// and 2 % by day, and a share that wavers from day to day.
struct Weather {
    rng: StdRng,
    hour: f64,
    day: f64,
    share: f64,
}

impl Weather {
    fn gamma(&mut self, excess: f64) -> f64 {
        Gamma::new(1.0 / excess, excess).map_or(1.0, |gamma| gamma.sample(&mut self.rng))
    }

    fn poisson(&mut self, mean: f64) -> u32 {
        Poisson::new(mean).map_or(0, |poisson: Poisson<f64>| poisson.sample(&mut self.rng) as u32)
    }

    fn change(&mut self, at: i64) {
        if at % 60 == 0 {
            self.hour = self.gamma(0.04);
        }
        if at % DAY == 0 {
            self.day = self.gamma(0.02);
            let (wide, narrow) = (self.gamma(0.02), self.gamma(0.005));
            self.share = (USUAL_SHARE * wide / narrow).clamp(0.05, 0.5);
        }
    }
}

/// A brand with `daily` mentions a day; the story begins on a day of the fourth week, at an hour that
/// chance chooses, and `days` follow the three weeks.
pub fn world(daily: f64, story: Story, days: i64, seed: u64) -> World {
    let mut weather =
        Weather { rng: StdRng::seed_from_u64(seed), hour: 1.0, day: 1.0, share: USUAL_SHARE };
    let mut calendar = Calendar::new(zone());
    let from = START + 21 * DAY + weather.rng.random_range(6 * 60..20 * 60);
    let mut minutes = Vec::new();
    let mut held: u32 = 0;
    for at in START..START + (21 + days) * DAY {
        weather.change(at);
        let how = calendar.hour_of_week(at);
        let mut rate = daily / 1440.0 * season(how) * weather.hour * weather.day;
        let mut share = weather.share;
        let since = at - from;
        if let Story::Trap(Trap::WeeklyPeaks) = story
            && (165..168).contains(&how)
        {
            rate *= 5.0;
        }
        let mut praise = 0.0;
        let (mut crowd, mut copies) = (0.0, 0.0);
        match story {
            Story::Incident(shape, times) if (0..shape.minutes()).contains(&since) => {
                let target = (USUAL_SHARE * times).min(0.95);
                let added = rate * (target - share).max(0.0) / (1.0 - target);
                let with = rate + added * shape.height(since);
                share = (rate * share + added * shape.height(since)) / with;
                rate = with;
            }
            Story::Trap(Trap::ViralPraise) if (0..360).contains(&since) => praise = 10.0 * rate,
            Story::Trap(Trap::Campaign) if (0..720).contains(&since) => rate *= 8.0,
            Story::Trap(Trap::SpamWave) if (0..240).contains(&since) => {
                crowd = (daily / 1440.0 * 5.0).max(0.5);
            }
            Story::Trap(Trap::DuplicateFlood) if (0..120).contains(&since) => {
                copies = (daily / 1440.0 * 5.0).max(2.0);
            }
            _ => {}
        }
        let mut minute = Minute::quiet(at);
        let (mut negative, mut other) =
            (weather.poisson(rate * share), weather.poisson(rate * (1.0 - share)));
        if story == Story::Trap(Trap::Outage) {
            if (0..480).contains(&since) {
                held += negative + other;
                (negative, other) = (0, 0);
            } else if (480..510).contains(&since) {
                let all = weather.poisson(f64::from(held) / 30.0);
                let bad = (f64::from(all) * weather.share).round() as u32;
                (negative, other) = (negative + bad, other + all - bad);
            }
        }
        let praised = weather.poisson(praise);
        fill(&mut minute, &mut weather, negative, other, praised);
        spam(&mut minute, &mut weather, crowd, copies);
        minutes.push(minute);
    }
    World { story, from, minutes }
}

/// Where these brands live.
pub fn zone() -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::get("Europe/Berlin").unwrap_or(jiff::tz::TimeZone::UTC)
}

/// Nights are quiet, evenings busy, weekends less so; the mean is about 1.
fn season(hour_of_week: u8) -> f64 {
    let (day, hour) = (hour_of_week / 24, hour_of_week % 24);
    let by_hour = match hour {
        0..=5 => 0.25,
        9..=16 => 1.25,
        17..=21 => 1.6,
        _ => 0.8, // 6 to 8 and 22 to 23
    };
    by_hour * if day >= 5 { 0.75 } else { 1.1 }
}

fn fill(minute: &mut Minute, weather: &mut Weather, negative: u32, other: u32, praised: u32) {
    minute.mentions += negative + other + praised;
    minute.negative += negative;
    minute.positive += other / 2 + praised;
    minute.voices += negative;
    for _ in 0..negative {
        minute.authors.add(weather.rng.random());
        minute.texts.add(weather.rng.random());
    }
}

/// Mentions by three authors, and copies of one text.
fn spam(minute: &mut Minute, weather: &mut Weather, crowd: f64, copies: f64) {
    let (by_three, copied) = (weather.poisson(crowd), weather.poisson(copies));
    minute.mentions += by_three + copied;
    minute.negative += by_three + copied;
    minute.voices += by_three.min(3) + copied.min(1);
    for _ in 0..by_three {
        minute.authors.add(weather.rng.random_range(0..3));
        minute.texts.add(weather.rng.random());
    }
    for _ in 0..copied {
        minute.authors.add(weather.rng.random());
        minute.texts.add(77);
    }
}
