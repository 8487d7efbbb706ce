//! Times as feeds write them, which is in every way but one.

use jiff::{
    civil::{Date, DateTime, Time},
    tz::Offset,
};

/// A time as RFC 3339, from any of: RFC 3339 and the wider ISO 8601 (W3C-DTF, ordinal days, basic
/// form), RFC 822 with its successors, `asctime`, each with English or German months, and German days
/// such as 31.12.2003. What gives no zone is taken for UTC, what gives no hour for midnight. None
/// where it cannot be told, such as 03/04/2004.
pub(in crate::sources::feed) fn rfc3339(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > 100 {
        return None;
    }
    let upper = text.to_uppercase();
    let (date, rest) =
        iso_date(&upper).or_else(|| dotted_date(&upper)).or_else(|| worded_date(&upper))?;
    let (time, offset) = clock(&rest)?;
    let instant = offset.to_timestamp(DateTime::from_parts(date, time)).ok()?;
    (0..=9999).contains(&date.year()).then(|| instant.to_string())
}

/// `2003`, `2003-12`, `2003-12-31`, `20031231`, `2003-365`, and what follows.
fn iso_date(text: &str) -> Option<(Date, String)> {
    let (date, rest) = match text.find(|c: char| !(c.is_ascii_digit() || c == '-')) {
        Some(end) => (&text[..end], &text[end..]),
        None => (text, ""),
    };
    let number = |part: &str| part.parse::<i16>().ok();
    let small = |part: &str| part.parse::<i8>().ok();
    let parts: Vec<&str> = date.split('-').collect();
    let date = match parts.as_slice() {
        [year] if year.len() == 4 => Date::new(number(year)?, 1, 1),
        [basic] if basic.len() == 8 => {
            Date::new(number(&basic[..4])?, small(&basic[4..6])?, small(&basic[6..])?)
        }
        [year, day] if year.len() == 4 && day.len() == 3 => {
            let first = Date::new(number(year)?, 1, 1).ok()?;
            first.checked_add(jiff::Span::new().try_days(number(day)? - 1).ok()?)
        }
        [year, month] if year.len() == 4 => Date::new(number(year)?, small(month)?, 1),
        [year, month, day] if year.len() == 4 && day.len() <= 2 => {
            Date::new(number(year)?, small(month)?, small(day)?)
        }
        _ => return None,
    };
    let rest = rest.strip_prefix('T').unwrap_or(rest);
    Some((date.ok()?, rest.trim_start().to_owned()))
}

/// `31.12.2003 …`: with dots the day comes first everywhere.
fn dotted_date(text: &str) -> Option<(Date, String)> {
    let (date, rest) = text.split_once([' ', ',']).unwrap_or((text, ""));
    let parts: Vec<&str> = date.split('.').collect();
    let [day, month, year] = parts[..] else { return None };
    if year.len() != 4 {
        return None;
    }
    let date = Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?;
    Some((date, rest.trim_start().to_owned()))
}

/// `Wed, 31 Dec 2003 …`, `31-Dec-03 …`, `December 31, 2003 …`, `Wed Dec 31 10:14:55 2003`, and the
/// words of the time among it.
fn worded_date(text: &str) -> Option<(Date, String)> {
    let mut month = None;
    let mut numbers: Vec<&str> = Vec::new();
    let mut rest = Vec::new();
    for word in text.split([' ', ',', '\t', '\n', '\r']).filter(|word| !word.is_empty()) {
        let inner = word.trim_end_matches('.');
        if word.contains(':') || (word.starts_with(['+', '-']) && !rest.is_empty()) {
            rest.push(word);
        } else if word.matches('-').count() == 2 && month.is_none() {
            for part in word.split('-') {
                match month_of(part) {
                    Some(found) => month = Some(found),
                    None => numbers.push(part),
                }
            }
        } else if inner.bytes().all(|byte| byte.is_ascii_digit()) {
            numbers.push(inner);
        } else if let Some(found) = month_of(inner).filter(|_| month.is_none()) {
            month = Some(found);
        } else if !numbers.is_empty() || month.is_some() {
            rest.push(word);
        }
        // What is left is a weekday, in whatever language.
    }
    let (first, second) = match numbers.as_slice() {
        [first, second] => (*first, *second),
        _ => return None,
    };
    let (day, year) = if first.len() == 4 { (second, first) } else { (first, second) };
    let short: i16 = year.parse().ok()?;
    let year = match (year.len(), short) {
        // RFC 2822, section 4.3.
        (2, 0..=49) => short + 2000,
        (2 | 3, _) => short + 1900,
        (4, _) => short,
        _ => return None,
    };
    let date = Date::new(year, month?, day.parse().ok()?).ok()?;
    Some((date, rest.join(" ")))
}

fn month_of(word: &str) -> Option<i8> {
    const MONTHS: [&[&str]; 12] = [
        &["JAN", "JÄN"],
        &["FEB"],
        &["MAR", "MÄR", "MRZ"],
        &["APR"],
        &["MAY", "MAI"],
        &["JUN"],
        &["JUL"],
        &["AUG"],
        &["SEP"],
        &["OCT", "OKT"],
        &["NOV"],
        &["DEC", "DEZ"],
    ];
    let called = |names: &&[&str]| names.iter().any(|name| word.starts_with(name));
    i8::try_from(MONTHS.iter().position(called)? + 1).ok()
}

