//! Shows an event of `schemas/examples` as the record that it travels as:
//!
//! ```text
//! cargo run -p echolot-schemas --example read_event -- mention.enriched \
//!     schemas/examples/mention.enriched/german.json
//! ```

#![expect(clippy::print_stdout, reason = "an example speaks to a terminal")]

use std::{env, error::Error, fs};

use echolot_schemas::{EnrichedEvent, Event, EventType, RawEvent, codec::header};

fn main() -> Result<(), Box<dyn Error>> {
    let [name, path] = env::args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| {
        format!(
            "usage: read_event TYPE FILE, where TYPE is one of {:?}",
            EventType::ALL.map(EventType::as_str)
        )
    })?;
    let event_type = EventType::ALL
        .into_iter()
        .find(|known| known.as_str() == name)
        .ok_or_else(|| format!("{name} is no event type"))?;
    let payload = fs::read(&path).map_err(|error| format!("cannot read {path}: {error}"))?;
    match event_type {
        EventType::MentionObserved | EventType::MentionDeleted => {
            show(&RawEvent::from_json(event_type, &payload)?)
        }
        _ => show(&EnrichedEvent::from_json(event_type, &payload)?),
    }
}

fn show<E: Event>(event: &E) -> Result<(), Box<dyn Error>> {
    println!("key {}", event.key());
    for (name, value) in [
        (header::TYPE, event.event_type().as_str().to_owned()),
        (header::DATA_SCHEMA, event.event_type().data_schema().to_owned()),
        (header::SOURCE, event.origin().into_owned()),
        (header::ID, event.event_id()),
        (header::TIME, event.time().to_string()),
    ] {
        println!("{name}: {value}");
    }
    println!("{}", String::from_utf8(event.to_json()?)?);
    Ok(())
}
