//! The detector of one brand: a minute in, changes of incidents out.
//!
//! ```text
//!  Minute ─▶ Past (60 minutes, 24 hours) ─▶ test of each window ─▶ Watch ─▶ Change
//!                     │ a day later, unless part of an incident
//!                     ▼
//!            Level, Season, Excess: what is expected
//! ```

mod baseline;
mod judge;
mod past;
mod watch;

use jiff::tz::TimeZone;

use self::{
    baseline::{Excess, Level, Season},
    past::{HOURS, Hour, Past, SHORT},
    watch::Watch,
};
use crate::{
    calendar::Calendar,
    incident::{Change, Severity},
    minute::Minute,
    rule::{Kind, Rule, WINDOWS},
    tail,
};

/// Beyond this many minutes without a word the past is dropped instead of stepped through.
const LONGEST_GAP: i64 = 3 * 1440;
/// What remains of levels when an incident lasted so long that it is the new usual.
const KEPT_AFTER_LONGEST: f64 = 0.1;
/// Hours after which the level is known well enough to learn how far counts stray from it.
const SETTLED: u32 = 48;
/// The usual share before any data, and its weight in mentions.
const SHARE_PRIOR: (f64, f64) = (0.25, 12.0);

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Series {
    Voices,
    Positive,
    Mentions,
}

#[derive(Clone, Debug, Default)]
struct Baseline {
    level: Level,
    excess: [Excess; 5],
}

/// The state of one brand, of bounded size: about 20 KB.
#[derive(Clone, Debug)]
pub struct Detector {
    rule: Rule,
    calendar: Calendar,
    now: Option<i64>,
    past: Past,
    season: Season,
    voices: Baseline,
    positive: Baseline,
    mentions: Baseline,
    negative: Level,
    learned_hours: u32,
    watches: [Watch; Kind::ALL.len()],
}

/// Where a brand stands, for metrics and charts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// True until enough is learned to judge.
    pub learning: bool,
    /// Voices of the last hour.
    pub observed: f64,
    /// Voices expected in it.
    pub expected: f64,
    /// Voices that only one hour in a thousand reaches.
    pub upper: f64,
    /// Share of negative ones in the last hour; not a number where nothing was said.
    pub share: f64,
    /// Severity of the open incident about negativity, if there is one.
    pub open: Option<Severity>,
}

impl Detector {
    /// A detector that has seen nothing. `zone` is where the brand's people live.
    pub fn new(rule: Rule, zone: TimeZone) -> Self {
        Self {
            rule,
            calendar: Calendar::new(zone),
            now: None,
            past: Past::default(),
            season: Season::default(),
            voices: Baseline::default(),
            positive: Baseline::default(),
            mentions: Baseline::default(),
            negative: Level::default(),
            learned_hours: 0,
            watches: std::array::from_fn(|_| Watch::default()),
        }
    }

    /// Last minute taken in.
    pub const fn now(&self) -> Option<i64> {
        self.now
    }

    /// Takes a minute. Minutes between the last one and this one count as quiet. A minute that is
    /// not after the last one is left out: the past is judged already.
    pub fn observe(&mut self, minute: &Minute) -> Vec<Change> {
        let mut changes = self.advance(minute.at - 1, true);
        if self.now.is_none_or(|now| minute.at > now) {
            self.step(minute, true, &mut changes);
        }
        changes
    }

    /// Goes on to a minute in which, as in all since the last one, nothing was said. Where mentions
    /// could not come in, because their sources were down, the time is not `covered`: it is neither
    /// learned from nor called silence.
    pub fn advance(&mut self, to: i64, covered: bool) -> Vec<Change> {
        let mut changes = Vec::new();
        let Some(now) = self.now else { return changes };
        if to - now > LONGEST_GAP {
            for (kind, watch) in Kind::ALL.into_iter().zip(&mut self.watches) {
                changes.extend(watch.end(kind, now + 1));
            }
            self.past = Past::default();
            self.now = Some(to);
            return changes;
        }
        for at in now + 1..=to {
            self.step(&Minute::quiet(at), covered, &mut changes);
        }
        changes
    }

