//! The last hour by minutes and the last day by hours: all that the windows look at.

use std::collections::VecDeque;

use crate::minute::Minute;

const RING: i64 = 60;
/// Hours that are kept before they are learned from: what turns out to belong to an incident within
/// a day is never learned.
pub(crate) const HOURS: usize = 24;

/// Counts of the series that are tested.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    pub(crate) mentions: u32,
    pub(crate) negative: u32,
    pub(crate) voices: u32,
    pub(crate) positive: u32,
}

impl Sums {
    pub(crate) fn add(&mut self, minute: &Minute) {
        self.mentions += minute.mentions;
        self.negative += minute.negative;
        self.voices += minute.voices;
        self.positive += minute.positive;
    }

    fn take(&mut self, minute: &Minute) {
        self.mentions -= minute.mentions;
        self.negative -= minute.negative;
        self.voices -= minute.voices;
        self.positive -= minute.positive;
    }
}

/// A whole hour.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hour {
    pub(crate) counts: Minute,
    pub(crate) of_week: u8,
    /// Its last minutes, from which the excess of short windows is learned.
    pub(crate) last: [Sums; SHORT.len()],
    /// Minutes of it so far.
    pub(crate) minutes: u32,
    /// Of these, minutes in which mentions could come in.
    pub(crate) covered: u32,
    /// Part of an incident: not learned from.
    pub(crate) excluded: bool,
}

/// Minutes and hours behind the present one.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    minutes: Vec<Minute>,
    /// Over the last minutes of each short window.
    sums: [Sums; SHORT.len()],
    pub(crate) hours: VecDeque<Hour>,
    pub(crate) current: Hour,
}

/// The windows up to an hour: they are kept minute by minute.
pub(crate) const SHORT: [i64; 5] = [5, 10, 20, 40, 60];

impl Default for Past {
    fn default() -> Self {
        Self {
            minutes: vec![Minute::default(); RING as usize],
            sums: [Sums::default(); SHORT.len()],
            hours: VecDeque::with_capacity(HOURS + 1),
            current: Hour::default(),
        }
    }
}

impl Past {
    fn slot(at: i64) -> usize {
        usize::try_from(at.rem_euclid(RING)).unwrap_or_default()
    }

    /// Takes the next minute; each must follow the one before.
    pub(crate) fn push(&mut self, minute: &Minute, hour_of_week: u8, covered: bool) {
        for (sums, length) in self.sums.iter_mut().zip(SHORT) {
            if let Some(leaving) = self.minutes.get(Self::slot(minute.at - length)) {
                sums.take(leaving);
            }
            sums.add(minute);
        }
        if let Some(slot) = self.minutes.get_mut(Self::slot(minute.at)) {
            *slot = *minute;
        }
        self.current.counts.absorb(minute);
        self.current.of_week = hour_of_week;
        self.current.minutes += 1;
        self.current.covered += u32::from(covered);
    }

    /// Ends the present hour; hands the hour out that is now a day old.
    pub(crate) fn end_hour(&mut self) -> Option<Hour> {
        let mut hour = std::mem::take(&mut self.current);
        hour.last = self.sums;
        hour.counts.voices = hour.counts.distinct_voices() as u32;
        self.hours.push_back(hour);
        (self.hours.len() > HOURS).then(|| self.hours.pop_front()).flatten()
    }

    /// Sums over one of the windows of [`SHORT`].
    pub(crate) fn short(&self, window: usize) -> Sums {
        self.sums.get(window).copied().unwrap_or_default()
    }

    /// Everything said within the last `length` minutes, at most an hour, as one; `at` is the last.
    pub(crate) fn merged(&self, at: i64, length: i64) -> Minute {
        let mut merged = Minute::quiet(at);
        for minute in (at - length + 1..=at).filter_map(|at| self.minutes.get(Self::slot(at))) {
            merged.absorb(minute);
        }
        merged
    }

    /// The last `count` whole hours, the present one not among them.
    pub(crate) fn last_hours(&self, count: usize) -> impl Iterator<Item = &Hour> {
        self.hours.iter().rev().take(count)
    }

    /// The last `count` hours, of which the present one may be unfinished.
    pub(crate) fn hours_to_now(&self, count: usize) -> impl Iterator<Item = &Hour> {
        let present = (self.current.minutes > 0).then_some(&self.current);
        let whole = count - usize::from(present.is_some());
        present.into_iter().chain(self.last_hours(whole))
    }

    /// Marks the present hour and `hours` before it as part of an incident.
    pub(crate) fn exclude(&mut self, hours: usize) {
        self.current.excluded = true;
        self.hours.iter_mut().rev().take(hours).for_each(|hour| hour.excluded = true);
    }
}
