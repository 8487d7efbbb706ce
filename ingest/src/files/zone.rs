//! Times as files hold them: with an offset, or without one in a zone that the operator names.

use echolot_schemas::Timestamp;
use jiff::{civil, tz::TimeZone};

/// Numbers below this are seconds since 1970, others milliseconds: the year 5138, or March 1973.
const SECONDS_BELOW: i64 = 100_000_000_000;

/// What a time without an offset means.
#[derive(Clone, Debug)]
pub struct TimeZoneRule(Option<TimeZone>);

/// A time zone that nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time zone; use an IANA name such as Europe/Berlin, UTC, or nothing")]
pub struct UnknownZone(String);

impl TimeZoneRule {
    /// Reads an IANA name; empty to refuse times without an offset.
    pub fn parse(name: &str) -> Result<Self, UnknownZone> {
        match name {
            "" => Ok(Self(None)),
            "UTC" => Ok(Self(Some(TimeZone::UTC))),
            name => TimeZone::get(name)
                .map(|zone| Self(Some(zone)))
                .map_err(|_| UnknownZone(name.chars().take(80).collect())),
        }
    }

    /// The instant that `text` names: RFC 3339, seconds or milliseconds since 1970, or a local time
    /// such as `2026-06-01 12:00:00` or `2026-06-01` where there is a zone.
    pub(crate) fn instant(&self, text: &str) -> Result<Timestamp, String> {
        if let Ok(number) = text.parse() {
            return Ok(from_number(number));
        }
        let refused = match text.parse() {
            Ok(instant) => return Ok(instant),
            Err(refused) => refused,
        };
        let Some(local) = local(text) else { return Err(refused.to_string()) };
        let Some(zone) = &self.0 else {
            return Err(format!("{refused}; or set ingest.files.time_zone"));
        };
        zone.to_timestamp(local)
            .map(|instant| Timestamp::from_millis(instant.as_millisecond()))
            .map_err(|error| error.to_string())
    }
}

/// Seconds or milliseconds since 1970, told apart by their size.
pub(crate) fn from_number(number: i64) -> Timestamp {
    let seconds = number.unsigned_abs() < SECONDS_BELOW.unsigned_abs();
    Timestamp::from_millis(if seconds { number * 1000 } else { number })
}

fn local(text: &str) -> Option<civil::DateTime> {
    let date = || text.parse::<civil::Date>().map(civil::DateTime::from);
    text.parse().or_else(|_| date()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(zone: &str, text: &str) -> Result<String, String> {
        TimeZoneRule::parse(zone).unwrap().instant(text).map(|instant| instant.to_string())
    }

    #[test]
    fn an_offset_wins_over_the_zone() {
        let noon = Ok("2026-06-01T12:00:00.000Z".to_owned());
        assert_eq!(instant("", "2026-06-01T14:00:00+02:00"), noon);
        assert_eq!(instant("Europe/Berlin", "2026-06-01T12:00:00Z"), noon);
    }

    #[test]
    fn a_local_time_needs_a_zone() {
        let noon = Ok("2026-06-01T12:00:00.000Z".to_owned());
        assert_eq!(instant("Europe/Berlin", "2026-06-01 14:00:00"), noon);
        assert_eq!(instant("UTC", "2026-06-01T12:00:00"), noon);
        assert_eq!(instant("UTC", "2026-06-01"), Ok("2026-06-01T00:00:00.000Z".to_owned()));
        assert!(instant("", "2026-06-01 14:00:00").unwrap_err().contains("time_zone"));
    }

    #[test]
    fn seconds_and_milliseconds_are_told_apart() {
        let noon = Ok("2026-06-01T12:00:00.000Z".to_owned());
        assert_eq!(instant("", "1780315200"), noon);
        assert_eq!(instant("", "1780315200000"), noon);
    }

    #[test]
    fn an_unknown_zone_is_refused() {
        assert!(TimeZoneRule::parse("Mars/Olympus").is_err());
    }
}
