//! Every feed that the authors of three other parsers recorded or made up, through the feed source.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::Read as _,
    path::Path,
    time::{Duration, Instant},
};

use bytes::Bytes;
use echolot_ingest::{
    source::Page,
    sources::{CommonSettings, SampleContext, SourceOptions, kind},
};
use echolot_schemas::{SourceName, Timestamp};
use serde_json::{Value, json};
use url::Url;

use super::Turned;

const SAMPLES: &str = "../../shared/data/event_samples";
/// What every JSON Feed says of itself.
const JSON_FEED: &str = "jsonfeed.org/version";
/// Longest that one of these small documents may take, unoptimised and on a busy machine.
const LONGEST: Duration = Duration::from_secs(5);

/// A document, and what the parser that it is from makes of it.
struct Recorded {
    name: String,
    bytes: Bytes,
    made: Option<Value>,
}

fn recorded(corpus: &str) -> Vec<Recorded> {
    let path = format!("{SAMPLES}/{corpus}.tar.zst");
    let packed = File::open(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut archive = tar::Archive::new(zstd::Decoder::new(packed).unwrap());
    let (mut documents, mut made) = (Vec::new(), HashMap::new());
    for file in archive.entries().unwrap() {
        let mut file = file.unwrap();
        let name = file.path().unwrap().to_string_lossy().into_owned();
        let Some((stem, kind)) = name.rsplit_once('.') else { continue };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        let feed = String::from_utf8_lossy(&bytes).contains(JSON_FEED);
        match kind {
            "json" if !feed => {
                if let Ok(value) = serde_json::from_slice::<Value>(&bytes) {
                    made.insert(stem.trim_end_matches("_expected").to_owned(), value);
                }
            }
            "xml" | "rss" | "atom" | "rdf" | "json" => documents.push((name, Bytes::from(bytes))),
            _ => {}
        }
    }
    let made_of = |name: &str| made.get(name.rsplit_once('.').map_or(name, |(stem, _)| stem));
    let document = |(name, bytes): (String, Bytes)| {
        let made = made_of(&name).cloned();
        Recorded { name, bytes, made }
    };
    documents.into_iter().map(document).collect()
}

/// What became of the documents of one corpus.
#[derive(Debug, Default)]
struct Outcome {
    /// Read whole.
    whole: u32,
    /// Entries kept up to where the document breaks off.
    in_part: u32,
    refused: BTreeMap<String, u32>,
    entries: usize,
    /// Of what the other parser tells as well: how much is the same, of how much.
    agreed: BTreeMap<&'static str, (u32, u32)>,
    differences: Vec<String>,
}

impl Outcome {
    fn compare<T: PartialEq + std::fmt::Debug>(
        &mut self,
        name: &str,
        field: &'static str,
        read: &T,
        made: &T,
    ) {
        let (same, all) = self.agreed.entry(field).or_default();
        *all += 1;
        if read == made {
            *same += 1;
        } else {
            self.differences.push(format!("{name}: {field} {read:?}, the other {made:?}"));
        }
    }

    /// Entries, links and times beside those of the other parser.
    fn beside(&mut self, name: &str, page: &Page, made: &Value) {
        let items = made.get("items").or(made.get("entries")).and_then(Value::as_array);
        let items = items.map_or(&[][..], Vec::as_slice);
        self.compare(name, "entries", &page.observations.len(), &items.len());
        for (said, item) in page.observations.iter().zip(items) {
            let said = &said.submission;
            let web =
                |link: &&str| Url::parse(link).is_ok_and(|url| url.scheme().starts_with("http"));
            // Of several links in one item the other parser names the last, and lists all.
            let links = item["links"].as_array().into_iter().flatten().chain([&item["link"]]);
            let links: Vec<_> = links.filter_map(Value::as_str).filter(web).collect();
            if !links.is_empty() {
                let link = said.url.clone().filter(|link| {
                    links.iter().any(|one| Url::parse(one).is_ok_and(|url| url.as_str() == link))
                });
                self.compare(name, "a link", &link.is_some(), &true);
            }
            let times = ["publishedParsed", "pubDateParsed", "updatedParsed"];
            if let Some(time) = times.iter().find_map(|field| item[field].as_str()) {
                self.compare(name, "time", &said.published_at, &time.parse::<Timestamp>().ok());
            }
        }
    }
}

fn read(options: &dyn SourceOptions, corpus: &str) -> Outcome {
    let name = SourceName::new("feed").unwrap();
    let (clock, common) = (Turned::at("2026-06-01T12:00:00Z").clock(), CommonSettings::default());
    let mut outcome = Outcome::default();
    for Recorded { name: file, bytes, made } in recorded(corpus) {
        let context =
            SampleContext { name: &name, file: Path::new(&file), common: &common, clock: &clock };
        let began = Instant::now();
        let read = options.judge_sample(&context, bytes);
        assert!(began.elapsed() < LONGEST, "{file} took {:?}", began.elapsed());
        match read {
            Ok(page) => {
                outcome.entries += page.observations.len();
                let counted = if page.rejected.is_empty() {
                    &mut outcome.whole
                } else {
                    &mut outcome.in_part
                };
                *counted += 1;
                if let Some(made) = &made {
                    outcome.beside(&file, &page, made);
                }
            }
            Err(rejection) => *outcome.refused.entry(rejection.detail).or_default() += 1,
        }
    }
    outcome
}

#[test]
fn nothing_that_others_recorded_makes_the_reader_panic_and_every_feed_of_theirs_is_read() {
    let options = kind("feed").unwrap().read(json!({})).unwrap();
    let mut feeds = 0;
    for (corpus, least) in [("feed-rs", 60), ("feedparser", 2000), ("gofeed", 500)] {
        let outcome = read(options.as_ref(), corpus);
        println!("{corpus}: {outcome:#?}");
        assert!(outcome.whole >= least, "{corpus}: {} read whole", outcome.whole);
        feeds += outcome.whole + outcome.in_part;
        // Two catalogues, a note and two files without anything are no feeds.
        for reason in outcome.refused.keys() {
            let right = reason.contains("its root is") || reason == "holds no element";
            assert!(right, "{corpus}: {reason}");
        }
        for (field, (same, all)) in &outcome.agreed {
            let share = f64::from(*same) / f64::from(*all);
            assert!(share >= 0.97, "{corpus}: {field} {same} of {all}: {:#?}", outcome.differences);
        }
    }
    assert!(feeds > 2600, "{feeds}");
}
