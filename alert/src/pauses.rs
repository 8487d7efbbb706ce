//! When nobody at all was spoken of for too long to be chance: then sources were down.

use crate::coverage::Stretch;

/// A pause that short is none, however much is said.
const LEAST: i64 = 15;
/// Mentions that should have come within a pause before it counts: by chance (Poisson) one pause in
/// three thousand is that long. A silence that is told needs more of them, so that no outage of
/// everything passes for one.
const TOO_MANY: f64 = 8.0;
/// Weight of what is usual at an hour of day, in weeks, for the same hour of the week; and that of the
/// mean of all hours, in days, for an hour of day.
const PRIOR: f64 = 2.0;
const WEEK: i64 = 168 * 60;

/// The parts of pauses, up to minute `until`, in which sources count as down. `heard` are minutes in
/// which anything was said, in order, with the number of mentions.
pub(crate) fn pauses(heard: &[(i64, u32)], until: i64) -> Vec<Stretch> {
    let Some((first, _)) = heard.first() else { return Vec::new() };
    let usual = Usual::of(heard, (until - first + 1) as f64 / WEEK as f64);
    let next = heard.iter().skip(1).map(|(at, _)| *at).chain([until + 1]);
    heard
        .iter()
        .zip(next)
        .filter(|((at, _), next)| next - at > LEAST)
        .filter_map(|((at, _), next)| Some((usual.down_from(*at, next)?, next - 1)))
        .collect()
}

/// Mentions an hour, by hour of the week (UTC).
struct Usual(Vec<f64>);

impl Usual {
    fn of(heard: &[(i64, u32)], weeks: f64) -> Self {
        let mut hours = vec![0.0; 168];
        for (at, mentions) in heard {
            if let Some(hour) = hours.get_mut(hour_of_week(*at)) {
                *hour += f64::from(*mentions);
            }
        }
        let mean = hours.iter().sum::<f64>() / 168.0 / weeks.max(1.0 / 168.0);
        let of_day = |hour: usize| hours.iter().skip(hour).step_by(24).sum::<f64>();
        let by_day: Vec<f64> =
            (0..24).map(|hour| (of_day(hour) + PRIOR * mean) / (7.0 * weeks + PRIOR)).collect();
        let shrunk = |(sum, usual): (&f64, &f64)| (sum + PRIOR * usual) / (weeks + PRIOR);
        Self(hours.iter().zip(by_day.iter().cycle()).map(shrunk).collect())
    }

    /// The minute of a pause from `heard` to `next` by which too many mentions are missing.
    fn down_from(&self, heard: i64, next: i64) -> Option<i64> {
        let (mut at, mut missing) = (heard + 1, 0.0);
        while at < next {
            let rate = self.0.get(hour_of_week(at)).copied().unwrap_or_default() / 60.0;
            let hour_ends = (at.div_euclid(60) + 1) * 60;
            let minutes = hour_ends.min(next) - at;
            let more = rate * minutes as f64;
            if missing + more >= TOO_MANY {
                let within = ((TOO_MANY - missing) / rate).ceil() as i64;
                let from = (at + within).max(heard + LEAST + 1);
                return (from < next).then_some(from);
            }
            missing += more;
            at += minutes;
        }
        None
    }
}

fn hour_of_week(at: i64) -> usize {
    (at.rem_euclid(WEEK) / 60) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every `each` minutes a mention, but for `pause`.
    fn heard(each: usize, pause: Stretch) -> Vec<(i64, u32)> {
        let minutes = (0..4 * WEEK).step_by(each);
        minutes.filter(|at| !(pause.0..=pause.1).contains(at)).map(|at| (at, 1)).collect()
    }

    #[test]
    fn a_busy_pipeline_is_down_after_a_quarter_of_an_hour() {
        let found = pauses(&heard(1, (20_000, 20_120)), 4 * WEEK);
        assert_eq!(found, [(20_015, 20_120)]);
        assert_eq!(pauses(&heard(1, (20_000, 20_010)), 4 * WEEK), []);
    }

    #[test]
    fn a_few_mentions_a_day_leave_room_for_a_quiet_day() {
        // Five a day: eight are missing after more than a day and a half.
        assert_eq!(pauses(&heard(288, (20_000, 21_440)), 4 * WEEK), []);
        let found = pauses(&heard(288, (20_000, 24_320)), 4 * WEEK);
        assert!(found.len() == 1 && found[0].0 > 22_000, "{found:?}");
    }

    #[test]
    fn a_quiet_night_is_no_pause_and_the_same_hours_of_a_day_are() {
        // Thirty an hour by day, one every other hour from midnight to eight.
        let spoken = |at: &i64| if at.rem_euclid(1440) < 480 { at % 120 == 0 } else { at % 2 == 0 };
        let all: Vec<(i64, u32)> = (0..4 * WEEK).filter(spoken).map(|at| (at, 1)).collect();
        assert_eq!(pauses(&all, 4 * WEEK), []);
        let noon = 15 * 1440 + 720;
        let without: Vec<_> =
            all.into_iter().filter(|(at, _)| !(noon..noon + 60).contains(at)).collect();
        let found = pauses(&without, 4 * WEEK);
        assert!(found.len() == 1 && found[0].1 == noon + 59, "{found:?}");
    }

    #[test]
    fn the_present_may_be_a_pause_and_an_empty_store_has_none() {
        let found = pauses(&heard(1, (4 * WEEK - 30, 4 * WEEK)), 4 * WEEK);
        assert_eq!(found, [(4 * WEEK - 15, 4 * WEEK)]);
        assert_eq!(pauses(&[], 1000), []);
    }
}
