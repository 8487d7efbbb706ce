//! Times as senders write them.

use echolot_schemas::Timestamp;
use jiff::{civil, fmt::strtime, tz::TimeZone};
use serde_json::Value;

/// How a time is written: `rfc3339`, `unix`, `unix-ms`, or a pattern of strftime(3).
pub(super) fn read(value: &Value, format: &str, zone: &str) -> Result<Timestamp, String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return Err("is neither a text nor a number".to_owned()),
    };
    match format {
        "" | "rfc3339" => text.parse().map_err(|_| {
            "is no RFC 3339 time; set format, such as \"unix\" or \"%d.%m.%Y %H:%M\"".to_owned()
        }),
        "unix" => number(&text, 1000.0),
        "unix-ms" => number(&text, 1.0),
        pattern => by_pattern(&text, pattern, zone),
    }
}

/// The name of a zone that nobody knows is told before anything is read.
pub(super) fn check_zone(zone: &str) -> Result<TimeZone, String> {
    match zone {
        "" | "UTC" => Ok(TimeZone::UTC),
        name => TimeZone::get(name).map_err(|_| format!("{name:?} is no IANA time zone")),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "what does not fit is no plausible time, and the observer says so"
)]
fn number(text: &str, millis: f64) -> Result<Timestamp, String> {
    let number: f64 = text.parse().map_err(|_| "is no number".to_owned())?;
    Ok(Timestamp::from_millis((number * millis) as i64))
}

fn by_pattern(text: &str, pattern: &str, zone: &str) -> Result<Timestamp, String> {
    let parsed = strtime::parse(pattern, text)
        .map_err(|error| format!("does not fit format {pattern:?}: {error}"))?;
    let instant = parsed.to_timestamp().or_else(|_| {
        let date = || parsed.to_date().map(civil::DateTime::from);
        let local = parsed.to_datetime().or_else(|_| date()).map_err(|e| e.to_string())?;
        check_zone(zone)?.to_timestamp(local).map_err(|error| error.to_string())
    });
    instant.map(|at: jiff::Timestamp| Timestamp::from_millis(at.as_millisecond()))
}
