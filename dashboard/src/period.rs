//! The time that an answer is about.

use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::error::ApiError;

const DAY: i64 = 86_400;
/// Points of a series, at most.
const POINTS: i64 = 120;
/// Longest period: the store keeps mentions of the years 2000 to 2099.
const LONGEST: i64 = 101 * 366 * DAY;

/// From when until when.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PeriodQuery {
    /// First instant, RFC 3339, such as `2026-06-01T00:00:00Z`.
    from: String,
    /// The instant behind the last.
    to: String,
}

/// Which of the counted views is read: the coarsest that can tell the period apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grain {
    Minute,
    Hour,
    Day,
}

impl Grain {
    fn seconds(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 3600,
            Self::Day => DAY,
        }
    }

    /// The view, its rows' time as the column `at` in seconds since 1970. Its text is ours alone.
    pub(crate) fn counts(self) -> &'static str {
        match self {
            Self::Minute => {
                "(SELECT *, toUnixTimestamp(minute)::Int64 AS at FROM sentiment_by_minute \
                 WHERE minute >= fromUnixTimestamp({start:Int64}) AND minute < fromUnixTimestamp({end:Int64}))"
            }
            Self::Hour => {
                "(SELECT *, toUnixTimestamp(hour)::Int64 AS at FROM sentiment_by_hour \
                 WHERE hour >= fromUnixTimestamp({start:Int64}) AND hour < fromUnixTimestamp({end:Int64}))"
            }
            Self::Day => {
                "(SELECT *, toUnixTimestamp(toDateTime(day, 'UTC'))::Int64 AS at FROM sentiment_by_day \
                 WHERE day >= toDate(fromUnixTimestamp({start:Int64}), 'UTC') \
                 AND day < toDate(fromUnixTimestamp({end:Int64}), 'UTC'))"
            }
        }
    }
}

/// A period on the borders of its grain; seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) grain: Grain,
}

impl Period {
    pub(crate) fn read(query: &PeriodQuery) -> Result<Self, ApiError> {
        Self::between(&query.from, &query.to)
    }

    pub(crate) fn between(from: &str, to: &str) -> Result<Self, ApiError> {
        let (from, to) = (instant("from", from)?, instant("to", to)?);
        let length = to - from;
        if length <= 0 {
            return Err(ApiError::parameter("to", "must be after from"));
        }
        if length > LONGEST {
            return Err(ApiError::parameter("from", "must be at most 101 years before to"));
        }
        let grain = match length {
            ..=172_800 => Grain::Minute,
            172_801..=34_560_000 => Grain::Hour,
            _ => Grain::Day,
        };
        let seconds = grain.seconds();
        Ok(Self {
            from: from.div_euclid(seconds) * seconds,
            to: -((-to).div_euclid(seconds) * seconds),
            grain,
        })
    }

    pub(crate) fn length(&self) -> i64 {
        self.to - self.from
    }

    /// The period of the same length just before.
    pub(crate) fn before(&self) -> i64 {
        self.from - self.length()
    }

    /// Seconds between the points of a series that has at most `points`, on a step that clocks know.
    pub(crate) fn step(&self, points: i64) -> i64 {
        const STEPS: [i64; 14] = [
            60,
            120,
            300,
            600,
            900,
            1800,
            3600,
            7200,
            10_800,
            21_600,
            43_200,
            DAY,
            7 * DAY,
            28 * DAY,
        ];
        let least = (self.length() / points.min(POINTS)).max(self.grain.seconds());
        STEPS.into_iter().find(|step| *step >= least).unwrap_or(364 * DAY)
    }
}

/// Seconds since 1970 of an RFC 3339 time.
fn instant(name: &'static str, text: &str) -> Result<i64, ApiError> {
    let read = text.parse::<Timestamp>().ok().map(Timestamp::as_second);
    // What the store can hold; also far from the ends of the arithmetic above.
    read.filter(|second| (0..4_102_444_800).contains(second)).ok_or_else(|| {
        ApiError::parameter(
            name,
            "must be an RFC 3339 time of the years 1970 to 2099, such as 2026-06-01T00:00:00Z",
        )
    })
}

/// A time as the API writes it: RFC 3339, UTC.
pub(crate) fn written(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// The same from seconds.
pub(crate) fn written_seconds(seconds: i64) -> String {
    written(seconds.saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(from: &str, to: &str) -> Result<Period, ApiError> {
        Period::between(from, to)
    }

    #[test]
    fn a_period_reaches_to_the_borders_of_its_grain() {
        let day = period("2026-06-01T10:00:30Z", "2026-06-02T10:00:30Z").unwrap();
        assert_eq!((day.grain, day.length()), (Grain::Minute, DAY + 60));
        let month = period("2026-06-01T10:20:00Z", "2026-07-01T10:20:00Z").unwrap();
        assert_eq!((month.grain, month.from % 3600, month.to % 3600), (Grain::Hour, 0, 0));
        assert!(month.length() / month.step(48) <= 61);
    }

    #[test]
    fn a_period_that_cannot_be_meant_is_told_by_its_name() {
        for (from, to, name) in [
            ("yesterday", "2026-06-02T00:00:00Z", "from"),
            ("2026-06-02T00:00:00Z", "2026-06-02T00:00:00Z", "to"),
            ("2026-06-02T00:00:00Z", "9999-06-02T00:00:00Z", "to"),
        ] {
            let told = period(from, to).unwrap_err().to_string();
            assert!(told.starts_with(name), "{told}");
        }
    }
}
