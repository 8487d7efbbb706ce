//! A record of a file, key by key or cell by cell, into a submission.

use std::{collections::BTreeSet, fmt, str};

use echolot_pipeline::stage::Rejection;
use echolot_schemas::{SourceName, mention::Engagement, submission::Submission};
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};

use crate::{
    files::{
        columns::{Columns, Field, Meaning},
        value::Value,
        zone::TimeZoneRule,
    },
    submission::{malformed, malformed_json, not_utf8},
};

/// Most names of unknown fields that are remembered for the warning.
const NAMES_MOST: usize = 20;
/// Longest such name.
const NAME_CHARS: usize = 40;

/// Reads records by one mapping.
#[derive(Clone, Debug)]
pub struct Parser {
    /// What each column means.
    pub columns: Columns,
    /// What a time without an offset means.
    pub zone: TimeZoneRule,
    /// The source of every record, whatever it says itself.
    pub source: Option<SourceName>,
    /// The source of records that name none.
    pub fallback: SourceName,
}

/// Names of fields that nothing is made of, for one warning at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ignored(BTreeSet<String>);

impl Ignored {
    pub(crate) fn note(&mut self, name: &str) {
        if self.0.len() < NAMES_MOST && !self.0.contains(name) {
            self.0.insert(name.chars().take(NAME_CHARS).collect());
        }
    }

    pub(crate) fn into_names(self) -> Vec<String> {
        self.0.into_iter().collect()
    }
}

impl Parser {
    /// The submission in one JSON object.
    pub(crate) fn json(
        &self,
        json: &[u8],
        ignored: &mut Ignored,
    ) -> Result<(SourceName, Submission), Rejection> {
        let mut fields = Fields::default();
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        ObjectSeed { columns: &self.columns, fields: &mut fields, ignored }
            .deserialize(&mut deserializer)
            .and_then(|()| deserializer.end())
            .map_err(|error| malformed_json(json, &error))?;
        self.submission(fields)
    }

    /// The submission in one row, whose cells mean what `header` says.
    pub(crate) fn row<'a>(
        &self,
        header: &[Option<Meaning>],
        cells: impl ExactSizeIterator<Item = &'a [u8]>,
    ) -> Result<(SourceName, Submission), Rejection> {
        if cells.len() != header.len() {
            let (found, named) = (cells.len(), header.len());
            return Err(malformed(format!("has {found} cells, the header names {named} columns")));
        }
        let mut fields = Fields::default();
        for (meaning, cell) in header.iter().zip(cells) {
            let Some(meaning) = *meaning else { continue };
            let text = str::from_utf8(cell).map_err(|error| {
                let what = not_utf8(cell, error.valid_up_to());
                malformed(format!("{}: {what}", meaning.0.name()))
            })?;
            // The header was checked to hold no name twice.
            let _ = fields.put(meaning, Value::cell(text));
        }
        self.submission(fields)
    }

    fn submission(&self, mut fields: Fields<'_>) -> Result<(SourceName, Submission), Rejection> {
        let mut engagement = Engagement::default();
        for (name, value) in fields.take(Field::Engagement, Value::object)? {
            let count = value.count().map_err(|problem| wrong("engagement", &problem))?;
            match name.as_str() {
                "likes" => engagement.likes = count,
                "replies" => engagement.replies = count,
                "shares" => engagement.shares = count,
                "reach" => engagement.reach = count,
                _ => {}
            }
        }
        engagement.likes = fields.take(Field::Likes, Value::count)?.or(engagement.likes);
        engagement.replies = fields.take(Field::Replies, Value::count)?.or(engagement.replies);
        engagement.shares = fields.take(Field::Shares, Value::count)?.or(engagement.shares);
        engagement.reach = fields.take(Field::Reach, Value::count)?.or(engagement.reach);
        let rating = fields.take(Field::Rating, Value::count)?;
        let time = |value: Value<'_>| value.time(&self.zone);
        let source = self.source_of(&mut fields)?;
        let submission = Submission {
            id: fields.take(Field::Id, Value::id)?.unwrap_or_default(),
            text: fields.take(Field::Text, Value::text)?,
            title: fields.take(Field::Title, Value::text)?,
            published_at: fields.take(Field::PublishedAt, time)?,
            edited_at: fields.take(Field::EditedAt, time)?,
            language: fields.take(Field::Language, Value::text)?,
            author: fields.take(Field::Author, Value::id)?,
            url: fields.take(Field::Url, Value::text)?,
            parent: fields.take(Field::Parent, Value::id)?,
            thread: fields.take(Field::Thread, Value::id)?,
            engagement: Some(engagement).filter(|engagement| !engagement.is_empty()),
            tags: fields.take(Field::Tags, Value::tags)?,
            country: fields.take(Field::Country, Value::text)?,
            // What does not fit is no number of stars either, and the observer says so.
            rating: rating.map(|stars| u8::try_from(stars).unwrap_or(u8::MAX)),
            deleted: fields.take(Field::Deleted, Value::flag)?,
        };
        Ok((source, submission))
    }

    fn source_of(&self, fields: &mut Fields<'_>) -> Result<SourceName, Rejection> {
        if let Some(source) = &self.source {
            return Ok(source.clone());
        }
        match fields.take(Field::Source, Value::text)? {
            None => Ok(self.fallback.clone()),
            Some(name) => SourceName::new(name)
                .map_err(|error| wrong("source", &format!("{error}; or name one with --source"))),
        }
    }
}

