//! Which hour of the week a minute belongs to, by the clock of the brand's people.

use jiff::{Timestamp, tz::TimeZone};

/// Hours of a week.
pub const HOURS_OF_WEEK: usize = 168;

/// Hour of the week by local time.
///
/// People sleep and work by their wall clock, so the season follows it through changes to and from
/// daylight saving time: on the short day one hour of the week is skipped, on the long day one comes
/// twice, and both times the expectation is that of the hour on the wall.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    /// The quarter of an hour that was asked for last, and its answer: zones change their offset
    /// at multiples of it.
    last: Option<(i64, u8)>,
}

impl Calendar {
    /// A calendar of a time zone.
    pub const fn new(zone: TimeZone) -> Self {
        Self { zone, last: None }
    }

    /// Hour of the week, 0 is Monday midnight, of a minute since 1970.
    pub fn hour_of_week(&mut self, minute: i64) -> u8 {
        let quarter = minute.div_euclid(15);
        if let Some((known, hour)) = self.last
            && known == quarter
        {
            return hour;
        }
        let hour = self.look_up(minute);
        self.last = Some((quarter, hour));
        hour
    }

    fn look_up(&self, minute: i64) -> u8 {
        let Ok(instant) = Timestamp::from_second(minute.saturating_mul(60)) else { return 0 };
        let local = self.zone.to_datetime(instant);
        let day = local.weekday().to_monday_zero_offset();
        u8::try_from(i32::from(day) * 24 + i32::from(local.hour())).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second() / 60
    }

    #[test]
    fn the_season_follows_the_wall_clock_through_daylight_saving_time() {
        let mut berlin = Calendar::new(TimeZone::get("Europe/Berlin").unwrap());
        // Sunday 2026-03-29: 01:59 is followed by 03:00.
        assert_eq!(berlin.hour_of_week(minute("2026-03-29T00:59:00Z")), 6 * 24 + 1);
        assert_eq!(berlin.hour_of_week(minute("2026-03-29T01:00:00Z")), 6 * 24 + 3);
        // Monday eight o'clock stays Monday eight o'clock.
        assert_eq!(berlin.hour_of_week(minute("2026-03-23T07:00:00Z")), 8);
        assert_eq!(berlin.hour_of_week(minute("2026-03-30T06:00:00Z")), 8);
    }
}
