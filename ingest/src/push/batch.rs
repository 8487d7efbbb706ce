//! A request's body taken apart: each item on its own, so that a bad one spoils no other.

use std::collections::BTreeMap;

use echolot_pipeline::stage::Rejection;
use echolot_schemas::{RawEvent, SourceName, Timestamp, dead_letter::Reason};
use memchr::memchr;
use serde::Serialize;

use crate::{
    array::{Element, Elements},
    keep::{Keep, KeepRule},
    observe::Observer,
    submission::{malformed, native_id, read_submission},
};

/// Most rejections that an answer lists; all are counted.
const LISTED: usize = 100;
/// What some editors put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How a body holds its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object.
    Single,
    /// A JSON array of objects.
    Array,
    /// One JSON object per line.
    Lines,
}

/// One item that was refused, as it is told to the sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Line of the body, counted from 1, where items are lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Element of the array, counted from 1, where items are elements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<u64>,
    /// Its native id, where that could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The class of what is wrong.
    pub reason: Reason,
    /// What is wrong and how to mend it.
    pub detail: String,
}

/// What a body came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Events in the order of the body; of one id used twice, both.
    pub events: Vec<RawEvent>,
    /// Number of mentions that were left out, being about no brand.
    pub filtered: usize,
    /// The first refusals.
    pub refused: Vec<Refusal>,
    /// Number of all refusals.
    pub refused_total: usize,
    /// All refusals by reason.
    pub reasons: BTreeMap<&'static str, (Reason, u64)>,
}

/// A body with more items than a request may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body holds more than ingest.push.items_limit = {0} mentions")]
pub struct TooMany(pub usize);

/// The format that `content_type` names, or else the one that the body's first bytes show.
///
/// `application/json` may be an object or an array; without a telling type, an object that ends on
/// its first line begins NDJSON.
pub fn format(content_type: Option<&str>, body: &[u8]) -> Format {
    let essence = content_type.map_or("", |t| t.split(';').next().unwrap_or_default()).trim();
    let body = without_mark(body).trim_ascii_start();
    let is = |name: &str| essence.eq_ignore_ascii_case(name);
    if is("application/x-ndjson") || is("application/ndjson") || is("application/jsonl") {
        return Format::Lines;
    }
    if body.first() == Some(&b'[') {
        return Format::Array;
    }
    let first_line = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if !is("application/json") && first_line.trim_ascii_end().ends_with(b"}") {
        return Format::Lines;
    }
    Format::Single
}

/// Judges every item of a body.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// Makes the events.
    pub observer: &'a Observer,
    /// Who sent the body.
    pub source: &'a SourceName,
    /// Which mentions to keep.
    pub keep: KeepRule,
    /// When it was accepted.
    pub observed_at: Timestamp,
    /// Most items.
    pub items_limit: usize,
}

impl Judge<'_> {
    /// The events and refusals in `body`; refused as a whole only for too many items.
    pub fn judge(&self, format: Format, body: &[u8]) -> Result<Outcome, TooMany> {
        let body = without_mark(body);
        let mut outcome = Outcome::default();
        let mut keep = self.observer.keep(self.keep);
        match format {
            Format::Single => self.item(&mut outcome, &mut keep, Spot::item(1), body)?,
            Format::Lines => {
                for (line, bytes) in (1..).zip(Lines(body)) {
                    if !bytes.trim_ascii().is_empty() {
                        self.item(&mut outcome, &mut keep, Spot::line(line), bytes)?;
                    }
                }
            }
            Format::Array => {
                for (item, element) in (1..).zip(Elements::of(body.trim_ascii_start())) {
                    let spot = Spot::item(item);
                    match element {
                        Element::Whole(bytes) => self.item(&mut outcome, &mut keep, spot, bytes)?,
                        Element::BrokenOff(_) => outcome.refuse(
                            spot,
                            None,
                            malformed("the array breaks off here, without `]`"),
                        ),
                        Element::Trailing(_) => {
                            outcome.refuse(spot, None, malformed("stands behind the array's `]`"));
                        }
                    }
                }
            }
        }
        Ok(outcome)
    }

    fn item(
        &self,
        outcome: &mut Outcome,
        keep: &mut Keep,
        spot: Spot,
        bytes: &[u8],
    ) -> Result<(), TooMany> {
        let items = outcome.events.len() + outcome.filtered + outcome.refused_total;
        if items >= self.items_limit {
            return Err(TooMany(self.items_limit));
        }
        let event = read_submission(bytes)
            .and_then(|read| keep.observe(self.observer, self.source, read, self.observed_at));
        match event {
            Ok(Some(event)) => outcome.events.push(event),
            Ok(None) => outcome.filtered += 1,
            Err(rejection) => outcome.refuse(spot, native_id(bytes), rejection),
        }
        Ok(())
    }
}

impl Outcome {
    fn refuse(&mut self, spot: Spot, id: Option<String>, rejection: Rejection) {
        let Rejection { reason, detail } = rejection;
        self.refused_total += 1;
        self.reasons.entry(reason.as_str()).or_insert((reason, 0)).1 += 1;
        if self.refused.len() < LISTED {
            let Spot { line, item } = spot;
            self.refused.push(Refusal { line, item, id, reason, detail });
        }
    }
}

/// Where an item stands: on a line, or in an array.
#[derive(Clone, Copy)]
struct Spot {
    line: Option<u64>,
    item: Option<u64>,
}

impl Spot {
    fn line(line: u64) -> Self {
        Self { line: Some(line), item: None }
    }

    fn item(item: u64) -> Self {
        Self { line: None, item: Some(item) }
    }
}

/// The lines of a body, without their ends.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let end = memchr(b'\n', self.0).unwrap_or(self.0.len());
        let (line, rest) = self.0.split_at(end);
        self.0 = rest.get(1..).unwrap_or_default();
        Some(line)
    }
}

fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body)
}
