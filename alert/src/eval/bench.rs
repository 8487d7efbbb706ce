//! Every rule on every world: what is found, how soon, and what is not there.

use std::collections::VecDeque;

use serde::Serialize;

use super::worlds::{Shape, Story, Trap, World, world, zone};
use crate::{Detector, Kind, Minute, Phase, Rule};

/// Mentions a day of the brands.
pub const VOLUMES: [f64; 5] = [5.0, 50.0, 1000.0, 10_000.0, 50_000.0];
/// How many times the usual share an incident reaches.
pub const TIMES: [f64; 3] = [2.0, 3.0, 4.0];
/// Minutes that an alarm of a simple rule stands for.
const REFRACTORY: i64 = 360;
/// An alarm this long after the end still counts: the last window may end with it.
const GRACE: i64 = 360;

/// A rule in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Contender {
    /// This crate's detector.
    Detector,
    /// 20 negative mentions within an hour.
    Fixed,
    /// Mean and three deviations of the last seven days' hours.
    MeanSigma,
    /// Five robust deviations (MAD) of the same.
    RobustZ,
    /// The rule in `docker/prometheus`: four deviations, five voices at least.
    PromQl,
}

impl Contender {
    /// Every rule.
    pub const ALL: [Self; 5] =
        [Self::Detector, Self::Fixed, Self::MeanSigma, Self::RobustZ, Self::PromQl];
}

/// Minutes in which a rule raises an alarm.
pub fn alarms(contender: Contender, minutes: &[Minute]) -> Vec<i64> {
    if contender == Contender::Detector {
        let rule = Rule { kinds: vec![Kind::Negative], ..Rule::default() };
        let mut detector = Detector::new(rule, zone());
        let changes = minutes.iter().flat_map(|minute| detector.observe(minute));
        let opened = changes.filter(|change| change.phase == Phase::Opened);
        return opened.map(|change| change.at).collect();
    }
    let mut alarms: Vec<i64> = Vec::new();
    let (mut hour, mut sum) = (VecDeque::new(), 0_u32);
    let mut week: VecDeque<f64> = VecDeque::new();
    let mut level = (0.0, f64::INFINITY);
    for minute in minutes {
        hour.push_back(minute.negative);
        sum += minute.negative;
        if hour.len() > 60 {
            sum -= hour.pop_front().unwrap_or_default();
        }
        if minute.at.rem_euclid(60) == 59 {
            week.push_back(f64::from(sum));
            if week.len() > 168 {
                week.pop_front();
            }
            level = limit(contender, &week);
        }
        let (floor, limit) = level;
        let warm = week.len() >= 168;
        let fires = warm && f64::from(sum) >= floor && f64::from(sum) > limit;
        if fires && alarms.last().is_none_or(|last| minute.at - last > REFRACTORY) {
            alarms.push(minute.at);
        }
    }
    alarms
}

/// Least count, and the count that must be passed.
fn limit(contender: Contender, week: &VecDeque<f64>) -> (f64, f64) {
    let count = week.len() as f64;
    let mean = week.iter().sum::<f64>() / count;
    let deviation = (week.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    match contender {
        Contender::Detector => (f64::INFINITY, f64::INFINITY),
        Contender::Fixed => (20.0, 0.0),
        Contender::MeanSigma => (1.0, mean + 3.0 * deviation),
        Contender::PromQl => (5.0, mean + 4.0 * deviation),
        Contender::RobustZ => {
            let middle = |mut values: Vec<f64>| {
                let half = values.len() / 2;
                *values.select_nth_unstable_by(half, f64::total_cmp).1
            };
            let median = middle(week.iter().copied().collect());
            let away = middle(week.iter().map(|value| (value - median).abs()).collect());
            (1.0, median + 5.0 * (1.4826 * away).max(0.5))
        }
    }
}

/// Incidents of one size at one volume.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Cell {
    /// Mentions a day.
    pub daily: f64,
    /// Times the usual share.
    pub times: f64,
    /// Incidents.
    pub incidents: u32,
    /// Of these, found.
    pub found: u32,
    /// Median minutes from the first minute of those found; none where none was.
    pub delay: Option<i64>,
}

/// What a rule achieved.
#[derive(Clone, Debug, Serialize)]
pub struct Score {
    /// Which rule.
    pub contender: Contender,
    /// By volume and size.
    pub cells: Vec<Cell>,
    /// Alarms in quiet weeks, a brand and week.
    pub false_a_week: f64,
    /// Worlds with an alarm in the time of the trap, by trap, of how many worlds.
    pub traps: Vec<(String, u32, u32)>,
}

/// First seed of the worlds on which parameters were chosen.
pub const TUNING: u64 = 1_000;
/// First seed of the worlds on which nothing was ever chosen.
pub const SCORING: u64 = 1_000_000;

/// Runs every rule over the whole set, from a first seed on; `repeats` worlds of each sort.
pub fn run(first_seed: u64, repeats: u64) -> Vec<Score> {
    let mut scores: Vec<Score> = Contender::ALL
        .into_iter()
        .map(|contender| Score { contender, cells: vec![], false_a_week: 0.0, traps: vec![] })
        .collect();
    let mut seed = first_seed;
    let mut next = |daily, story, days| {
        seed += 1;
        world(daily, story, days, seed)
    };
    for daily in VOLUMES {
        for times in TIMES {
            let worlds: Vec<World> = Shape::ALL
                .into_iter()
                .flat_map(|shape| std::iter::repeat_n(shape, repeats as usize))
                .map(|shape| next(daily, Story::Incident(shape, times), 4))
                .collect();
            for score in &mut scores {
                score.cells.push(cell(score.contender, daily, times, &worlds));
            }
        }
    }
    let quiet: Vec<World> = VOLUMES
        .into_iter()
        .flat_map(|daily| std::iter::repeat_n(daily, repeats as usize))
        .map(|daily| next(daily, Story::Quiet, 28))
        .collect();
    for score in &mut scores {
        let wrong: usize =
            quiet.iter().map(|world| alarms(score.contender, &world.minutes).len()).sum();
        // A week passes before anyone may speak.
        score.false_a_week = wrong as f64 / (quiet.len() as f64 * 6.0);
    }
    for trap in Trap::ALL {
        let worlds: Vec<World> = VOLUMES
            .into_iter()
            .flat_map(|daily| std::iter::repeat_n(daily, repeats as usize))
            .map(|daily| next(daily, Story::Trap(trap), 7))
            .collect();
        for score in &mut scores {
            let caught = worlds.iter().filter(|world| {
                let alarms = alarms(score.contender, &world.minutes);
                let (from, length) = trap.span(world.from);
                alarms.iter().any(|at| (from..from + length + GRACE).contains(at))
            });
            score.traps.push((format!("{trap:?}"), caught.count() as u32, worlds.len() as u32));
        }
    }
    scores
}

fn cell(contender: Contender, daily: f64, times: f64, worlds: &[World]) -> Cell {
    let mut delays: Vec<i64> = worlds
        .iter()
        .filter_map(|world| {
            let Story::Incident(shape, _) = world.story else { return None };
            let until = world.from + shape.minutes() + GRACE;
            let alarms = alarms(contender, &world.minutes);
            alarms
                .into_iter()
                .find(|at| (world.from..=until).contains(at))
                .map(|at| at - world.from)
        })
        .collect();
    delays.sort_unstable();
    Cell {
        daily,
        times,
        incidents: worlds.len() as u32,
        found: delays.len() as u32,
        delay: delays.get(delays.len() / 2).copied(),
    }
}
