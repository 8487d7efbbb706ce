//! One mention as a person reads it.

use std::fmt::Write as _;

use serde_json::Value;

/// Most characters shown of one field.
const CHARS: usize = 400;
/// Fields in the order in which they are shown: as in JSON.
const FIELDS: [&str; 16] = [
    "native_id",
    "published_at",
    "edited_at",
    "title",
    "text",
    "url",
    "author",
    "declared_language",
    "parent_id",
    "thread_id",
    "engagement",
    "tags",
    "rating",
    "country",
    "internal",
    "id",
];

/// The fields that a mention has, one below the other.
pub(super) fn told(mention: &Value) -> String {
    let mut out = String::new();
    for name in FIELDS {
        let value = &mention[name];
        let empty = match value {
            Value::Null | Value::Bool(false) => true,
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            _ => false,
        };
        if empty {
            continue;
        }
        let shown = shown(value);
        let mut lines = shown.lines();
        let _ = writeln!(out, "{name:>18}  {}", lines.next().unwrap_or_default());
        for line in lines {
            let _ = writeln!(out, "{:>18}  {line}", "");
        }
    }
    out
}

/// Text that cannot move the terminal's cursor.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let pairs = fields.iter().map(|(name, value)| format!("{name} {}", shown(value)));
            pairs.collect::<Vec<_>>().join(", ")
        }
        value => value.to_string(),
    };
    let text: String = text.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
    match text.char_indices().nth(CHARS) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_that_are_there_stand_below_each_other_and_nothing_moves_the_cursor() {
        let mention = json!({
            "id": "m", "native_id": "9/7", "text": "eins\nzwei\u{1b}[2J", "tags": ["a", "b"],
            "engagement": {"likes": 3}, "internal": false, "title": null,
        });
        assert_eq!(
            told(&mention),
            "         native_id  9/7\n              text  eins\n                    zwei[2J\n        \
             engagement  likes 3\n              tags  a, b\n                id  m\n"
        );
    }

    #[test]
    fn a_long_text_is_cut() {
        let mention = json!({ "text": "ä".repeat(1000) });
        assert_eq!(told(&mention).chars().count(), 20 + CHARS + 2);
    }
}