/// `10:14:55.123+01:00`, `10:14 GMT`, `101455Z`, nothing.
fn clock(text: &str) -> Option<(Time, Offset)> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.')));
    let (time, zone) = text.split_at(end.unwrap_or(text.len()));
    let spaced = match time.split_at_checked(2).zip(time.split_at_checked(4)) {
        Some(((hour, rest), (_, second))) if !time.contains(':') => {
            format!("{hour}:{}:{second}", &rest[..2])
        }
        _ => time.to_owned(),
    };
    let mut parts = spaced.splitn(3, ':');
    let mut next = || parts.next().filter(|part| !part.is_empty());
    let hour: i8 = next().map_or(Ok(0), str::parse).ok()?;
    let minute: i8 = next().map_or(Ok(0), str::parse).ok()?;
    let second: f64 = next().map_or(Ok(0.0), str::parse).ok()?;
    // Some write midnight as the end of a day, and there are leap seconds.
    let hour = if hour == 24 { 0 } else { hour };
    #[expect(clippy::cast_possible_truncation, reason = "below 60")]
    let time = Time::new(hour, minute, second.clamp(0.0, 59.0) as i8, 0).ok()?;
    Some((time, offset(zone.trim())?))
}

fn offset(zone: &str) -> Option<Offset> {
    let hours = |hours| Offset::from_seconds(hours * 3600).ok();
    let zone = ["GMT", "UTC"].iter().find_map(|name| zone.strip_prefix(name)).unwrap_or(zone);
    match zone {
        "" | "Z" | "UT" | "WET" => Some(Offset::UTC),
        "EST" | "CDT" => hours(-5),
        "EDT" | "AST" => hours(-4),
        "CST" | "MDT" => hours(-6),
        "MST" | "PDT" => hours(-7),
        "PST" => hours(-8),
        "CET" | "MEZ" | "BST" => hours(1),
        "CEST" | "MESZ" | "EET" => hours(2),
        _ => numeric(zone),
    }
}

/// `+0100`, `+01:00`, `-5`.
fn numeric(zone: &str) -> Option<Offset> {
    let (sign, digits) = match (zone.strip_prefix('+'), zone.strip_prefix('-')) {
        (Some(digits), _) => (1, digits),
        (_, Some(digits)) => (-1, digits),
        _ => return None,
    };
    let digits: String = digits.chars().take_while(|c| *c != ' ').filter(|c| *c != ':').collect();
    let (hours, minutes) =
        digits.split_at_checked(digits.len().saturating_sub(2).max(2)).unwrap_or((&digits, "0"));
    let minutes: i32 = if minutes.is_empty() { 0 } else { minutes.parse().ok()? };
    Offset::from_seconds(sign * (hours.parse::<i32>().ok()? * 3600 + minutes * 60)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_a_time_is_read() {
        for (written, read) in [
            ("2003-12-31T10:14:55Z", "2003-12-31T10:14:55Z"),
            ("2003-12-31T10:14:55.123+01:00", "2003-12-31T09:14:55Z"),
            ("2003-12-31T10:14:55-0800", "2003-12-31T18:14:55Z"),
            ("2003-12-31 10:14", "2003-12-31T10:14:00Z"),
            ("20031231", "2003-12-31T00:00:00Z"),
            ("2003-12", "2003-12-01T00:00:00Z"),
            ("2003", "2003-01-01T00:00:00Z"),
            ("2003-335", "2003-12-01T00:00:00Z"),
            ("Thu, 01 Jan 2004 19:48:21 GMT", "2004-01-01T19:48:21Z"),
            ("Donn, 1 Jan 2004 19:48 +0100", "2004-01-01T18:48:00Z"),
            ("01-Jan-04 19:48:21 EST", "2004-01-02T00:48:21Z"),
            ("Sunday, January 4, 2004 16:29:06 PST", "2004-01-05T00:29:06Z"),
            ("Sun Jan  4 16:29:06 2004", "2004-01-04T16:29:06Z"),
            ("Sun Jan 4 16:29:06 PDT 2004", "2004-01-04T23:29:06Z"),
            ("Thu, 31 Dec 1999 23:59:60 UTC", "1999-12-31T23:59:59Z"),
            ("Thu, 01 Jan 04 00:00:00 GMT+2", "2003-12-31T22:00:00Z"),
            ("20031231T101455+0100", "2003-12-31T09:14:55Z"),
            ("20031231T1014Z", "2003-12-31T10:14:00Z"),
            ("31.12.2003 10:14", "2003-12-31T10:14:00Z"),
            ("Mi, 31. Dezember 2003, 10:14 MEZ", "2003-12-31T09:14:00Z"),
            ("Mo, 01 Mär 2004 10:14:55 +0100", "2004-03-01T09:14:55Z"),
        ] {
            assert_eq!(rfc3339(written).as_deref(), Some(read), "{written}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_not_guessed() {
        for written in [
            "",
            "soon",
            "03/04/2004",
            "2003-13-01",
            "31 Foo 2004",
            "99:99",
            "-",
            "31.12.03",
            "32.12.2003",
            "ä.ö.üü",
        ] {
            assert_eq!(rfc3339(written), None, "{written}");
        }
    }
}
