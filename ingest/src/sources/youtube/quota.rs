//! The daily quota: units used since midnight in California, part of the cursor.

use echolot_schemas::Timestamp;
use jiff::{civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// What was used on one day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Quota {
    day: Option<Date>,
    used: u64,
}

/// Nothing is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted {
    /// When the next day begins.
    pub(crate) until: Timestamp,
}

impl Quota {
    /// Takes one unit of `most` a day.
    pub(crate) fn take(&mut self, now: Timestamp, most: u64) -> Result<(), Exhausted> {
        let Some((today, until)) = day(now) else { return Ok(()) };
        if self.day != Some(today) {
            *self = Self { day: Some(today), used: 0 };
        }
        if self.used >= most {
            return Err(Exhausted { until });
        }
        self.used += 1;
        Ok(())
    }

    /// What is known from elsewhere counts where it is more.
    pub(crate) fn learn(&mut self, other: &Self) {
        if (other.day, other.used) > (self.day, self.used) {
            *self = other.clone();
        }
    }

    /// The platform says that nothing is left: others use the same project.
    pub(crate) fn exhaust(&mut self, now: Timestamp) -> Exhausted {
        let Some((today, until)) = day(now) else { return Exhausted { until: now } };
        *self = Self { day: Some(today), used: u64::MAX };
        Exhausted { until }
    }
}

/// The day in California, and when it ends.
fn day(now: Timestamp) -> Option<(Date, Timestamp)> {
    let zone = TimeZone::get("America/Los_Angeles").unwrap_or(TimeZone::UTC);
    let instant = jiff::Timestamp::from_millisecond(now.as_millis()).ok()?;
    let today = zone.to_datetime(instant).date();
    let midnight = zone.to_timestamp(today.tomorrow().ok()?.at(0, 0, 0, 0)).ok()?;
    Some((today, Timestamp::from_millis(midnight.as_millisecond())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn units_come_back_at_midnight_in_california() {
        let mut quota = Quota::default();
        let evening = at("2026-06-02T06:59:00Z");
        assert_eq!(quota.take(evening, 2), Ok(()));
        assert_eq!(quota.take(evening, 2), Ok(()));
        let until = at("2026-06-02T07:00:00Z");
        assert_eq!(quota.take(evening, 2), Err(Exhausted { until }));
        assert_eq!(quota.take(until, 2), Ok(()));
        assert_eq!(quota.exhaust(until).until, at("2026-06-03T07:00:00Z"));
        assert!(quota.take(until, u64::MAX).is_err());
        quota.learn(&Quota::default());
        assert!(quota.take(until, u64::MAX).is_err(), "an older cursor gives nothing back");
    }
}
