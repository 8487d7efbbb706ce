//! JSON pointers (RFC 6901) into an item, or with `$` before them into the whole body.

use std::fmt;

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

/// Longest value quoted in an error.
const QUOTED: usize = 80;

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer {
    /// From the body's top rather than the item's.
    top: bool,
    path: String,
}

impl Pointer {
    /// What stands there; null counts as nothing.
    pub(super) fn find<'a>(&self, item: &'a Value, root: &'a Value) -> Option<&'a Value> {
        let from = if self.top { root } else { item };
        from.pointer(&self.path).filter(|value| !value.is_null())
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let top = if self.top { "$" } else { "" };
        write!(f, "\"{top}{}\"", self.path)
    }
}

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (top, path) = match text.strip_prefix('$') {
            Some(path) => (true, path),
            None => (false, text.as_str()),
        };
        if !path.is_empty() && !path.starts_with('/') {
            return Err(de::Error::custom(format!(
                "{text:?} is no JSON pointer: it begins with / (in the item) or $/ (in the body), \
                 such as \"/post/id\""
            )));
        }
        Ok(Self { top, path: path.to_owned() })
    }
}

/// A text, number or truth value as text; none for the others.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A value as it is quoted in errors.
pub(super) fn quoted(value: &Value) -> String {
    let json = value.to_string();
    let cut: String = json.chars().take(QUOTED).collect();
    if cut.len() < json.len() { format!("{cut}…") } else { cut }
}
