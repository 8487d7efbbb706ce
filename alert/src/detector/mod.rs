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
    past::{HOURS, Hour, Past, SHORT, Sums},
    watch::Watch,
};
use crate::{
    calendar::Calendar,
    coverage::Gaps,
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
/// The window of an hour.
const HOUR: usize = 4;
/// Windows of whole hours, with their hours.
const LONG: [(usize, usize); 3] = [(5, 2), (6, 6), (7, 24)];
/// The usual share before any data, and its weight in mentions.
const SHARE_PRIOR: (f64, f64) = (0.25, 12.0);

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Series {
    Voices,
    Positive,
    Mentions,
}

impl Series {
    const fn of(self, sums: &Sums) -> u32 {
        match self {
            Self::Voices => sums.voices,
            Self::Positive => sums.positive,
            Self::Mentions => sums.mentions,
        }
    }

    const fn of_hour(self, counts: &Minute) -> u32 {
        match self {
            Self::Voices => counts.voices,
            Self::Positive => counts.positive,
            Self::Mentions => counts.mentions,
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Baseline {
    level: Level,
    excess: [Excess; WINDOWS.len()],
}

/// The state of one brand, of bounded size: about 20 KB.
#[derive(Clone, Debug)]
pub struct Detector {
    rule: Rule,
    calendar: Calendar,
    gaps: Gaps,
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
            gaps: Gaps::default(),
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

    /// Says in which minutes mentions may be missing, in place of what was said before.
    pub fn set_gaps(&mut self, gaps: Gaps) {
        self.gaps = gaps;
    }

    /// The kinds that are looked for.
    pub fn kinds(&self) -> &[Kind] {
        &self.rule.kinds
    }

    /// Severity of the open incident of a kind, if there is one.
    pub fn open(&self, kind: Kind) -> Option<Severity> {
        let slot = Kind::ALL.iter().position(|known| *known == kind)?;
        self.watches.get(slot)?.open.as_ref().map(watch::Open::severity)
    }

    /// Last minute taken in.
    pub const fn now(&self) -> Option<i64> {
        self.now
    }

    /// Takes a minute. Minutes between the last one and this one count as quiet. A minute that is
    /// not after the last one is left out: the past is judged already.
    pub fn observe(&mut self, minute: &Minute) -> Vec<Change> {
        let mut changes = self.advance(minute.at - 1);
        if self.now.is_none_or(|now| minute.at > now) {
            self.step(&minute.believed(), &mut changes);
        }
        changes
    }

    /// Goes on to a minute in which, as in all since the last one, nothing was said. What lies in the
    /// gaps that were said is neither learned from nor called silence.
    pub fn advance(&mut self, to: i64) -> Vec<Change> {
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
            self.step(&Minute::quiet(at), &mut changes);
        }
        changes
    }

    fn step(&mut self, minute: &Minute, changes: &mut Vec<Change>) {
        let at = minute.at;
        let hour_of_week = self.calendar.hour_of_week(at);
        self.past.push(minute, hour_of_week, !self.gaps.hold(at));
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
            _ => self.rise(kind, at, window),
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
        let settled = self.learned_hours > SETTLED;
        let season = self.season.factor(hour.of_week);
        let mut calm = 1.0_f64;
        for series in [Series::Voices, Series::Positive, Series::Mentions] {
            let seen = f64::from(series.of_hour(&hour.counts));
            let baseline = self.baseline_mut(series);
            let usual = baseline.level.rate() * season;
            if baseline.level.counts() > 10.0 && settled {
                for ((excess, length), sums) in baseline.excess.iter_mut().zip(SHORT).zip(hour.last)
                {
                    excess.learn(f64::from(series.of(&sums)), usual * length as f64 / 60.0);
                }
                calm = calm.min(baseline.excess[HOUR].ceiling(usual) / seen.max(1.0));
            }
            baseline.level.learn(seen * calm.min(1.0), season);
        }
        self.negative.learn(f64::from(hour.counts.negative) * calm.min(1.0), season);
        let mentions = f64::from(hour.counts.mentions) * calm.min(1.0);
        self.season.learn(hour.of_week, mentions);
        if hour.of_week.is_multiple_of(24) {
            self.season.refresh();
        }
        self.learn_long();
    }

    /// The excess of long windows, from the day that has just become history: every six hours and
    /// every day once.
    fn learn_long(&mut self) {
        for (index, hours) in LONG {
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
        let of = |hour: &Hour| f64::from(series.of_hour(&hour.counts));
        self.past.last_hours(hours).map(of).sum()
    }

    /// What is expected in the window that ends with the present minute.
    fn expected(&self, series: Series, window: usize) -> f64 {
        self.baseline(series).level.rate() * self.usual_hours(window)
    }

    /// Length of a window in hours of usual season.
    fn usual_hours(&self, window: usize) -> f64 {
        let Some(length) = SHORT.get(window) else {
            let hours = WINDOWS.get(window).map_or(0, |minutes| (minutes / 60) as usize);
            let usual = |hour: &Hour| self.season.factor(hour.of_week) * f64::from(hour.minutes);
            return self.past.hours_to_now(hours).map(usual).sum::<f64>() / 60.0;
        };
        let within = (self.now.unwrap_or_default().rem_euclid(60) + 1).min(*length);
        // At the end of an hour the present one is among the whole ones already.
        let mut hours = self.past.hours_to_now(2).map(|hour| self.season.factor(hour.of_week));
        let (now, last) = (hours.next().unwrap_or(1.0), hours.next().unwrap_or(1.0));
        (now * within as f64 + last * (length - within) as f64) / 60.0
    }

    fn spread(&self, series: Series, window: usize) -> f64 {
        let baseline = self.baseline(series);
        let excess = baseline.excess.get(window).copied().unwrap_or_default();
        excess.value() + baseline.level.doubt()
    }

    /// Where the brand stands now.
    pub fn standing(&self) -> Standing {
        let sums = self.past.short(HOUR);
        let expected = self.expected(Series::Voices, HOUR);
        Standing {
            learning: self.learned_hours < self.rule.warmup_hours,
            observed: f64::from(sums.voices),
            expected,
            upper: judge::upper(expected, self.spread(Series::Voices, HOUR)),
            share: f64::from(sums.negative) / f64::from(sums.mentions),
            open: self.open(Kind::Negative),
        }
    }

    /// How surprising the present is in one window, as the decimal logarithm of the chance of so many
    /// mentions, turned round: for benches that set thresholds of their own.
    pub fn surprise(&self, window: usize) -> f64 {
        let (_, counted) = self.sums(Series::Mentions, window);
        let expected = self.expected(Series::Mentions, window);
        if expected <= 0.0 || counted <= expected {
            return 0.0;
        }
        let spread = self.spread(Series::Mentions, window);
        -tail::at_least(counted, expected, spread).max(1e-300).log10()
    }
}
