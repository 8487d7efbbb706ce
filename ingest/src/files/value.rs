//! A value as a file holds it, and what it may mean.

use std::{borrow::Cow, fmt};

use echolot_schemas::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

use crate::files::zone::{TimeZoneRule, from_number};

/// Numbers up to this are whole in every tool that wrote them as floating point.
const WHOLE_BELOW: f64 = 9_007_199_254_740_992.0;

/// A JSON value, or a cell of a table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// `null`, or an empty cell.
    Absent,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(Cow<'a, str>),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl<'a> Value<'a> {
    /// The value of a cell.
    pub(crate) fn cell(text: &'a str) -> Self {
        if text.is_empty() { Self::Absent } else { Self::Text(Cow::Borrowed(text)) }
    }

    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// An id: a text, or a whole number.
    pub(crate) fn id(self) -> Result<Option<String>, String> {
        match self {
            Self::Integer(number) => Ok(Some(number.to_string())),
            Self::Float(_) => Err("is too large or no whole number; put it in quotes".to_owned()),
            other => other.text(),
        }
    }

    pub(crate) fn text(self) -> Result<Option<String>, String> {
        match self {
            Self::Absent => Ok(None),
            Self::Text(text) => Ok(Some(text.into_owned())),
            other => Err(format!("must be a text, not {}", other.kind())),
        }
    }

    pub(crate) fn time(self, zone: &TimeZoneRule) -> Result<Option<Timestamp>, String> {
        match self {
            Self::Absent => Ok(None),
            Self::Integer(number) => Ok(Some(from_number(number))),
            Self::Text(text) => zone.instant(text.trim()).map(Some),
            other => Err(format!("must be a time, not {}", other.kind())),
        }
    }

    /// A count; `12.0` is one, since tables written from data frames hold it so.
    pub(crate) fn count(self) -> Result<Option<u64>, String> {
        let refused = || "must be a whole number, 0 or more".to_owned();
        match self {
            Self::Absent => Ok(None),
            Self::Integer(number) => u64::try_from(number).map(Some).map_err(|_| refused()),
            Self::Float(number) => whole(number).map(Some).ok_or_else(refused),
            Self::Text(text) => {
                let text = text.trim();
                let float = || text.parse().ok().and_then(whole);
                text.parse().ok().or_else(float).map(Some).ok_or_else(refused)
            }
            other => Err(format!("must be a number, not {}", other.kind())),
        }
    }

    pub(crate) fn flag(self) -> Result<bool, String> {
        match self {
            Self::Absent | Self::Integer(0) => Ok(false),
            Self::Integer(1) => Ok(true),
            Self::Bool(flag) => Ok(flag),
            Self::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => Ok(true),
                "false" | "no" | "0" => Ok(false),
                _ => Err("must be true or false".to_owned()),
            },
            _ => Err("must be true or false".to_owned()),
        }
    }

    /// A list of texts, or one text with `,` `;` `|` or white space between them.
    pub(crate) fn tags(self) -> Result<Vec<String>, String> {
        match self {
            Self::Absent => Ok(Vec::new()),
            Self::List(values) => {
                let texts =
                    values.into_iter().map(|value| value.text().map(Option::unwrap_or_default));
                texts.collect()
            }
            Self::Text(text) => {
                let listed = text.contains([',', ';', '|']);
                let between = |c: char| {
                    if listed { matches!(c, ',' | ';' | '|') } else { c.is_whitespace() }
                };
                Ok(text.split(between).map(|tag| tag.trim().to_owned()).collect())
            }
            other => Err(format!("must be a list of texts, not {}", other.kind())),
        }
    }

    pub(crate) fn object(self) -> Result<Vec<(String, Self)>, String> {
        match self {
            Self::Absent => Ok(Vec::new()),
            Self::Object(entries) => Ok(entries),
            other => Err(format!("must be an object, not {}", other.kind())),
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Absent => "nothing",
            Self::Bool(_) => "a truth value",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number is checked to be whole, not negative and below 2^53"
)]
fn whole(number: f64) -> Option<u64> {
    let fits = (0.0..WHOLE_BELOW).contains(&number) && number.fract() == 0.0;
    fits.then_some(number as u64)
}

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Absent)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Value::Integer(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        // A native id above i64 is still an id.
        Ok(i64::try_from(number)
            .map_or_else(|_| Value::Text(Cow::Owned(number.to_string())), Value::Integer))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = access.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Value::Object(entries))
    }
}
