//! JSON Feed 1.0 and 1.1 as its parser likes it.
//!
//! The specification asks readers to be lenient where publishers are not: an id that is a number is
//! taken as text, a time is read in any spelling, and what lacks an id or a title is kept all the same.

use echolot_pipeline::stage::Rejection;
use serde_json::{Map, Value};

use super::translate::rfc3339;
use crate::submission::malformed;

/// The same feed with every id a text and every time as RFC 3339 has it.
pub(super) fn tidy(json: &str) -> Result<String, Rejection> {
    let mut feed: Value = serde_json::from_str(json)
        .map_err(|error| malformed(format!("is no feed: broken JSON: {error}")))?;
    if let Some(feed) = feed.as_object_mut() {
        feed.entry("title").or_insert_with(|| Value::String(String::new()));
        let items = feed.get_mut("items").and_then(Value::as_array_mut);
        for item in items.into_iter().flatten().filter_map(Value::as_object_mut) {
            tidy_item(item);
        }
    }
    Ok(feed.to_string())
}

fn tidy_item(item: &mut Map<String, Value>) {
    let id = match item.remove("id") {
        Some(Value::String(id)) => id,
        Some(Value::Number(id)) => id.to_string(),
        _ => String::new(),
    };
    item.insert("id".to_owned(), Value::String(id));
    for name in ["date_published", "date_modified"] {
        let time = item.remove(name);
        if let Some(time) = time.as_ref().and_then(Value::as_str).and_then(read_time) {
            item.insert(name.to_owned(), Value::String(time));
        }
    }
}

/// A right time as it is, with its fraction; another one as it is understood.
fn read_time(text: &str) -> Option<String> {
    match text.parse::<jiff::Timestamp>() {
        Ok(_) => Some(text.to_owned()),
        Err(_) => rfc3339(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_text_and_times_of_other_spellings_right_ones() {
        let feed = r#"{"items": [{"id": 7, "date_published": "2 Jun 2025 10:00"}, {"id": null}]}"#;
        let tidied: Value = serde_json::from_str(&tidy(feed).unwrap()).unwrap();
        assert_eq!(tidied["items"][0]["id"], "7");
        assert_eq!(tidied["items"][0]["date_published"], "2025-06-02T10:00:00Z");
        assert_eq!((&tidied["items"][1]["id"], &tidied["title"]), (&"".into(), &"".into()));
    }

    #[test]
    fn what_is_no_json_is_told_with_its_place() {
        let told = tidy("{\"items\": [").unwrap_err().detail;
        assert!(told.contains("line 1"), "{told}");
    }
}