fn wrong(field: &str, problem: &str) -> Rejection {
    malformed(format!("{field}: {problem}"))
}

/// The values of one record, one a field: of several columns that may hold it, the best named one
/// that holds anything.
#[derive(Default)]
struct Fields<'a> {
    values: [Option<(usize, Value<'a>)>; Field::ALL.len()],
}

/// A field has two values under the same name.
struct Twice;

impl<'a> Fields<'a> {
    fn put(&mut self, (field, rank): Meaning, value: Value<'a>) -> Result<(), Twice> {
        // Exports nest whole users under `user`; that is another thing than a field of that name.
        let nested = matches!(value, Value::Object(_)) && field != Field::Engagement;
        if nested && rank > 0 {
            return Ok(());
        }
        let place = &mut self.values[field as usize];
        match place {
            Some((present, _)) if *present == rank => return Err(Twice),
            Some((present, old)) if *present < rank && !old.is_absent() => {}
            Some((present, _)) if *present > rank && value.is_absent() => {}
            _ => *place = Some((rank, value)),
        }
        Ok(())
    }

    fn take<T: Default>(
        &mut self,
        field: Field,
        read: impl FnOnce(Value<'a>) -> Result<T, String>,
    ) -> Result<T, Rejection> {
        match self.values[field as usize].take() {
            None => Ok(T::default()),
            Some((_, value)) => read(value).map_err(|problem| wrong(field.name(), &problem)),
        }
    }
}

/// Reads an object's known keys into fields; passes over the others.
struct ObjectSeed<'s, 'de> {
    columns: &'s Columns,
    fields: &'s mut Fields<'de>,
    ignored: &'s mut Ignored,
}

impl<'de> DeserializeSeed<'de> for ObjectSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ObjectSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let Self { columns, fields, ignored } = self;
        while let Some(meaning) = access.next_key_seed(KeySeed { columns, ignored })? {
            match meaning {
                None => {
                    access.next_value::<IgnoredAny>()?;
                }
                Some(meaning) => {
                    let value = access.next_value()?;
                    fields.put(meaning, value).map_err(|Twice| {
                        A::Error::custom(format!("duplicate field `{}`", meaning.0.name()))
                    })?;
                }
            }
        }
        Ok(())
    }
}

/// Looks a key up without copying it.
struct KeySeed<'s> {
    columns: &'s Columns,
    ignored: &'s mut Ignored,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Option<Meaning>;

    fn deserialize<D: serde::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Option<Meaning>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        let meaning = self.columns.meaning(key);
        if meaning.is_none() {
            self.ignored.note(key);
        }
        Ok(meaning)
    }
}
