//! Every example fits its schema, is decoded, and is the same once encoded again.

use echolot_schemas::{
    EnrichedEvent, Event, EventType, Mention, MentionId, RawEvent, coverage::SourceCoverage,
    cursor::CursorRecord, json_schema, purge::PurgeRequest, submission::Submission,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::corpus::{self, Example};

/// Reads the payload as the pipeline does, and writes it again; the error is what is told.
fn read_and_write(kind: &str, payload: &[u8]) -> Result<Value, String> {
    let event_type = EventType::ALL.into_iter().find(|known| known.as_str() == kind);
    match (event_type, kind) {
        (Some(raw @ (EventType::MentionObserved | EventType::MentionDeleted)), _) => {
            let event = RawEvent::from_json(raw, payload).map_err(|error| error.to_string())?;
            if let RawEvent::Observed(observed) = &event {
                let limits = observed.mention.validate(observed.observed_at);
                limits.map_err(|invalid| invalid.to_string())?;
            }
            Ok(value(&event.to_json().unwrap()))
        }
        (Some(enriched), _) => {
            let event =
                EnrichedEvent::from_json(enriched, payload).map_err(|error| error.to_string())?;
            Ok(value(&event.to_json().unwrap()))
        }
        (None, "submission") => plain::<Submission>(payload),
        (None, "cursor") => plain::<CursorRecord>(payload),
        (None, "source.coverage") => plain::<SourceCoverage>(payload),
        (None, "author.purge") => plain::<PurgeRequest>(payload),
        (None, unknown) => panic!("examples/{unknown} is no kind of ours"),
    }
}

fn plain<T: Serialize + DeserializeOwned>(payload: &[u8]) -> Result<Value, String> {
    let read: T = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
    Ok(value(&serde_json::to_vec(&read).unwrap()))
}

fn value(json: &[u8]) -> Value {
    serde_json::from_slice(json).unwrap()
}

/// The mention inside of an event that carries one.
fn mention(example: &Example) -> Option<Mention> {
    let mention = example.value().get("mention")?.clone();
    Some(serde_json::from_value(mention).unwrap())
}

#[test]
fn every_published_schema_has_an_example() {
    let mut published: Vec<String> = json_schema::all()
        .into_iter()
        .map(|schema| schema.name.strip_suffix(".v1").unwrap().to_owned())
        .collect();
    published.sort();
    assert_eq!(corpus::kinds(), published);
    for kind in published {
        assert!(!corpus::good(&kind).is_empty(), "{kind}");
    }
}

#[test]
fn every_example_fits_the_generated_schema() {
    for kind in corpus::kinds() {
        let schema = corpus::validator(&kind);
        for example in corpus::good(&kind) {
            let value = example.value();
            let errors: Vec<String> =
                schema.iter_errors(&value).map(|error| error.to_string()).collect();
            assert_eq!(errors, [""; 0], "{}", example.path.display());
        }
    }
}

#[test]
fn every_example_is_the_same_once_decoded_and_encoded() {
    for kind in corpus::kinds() {
        for example in corpus::good(&kind) {
            let again = read_and_write(&kind, example.text.as_bytes());
            assert_eq!(again, Ok(example.value()), "{}", example.path.display());
        }
    }
}

#[test]
fn every_mention_has_the_id_that_its_source_and_native_id_give() {
    let examples = corpus::kinds().into_iter().flat_map(|kind| corpus::good(&kind));
    let mentions: Vec<Mention> = examples.filter_map(|example| mention(&example)).collect();
    assert!(mentions.len() > 10, "the search finds too few: {}", mentions.len());
    for mention in mentions {
        assert_eq!(mention.id, MentionId::derive(&mention.source, &mention.native_id));
    }
}

#[test]
fn every_bad_example_is_refused_with_the_error_it_names() {
    for kind in corpus::kinds() {
        for (path, example) in corpus::bad(&kind) {
            assert!(!example.why.is_empty(), "{}: says no why", path.display());
            let told = read_and_write(&kind, example.input.get().as_bytes()).unwrap_err();
            assert!(told.contains(&example.error), "{}: {told}", path.display());
        }
    }
}

#[test]
fn a_schema_refuses_what_a_bad_example_says_it_does() {
    for kind in corpus::kinds() {
        let schema = corpus::validator(&kind);
        for (path, example) in corpus::bad(&kind) {
            let input: Value = serde_json::from_str(example.input.get()).unwrap();
            assert_eq!(schema.is_valid(&input), !example.schema_refuses, "{}", path.display());
        }
    }
}
