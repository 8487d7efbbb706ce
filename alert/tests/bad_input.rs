//! What a store, a clock or a source may do to a detector, and what it makes of it.

use echolot_alert::{
    AlertSettings, Brands, Change, Detector, Kind, Minute, Phase, Rule, Sketch, coverage::Gaps,
};
use jiff::tz::TimeZone;
use serde::Deserialize;

/// 2026-03-02T00:00Z, a Monday, in minutes.
const START: i64 = 29_540_160;
const DAY: i64 = 1440;
/// Days of learning.
const LEARNED: i64 = 16;

fn minute(at: i64, mentions: u32, negative: u32) -> Minute {
    let mut authors = Sketch::default();
    for person in 0..u64::from(negative.min(500)) {
        authors.add((at.unsigned_abs() * 977 + person).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20);
    }
    Minute { mentions, negative, voices: negative, authors, texts: authors, ..Minute::quiet(at) }
}

/// Two mentions every three minutes; every fifteenth minute a negative one.
fn usual(at: i64) -> Minute {
    minute(at, 2 * u32::from(at % 3 == 0), u32::from(at % 15 == 0))
}

fn detector() -> Detector {
    Detector::new(Rule::default(), TimeZone::UTC)
}

fn learned() -> Detector {
    let mut detector = detector();
    for at in START..START + LEARNED * DAY {
        assert_eq!(detector.observe(&usual(at)), [], "at {at}");
    }
    assert!(!detector.standing().learning);
    detector
}

fn wave(detector: &mut Detector, from: i64) -> Vec<Change> {
    (from..from + 10).flat_map(|at| detector.observe(&minute(at, 5, 4))).collect()
}

fn opened(changes: &[Change], kind: Kind) -> usize {
    changes.iter().filter(|change| (change.kind, change.phase) == (kind, Phase::Opened)).count()
}

#[test]
fn minutes_that_come_twice_or_late_change_nothing() {
    let mut detector = learned();
    let end = START + LEARNED * DAY;
    let before = detector.standing();
    for at in (end - 600..end).rev() {
        assert_eq!(detector.observe(&minute(at, 500, 500)), []);
    }
    assert_eq!(detector.standing(), before);
    assert_eq!(opened(&wave(&mut detector, end), Kind::Negative), 1);
}

#[test]
fn a_silence_is_told_and_a_source_that_is_down_is_none() {
    let end = START + LEARNED * DAY;
    let mut quiet = learned();
    assert_eq!(opened(&quiet.advance(end + 600), Kind::Silence), 1);
    let mut down = learned();
    down.set_gaps(Gaps::new(vec![(end, end + 600)]));
    assert_eq!(down.advance(end + 600), []);
    // When the source is back nothing is unusual, neither silence nor a rise.
    for at in end + 601..end + 601 + 2 * DAY {
        assert_eq!(down.observe(&usual(at)), [], "at {at}");
    }
}

#[test]
fn a_gap_teaches_nothing_and_hides_no_incident() {
    let end = START + LEARNED * DAY;
    let mut detector = learned();
    detector.set_gaps(Gaps::new(vec![(end, end + 2 * DAY)]));
    let expected = detector.standing().expected;
    let changes = wave(&mut detector, end + DAY);
    assert_eq!(opened(&changes, Kind::Negative), 1, "half of the mentions are enough");
    detector.advance(end + 3 * DAY - 1);
    let ratio = detector.standing().expected / expected;
    assert!((0.7..1.4).contains(&ratio), "{ratio}");
}

#[test]
fn impossible_counts_are_cut_and_do_not_panic() {
    let mut detector = learned();
    let end = START + LEARNED * DAY;
    let odd = [
        Minute { negative: 50, ..Minute::quiet(end) },
        Minute { voices: u32::MAX, mentions: 3, ..Minute::quiet(end + 1) },
        Minute {
            mentions: u32::MAX,
            negative: u32::MAX,
            positive: u32::MAX,
            ..Minute::quiet(end + 2)
        },
        Minute { mentions: u32::MAX, ..Minute::quiet(end + 3) },
    ];
    for minute in &odd {
        detector.observe(minute);
    }
    for at in end + 4..end + 4 + 2 * DAY {
        detector.observe(&usual(at));
    }
    let standing = detector.standing();
    assert!(standing.expected.is_finite() && standing.upper.is_finite(), "{standing:?}");
}