    fn step(&mut self, minute: &Minute, covered: bool, changes: &mut Vec<Change>) {
        let at = minute.at;
        let hour_of_week = self.calendar.hour_of_week(at);
        self.past.push(minute, hour_of_week, covered);
        self.now = Some(at);
        let whole_hour = at.rem_euclid(60) == 59;
        let leaving = if whole_hour { self.past.end_hour() } else { None };
        if self.learned_hours >= self.rule.warmup_hours {
            for index in 0..self.rule.kinds.len() {
                let Some(kind) = self.rule.kinds.get(index).copied() else { continue };
                self.judge(kind, at, whole_hour, changes);
            }
        }
        if let Some(hour) = leaving {
            self.learn(&hour);
        }
    }

    fn judge(&mut self, kind: Kind, at: i64, whole_hour: bool, changes: &mut Vec<Change>) {
        let slot = Kind::ALL.iter().position(|known| *known == kind).unwrap_or_default();
        let open = self.watches.get(slot).and_then(|watch| watch.open.as_ref());
        let window = open.map(watch::Open::window);
        let verdict = match kind {
            Kind::Silence => self.silence(whole_hour),
            Kind::Threshold => self.threshold(at),
            _ => self.rise(kind, at, whole_hour, window),
        };
        let rule = &self.rule;
        let Some(watch) = self.watches.get_mut(slot) else { return };
        let change = watch.step(kind, rule, at, verdict);
        let is_open = watch.open.is_some();
        if let Some(change) = change {
            let longest = i64::from(rule.longest_hours) * 60;
            if !is_open && change.at - change.opened_at >= longest {
                self.start_anew();
            }
            self.past.exclude((change.evidence.window / 60) as usize + 1);
            changes.push(change);
        } else if is_open {
            self.past.exclude(0);
        }
    }

    /// What was an incident for days is the new usual.
    fn start_anew(&mut self) {
        for baseline in [&mut self.voices, &mut self.positive, &mut self.mentions] {
            baseline.level.forget(KEPT_AFTER_LONGEST);
        }
        self.negative.forget(KEPT_AFTER_LONGEST);
        self.past.hours.iter_mut().for_each(|hour| hour.excluded = false);
    }

    fn learn(&mut self, hour: &Hour) {
        if hour.covered < 60 {
            return;
        }
        self.learned_hours += 1;
        if hour.excluded {
            return;
        }
        let season = self.season.factor(hour.of_week);
        let counts = [
            (&mut self.voices, f64::from(hour.counts.voices), hour.last.map(|sums| sums.voices)),
            (&mut self.positive, f64::from(hour.counts.positive), hour.last.map(|s| s.positive)),
            (&mut self.mentions, f64::from(hour.counts.mentions), hour.last.map(|s| s.mentions)),
        ];
        let mut calm = 1.0_f64;
        for (baseline, seen, [five, fifteen]) in counts {
            let usual = baseline.level.rate() * season;
            if baseline.level.counts() > 10.0 && self.learned_hours > SETTLED {
                let [of_five, of_fifteen, of_hour, ..] = &mut baseline.excess;
                of_five.learn(f64::from(five), usual / 12.0);
                of_fifteen.learn(f64::from(fifteen), usual / 4.0);
                of_hour.learn(seen, usual);
                calm = calm.min(of_hour.ceiling(usual) / seen.max(1.0));
            }
            baseline.level.learn(seen * calm.min(1.0), season);
        }
        self.negative.learn(f64::from(hour.counts.negative) * calm.min(1.0), season);
        let mentions = f64::from(hour.counts.mentions) * calm.min(1.0);
        self.season.learn(hour.of_week, mentions, self.mentions.level.rate());
        if hour.of_week.is_multiple_of(24) {
            self.season.refresh();
        }
        self.learn_long();
    }

