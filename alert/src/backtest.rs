//! The very same detector over the past: what would have fired, and when.

use jiff::tz::TimeZone;
use serde::Serialize;
use uuid::Uuid;

use crate::{Change, Detector, Kind, Minute, Phase, Rule, Severity, coverage::Gaps, incident_id};

/// An incident from opening to closing.
#[derive(Clone, Debug, Serialize)]
pub struct Replayed {
    /// Its id: the one that the watcher would have given it.
    pub incident: Uuid,
    /// What it is about.
    pub kind: Kind,
    /// Minute of opening, since 1970.
    pub opened_at: i64,
    /// Minute of closing; none when it was open at the end.
    pub closed_at: Option<i64>,
    /// The worst.
    pub severity: Severity,
    /// At opening.
    pub opening: Change,
    /// Escalations.
    pub escalations: u32,
    /// Highest count of its window.
    pub peak: f64,
    /// Minutes between the opening and the first mark within a day of it; positive when the mark
    /// came later. None without such a mark.
    pub ahead_of_mark: Option<i64>,
}

/// One hour of the series, for the chart.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Point {
    /// Last minute of the hour.
    pub at: i64,
    /// Voices in it.
    pub observed: f64,
    /// Voices expected.
    pub expected: f64,
    /// Voices that one hour in a thousand reaches.
    pub upper: f64,
    /// Too little is known yet.
    pub learning: bool,
}

/// What a backtest found.
#[derive(Clone, Debug, Serialize)]
pub struct Backtest {
    /// Brand.
    pub brand: String,
    /// First and last minute of the time that was judged.
    pub from: i64,
    /// Last minute.
    pub to: i64,
    /// In order of opening.
    pub incidents: Vec<Replayed>,
    /// Incidents without a mark within a day, a week; none where no marks were given.
    pub unmarked_a_week: Option<f64>,
    /// Hour by hour.
    pub points: Vec<Point>,
}

/// Replays minutes, which must be in order, from before `from` so that there is something to learn
/// from, up to `to`; in `gaps` mentions may be missing. `marks` are minutes in which people say that something happened.
pub fn run(
    brand: &str,
    rule: &Rule,
    zone: TimeZone,
    (minutes, gaps): (&[Minute], Gaps),
    (from, to): (i64, i64),
    marks: &[i64],
) -> Backtest {
    let mut detector = Detector::new(rule.clone(), zone);
    detector.set_gaps(gaps);
    let mut changes = Vec::new();
    let mut points = Vec::new();
    let mut ahead = minutes.iter().peekable();
    let Some(first) = ahead.peek().map(|minute| minute.at) else {
        return Backtest {
            brand: brand.to_owned(),
            from,
            to,
            incidents: vec![],
            unmarked_a_week: None,
            points,
        };
    };
    for at in first..=to {
        match ahead.next_if(|minute| minute.at <= at) {
            Some(minute) => changes.extend(detector.observe(minute)),
            None => changes.extend(detector.advance(at)),
        }
        if at >= from && at.rem_euclid(60) == 59 {
            let standing = detector.standing();
            points.push(Point {
                at,
                observed: standing.observed,
                expected: standing.expected,
                upper: standing.upper,
                learning: standing.learning,
            });
        }
    }
    changes.retain(|change| change.at >= from);
    let incidents = incidents(brand, &changes, marks);
    let weeks = (to - from + 1) as f64 / (7.0 * 1440.0);
    let unmarked = incidents.iter().filter(|incident| incident.ahead_of_mark.is_none()).count();
    let unmarked_a_week = (!marks.is_empty()).then(|| unmarked as f64 / weeks);
    Backtest { brand: brand.to_owned(), from, to, incidents, unmarked_a_week, points }
}

fn incidents(brand: &str, changes: &[Change], marks: &[i64]) -> Vec<Replayed> {
    let mut incidents: Vec<Replayed> = Vec::new();
    for change in changes {
        if change.phase == Phase::Opened {
            let near = |mark: &&i64| (**mark - change.at).abs() <= 1440;
            incidents.push(Replayed {
                incident: incident_id(brand, change.kind, change.opened_at),
                kind: change.kind,
                opened_at: change.opened_at,
                closed_at: None,
                severity: change.severity,
                opening: change.clone(),
                escalations: 0,
                peak: change.peak,
                ahead_of_mark: marks.iter().find(near).map(|mark| mark - change.at),
            });
        }
        let known = incidents.iter_mut().rev().find(|incident| {
            incident.kind == change.kind && incident.opened_at == change.opened_at
        });
        if let Some(incident) = known {
            incident.severity = incident.severity.max(change.severity);
            incident.escalations = incident.escalations.max(change.step);
            incident.peak = incident.peak.max(change.peak);
            incident.closed_at = (change.phase == Phase::Closed).then_some(change.at);
        }
    }
    incidents
}
