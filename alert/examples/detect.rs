//! A quiet fortnight, then twelve people complain within minutes.
//!
//! ```text
//! cargo run -p echolot-alert --example detect
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use echolot_alert::{Detector, Minute, Rule, Sketch};
use jiff::tz::TimeZone;

fn main() {
    let mut detector = Detector::new(Rule::default(), TimeZone::UTC);
    let start = 29_540_160;
    for at in start..start + 14 * 1440 {
        let mentions = u32::from(at % 3 == 0);
        let negative = u32::from(at % 15 == 0);
        detector.observe(&minute(at, mentions, negative));
    }
    for at in start + 14 * 1440..start + 14 * 1440 + 240 {
        let negative = if at < start + 14 * 1440 + 12 { 3 } else { 0 };
        for change in detector.observe(&minute(at, negative, negative)) {
            println!("{change:#?}");
        }
    }
}

fn minute(at: i64, mentions: u32, negative: u32) -> Minute {
    let mut authors = Sketch::default();
    for person in 0..u64::from(negative) {
        authors.add(at.unsigned_abs() * 7 + person * 31);
    }
    Minute {
        mentions: mentions.max(negative),
        negative,
        voices: negative,
        authors,
        texts: authors,
        ..Minute::quiet(at)
    }
}