#[test]
fn no_minutes_for_months_and_a_clock_that_jumps_ahead_end_what_is_open() {
    let mut detector = learned();
    let end = START + LEARNED * DAY;
    assert_eq!(opened(&wave(&mut detector, end), Kind::Negative), 1);
    let changes = detector.advance(end + 200 * DAY);
    assert_eq!(changes.iter().map(|change| change.phase).collect::<Vec<_>>(), [Phase::Closed]);
    // Back again: the past is left out, and what comes then is judged.
    assert_eq!(wave(&mut detector, end + 20), []);
    assert_eq!(opened(&wave(&mut detector, end + 200 * DAY + 1), Kind::Negative), 1);
}

fn settings() -> Result<AlertSettings, toml::de::Error> {
    #[derive(Deserialize)]
    struct Sections {
        alert: AlertSettings,
    }
    Ok(toml::from_str::<Sections>(include_str!("../default.toml"))?.alert)
}

fn told(brands: &mut Brands, minutes: Vec<Minute>, to: i64) -> Vec<(String, Change)> {
    let minutes: Vec<_> = minutes.into_iter().map(|minute| ("loud".to_owned(), minute)).collect();
    brands.feed(&minutes, to)
}

#[test]
fn a_brand_without_data_learns_on_and_says_nothing() {
    let rules = ["loud", "unheard"].map(|brand| (brand.to_owned(), Rule::default()));
    let mut brands = Brands::new(rules, &settings().unwrap());
    let end = START + LEARNED * DAY;
    assert_eq!(told(&mut brands, (START..end).map(usual).collect(), end - 1), []);
    let learning = |brands: &Brands, name: &str| {
        brands.detectors().find(|(brand, _)| *brand == name).unwrap().1.standing().learning
    };
    assert!(learning(&brands, "unheard") && !learning(&brands, "loud"));
}

#[test]
fn gaps_are_each_brands_own() {
    let mut brands = Brands::new(
        ["loud", "down"].map(|brand| (brand.to_owned(), Rule::default())),
        &settings().unwrap(),
    );
    let end = START + LEARNED * DAY;
    let both = |minute: Minute| ["down", "loud"].map(|brand| (brand.to_owned(), minute));
    assert_eq!(
        brands.feed(&(START..end).map(usual).flat_map(both).collect::<Vec<_>>(), end - 1),
        []
    );
    let of_one = |brand: &str| if brand == "down" { vec![(end, end + 600)] } else { Vec::new() };
    brands.cover(|brand| Gaps::new(of_one(brand)));
    let changes = brands.feed(&[], end + 600);
    assert_eq!(changes.iter().map(|(brand, _)| brand.as_str()).collect::<Vec<_>>(), ["loud"]);
    assert!(brands.is_open("loud", Kind::Silence) && !brands.is_open("down", Kind::Silence));
}

#[test]
fn minutes_beyond_the_one_that_is_judged_are_left_for_later() {
    let mut brands = Brands::new([("loud".to_owned(), Rule::default())], &settings().unwrap());
    let end = START + LEARNED * DAY;
    let mut minutes: Vec<Minute> = (START..end).map(usual).collect();
    minutes.push(minute(end + 500 * DAY, 50, 50));
    assert_eq!(told(&mut brands, minutes, end - 1), []);
    assert_eq!(
        opened_by(&told(
            &mut brands,
            (end..end + 10).map(|at| minute(at, 5, 4)).collect(),
            end + 9
        )),
        1
    );
}

fn opened_by(changes: &[(String, Change)]) -> usize {
    changes.iter().filter(|(_, change)| change.phase == Phase::Opened).count()
}