    /// The excess of long windows, from the day that has just become history: every six hours and
    /// every day once.
    fn learn_long(&mut self) {
        for (index, hours) in [(3, 6_usize), (4, 24)] {
            if !(self.learned_hours as usize).is_multiple_of(hours)
                || self.learned_hours < SETTLED
                || self.past.hours.len() < HOURS
                || self.past.last_hours(hours).any(|hour| hour.excluded || hour.covered < 60)
            {
                continue;
            }
            for series in [Series::Voices, Series::Positive, Series::Mentions] {
                let (seen, expected) =
                    (self.seen_in_hours(series, hours), self.expected(series, index));
                let baseline = self.baseline_mut(series);
                if let Some(excess) = baseline.excess.get_mut(index) {
                    excess.learn(seen, expected);
                }
            }
        }
    }

    fn baseline(&self, series: Series) -> &Baseline {
        match series {
            Series::Voices => &self.voices,
            Series::Positive => &self.positive,
            Series::Mentions => &self.mentions,
        }
    }

    fn baseline_mut(&mut self, series: Series) -> &mut Baseline {
        match series {
            Series::Voices => &mut self.voices,
            Series::Positive => &mut self.positive,
            Series::Mentions => &mut self.mentions,
        }
    }

    fn seen_in_hours(&self, series: Series, hours: usize) -> f64 {
        let of = |hour: &Hour| match series {
            Series::Voices => hour.counts.voices,
            Series::Positive => hour.counts.positive,
            Series::Mentions => hour.counts.mentions,
        };
        self.past.last_hours(hours).map(|hour| f64::from(of(hour))).sum()
    }

    /// What is expected in the window that ends with the present minute; long windows end with the
    /// last whole hour.
    fn expected(&self, series: Series, window: usize) -> f64 {
        let rate = self.baseline(series).level.rate();
        let usual_hours = match SHORT.get(window) {
            None => {
                let hours = WINDOWS.get(window).map_or(0, |minutes| (minutes / 60) as usize);
                self.past.last_hours(hours).map(|hour| self.season.factor(hour.of_week)).sum()
            }
            Some(length) => {
                let at = self.now.unwrap_or_default();
                // At the end of an hour it is among the whole ones already.
                let within = (at.rem_euclid(60) + 1).min(*length);
                let before = self.past.hours.iter().rev().map(|hour| hour.of_week);
                let mut hours = before.take(2);
                let (now, last) = if at.rem_euclid(60) == 59 {
                    (hours.next(), hours.next())
                } else {
                    (Some(self.past.current.of_week), hours.next())
                };
                let factor = |hour: Option<u8>| hour.map_or(1.0, |hour| self.season.factor(hour));
                (factor(now) * within as f64 + factor(last) * (length - within) as f64) / 60.0
            }
        };
        rate * usual_hours
    }

    fn spread(&self, series: Series, window: usize) -> f64 {
        let baseline = self.baseline(series);
        let excess = baseline.excess.get(window).copied().unwrap_or_default();
        excess.value() + baseline.level.doubt()
    }

    /// Where the brand stands now.
    pub fn standing(&self) -> Standing {
        let sums = self.past.short(2);
        let expected = self.expected(Series::Voices, 2);
        let open = self.watches.first().and_then(|watch| watch.open.as_ref());
        Standing {
            learning: self.learned_hours < self.rule.warmup_hours,
            observed: f64::from(sums.voices),
            expected,
            upper: judge::upper(expected, self.spread(Series::Voices, 2)),
            share: f64::from(sums.negative) / f64::from(sums.mentions),
            open: open.map(watch::Open::severity),
        }
    }

    /// How surprising the present is in one window, as the decimal logarithm of the chance of so many
    /// mentions, turned round: for benches that set thresholds of their own.
    pub fn surprise(&self, window: usize) -> f64 {
        let whole_hour = self.now.unwrap_or_default().rem_euclid(60) == 59;
        if window >= SHORT.len() && !whole_hour {
            return 0.0;
        }
        let (_, counted) = self.sums(Series::Mentions, window);
        let expected = self.expected(Series::Mentions, window);
        if expected <= 0.0 || counted <= expected {
            return 0.0;
        }
        let spread = self.spread(Series::Mentions, window);
        -tail::at_least(counted, expected, spread).max(1e-300).log10()
    }
}
