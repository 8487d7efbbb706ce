//! Where the parts of a mention stand.

use std::fmt;

use echolot_pipeline::settings::Problems;
use echolot_schemas::{Timestamp, mention::Engagement, submission::Submission};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::Value;

use super::{
    place::{Pointer, quoted, text},
    time,
};
use crate::text::of_html;

/// `fields` of a webhook.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Fields {
    id: Option<Part>,
    text: Option<Part>,
    title: Option<Part>,
    published_at: Option<Part>,
    edited_at: Option<Part>,
    language: Option<Part>,
    author: Option<Part>,
    url: Option<Part>,
    parent: Option<Part>,
    thread: Option<Part>,
    tags: Vec<Part>,
    country: Option<Part>,
    rating: Option<Part>,
    likes: Option<Part>,
    replies: Option<Part>,
    shares: Option<Part>,
    reach: Option<Part>,
    deleted: Option<Part>,
}

/// One part: `"/pointer"`, `["/first", "/or", "/else"]`, or a table.
#[derive(Clone, Debug, Default, PartialEq)]
struct Part(Table);

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Table {
    /// The first of these places that holds anything.
    #[serde(deserialize_with = "one_or_many")]
    from: Vec<Pointer>,
    /// Stands in where no place holds anything.
    constant: Option<String>,
    /// Put before the value: keeps ids of several kinds of items apart.
    prefix: String,
    /// True where the value is HTML.
    html: bool,
    /// How a time is written.
    format: String,
    /// The zone of times without an offset.
    zone: String,
    /// True to take the time of arrival where the sender gives none.
    received: bool,
    /// True when the value is one of these.
    equals: Vec<String>,
}

type Found<'a> = Option<(&'a Pointer, &'a Value)>;

impl Part {
    fn find<'a>(&'a self, item: &'a Value, root: &'a Value) -> Found<'a> {
        self.0.from.iter().find_map(|place| Some((place, place.find(item, root)?)))
    }

    fn text(&self, item: &Value, root: &Value) -> Result<Option<String>, String> {
        let Some((place, value)) = self.find(item, root) else {
            return Ok(self.0.constant.clone());
        };
        let text = text(value)
            .ok_or_else(|| format!("{place} holds {}, which is no text", quoted(value)))?;
        let text = if self.0.html { of_html(&text) } else { text };
        Ok(Some(text).filter(|text| !text.is_empty()).map(|text| self.0.prefix.clone() + &text))
    }

    fn time(
        &self,
        item: &Value,
        root: &Value,
        received: Timestamp,
    ) -> Result<Option<Timestamp>, String> {
        let Some((place, value)) = self.find(item, root) else {
            return Ok(self.0.received.then_some(received));
        };
        time::read(value, &self.0.format, &self.0.zone)
            .map(Some)
            .map_err(|problem| format!("{place} holds {}, which {problem}", quoted(value)))
    }

    fn count(&self, item: &Value, root: &Value) -> Result<Option<u64>, String> {
        let Some((place, value)) = self.find(item, root) else { return Ok(None) };
        let count = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
        count
            .map(Some)
            .ok_or_else(|| format!("{place} holds {}, which is no whole number", quoted(value)))
    }

    /// Without `equals`, anything but false, zero and nothing is true: a time of deletion, say.
    fn flag(&self, item: &Value, root: &Value) -> bool {
        let Some((_, value)) = self.find(item, root) else { return false };
        let text = text(value);
        if !self.0.equals.is_empty() {
            return text.is_some_and(|text| self.0.equals.contains(&text));
        }
        text.is_none_or(|text| !matches!(text.as_str(), "" | "false" | "0"))
    }

    fn tags(&self, item: &Value, root: &Value) -> Result<Vec<String>, String> {
        match self.find(item, root) {
            Some((place, Value::Array(values))) => values
                .iter()
                .map(|value| {
                    text(value)
                        .ok_or_else(|| format!("{place} holds {}, which is no text", quoted(value)))
                })
                .collect(),
            _ => Ok(self.text(item, root)?.into_iter().collect()),
        }
    }
}

impl Fields {
    fn parts(&self) -> [(&'static str, &Option<Part>); 17] {
        [
            ("id", &self.id),
            ("text", &self.text),
            ("title", &self.title),
            ("published_at", &self.published_at),
            ("edited_at", &self.edited_at),
            ("language", &self.language),
            ("author", &self.author),
            ("url", &self.url),
            ("parent", &self.parent),
            ("thread", &self.thread),
            ("country", &self.country),
            ("rating", &self.rating),
            ("likes", &self.likes),
            ("replies", &self.replies),
            ("shares", &self.shares),
            ("reach", &self.reach),
            ("deleted", &self.deleted),
        ]
    }

    /// Notes everything wrong with the mapping.
    pub(super) fn validate(&self, path: &str, problems: &mut Problems) {
        let mut check = |ok, name: &str, message: &str| {
            problems.check(ok, &format!("{path}.{name}"), message);
        };
        check(self.id.is_some(), "id", "is missing: where the sender's own id of an item stands");
        check(
            self.text.is_some() || self.title.is_some(),
            "text",
            "is missing: where the text or the title stands",
        );
        check(
            self.published_at.is_some(),
            "published_at",
            "is missing: where the time stands, or { received = true } for the time of arrival",
        );
        let timed = |name: &str| matches!(name, "published_at" | "edited_at");
        for (name, part) in self.parts() {
            let Some(Part(part)) = part else { continue };
            check(
                !part.from.is_empty() || part.constant.is_some() || part.received,
                name,
                "needs from (a JSON pointer) or constant",
            );
            check(
                timed(name) || (part.format.is_empty() && part.zone.is_empty() && !part.received),
                name,
                "is no time; format, zone and received are for times only",
            );
            check(
                part.equals.is_empty() || name == "deleted",
                name,
                "is no flag; equals is for deleted only (for whole items there is only)",
            );
            if let Err(message) = time::check_zone(&part.zone) {
                check(false, name, &message);
            }
        }
    }

    /// The mention that an item is. An error names the field, the pointer and the value.
    pub(super) fn submission(
        &self,
        item: &Value,
        root: &Value,
        received: Timestamp,
    ) -> Result<Submission, String> {
        let text = |name, part: &Option<Part>| {
            let read = part.as_ref().map_or(Ok(None), |part| part.text(item, root));
            read.map_err(|problem| format!("{name}: {problem}"))
        };
        let count = |name, part: &Option<Part>| {
            let read = part.as_ref().map_or(Ok(None), |part| part.count(item, root));
            read.map_err(|problem| format!("{name}: {problem}"))
        };
        let time = |name, part: &Option<Part>| {
            let read = part.as_ref().map_or(Ok(None), |part| part.time(item, root, received));
            read.map_err(|problem| format!("{name}: {problem}"))
        };
        let id = text("id", &self.id)?.ok_or_else(|| {
            let places = self.id.iter().flat_map(|part| &part.0.from).map(ToString::to_string);
            format!("id: nothing stands at {}", places.collect::<Vec<_>>().join(" or "))
        })?;
        if self.deleted.as_ref().is_some_and(|part| part.flag(item, root)) {
            return Ok(Submission { id, deleted: true, ..Submission::default() });
        }
        let mut tags = Vec::new();
        for part in &self.tags {
            tags.extend(part.tags(item, root).map_err(|problem| format!("tags: {problem}"))?);
        }
        let engagement = Engagement {
            likes: count("likes", &self.likes)?,
            replies: count("replies", &self.replies)?,
            shares: count("shares", &self.shares)?,
            reach: count("reach", &self.reach)?,
        };
        let rating = count("rating", &self.rating)?;
        Ok(Submission {
            id,
            text: text("text", &self.text)?,
            title: text("title", &self.title)?,
            published_at: time("published_at", &self.published_at)?,
            edited_at: time("edited_at", &self.edited_at)?,
            language: text("language", &self.language)?,
            author: text("author", &self.author)?,
            url: text("url", &self.url)?,
            parent: text("parent", &self.parent)?,
            thread: text("thread", &self.thread)?,
            engagement: Some(engagement).filter(|engagement| !engagement.is_empty()),
            tags,
            country: text("country", &self.country)?,
            // What does not fit is no number of stars either, and the observer says so.
            rating: rating.map(|stars| u8::try_from(stars).unwrap_or(u8::MAX)),
            deleted: false,
        })
    }
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Pointer>, D::Error> {
    Ok(Part::deserialize(deserializer)?.0.from)
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PartVisitor)
    }
}

struct PartVisitor;

impl<'de> Visitor<'de> for PartVisitor {
    type Value = Part;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON pointer, a list of them, or a table with `from` or `constant`")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Part, E> {
        let pointer = Pointer::deserialize(serde::de::value::StrDeserializer::new(text))?;
        Ok(Part(Table { from: vec![pointer], ..Table::default() }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Part, A::Error> {
        let mut from = Vec::new();
        while let Some(pointer) = access.next_element()? {
            from.push(pointer);
        }
        Ok(Part(Table { from, ..Table::default() }))
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<Part, A::Error> {
        Table::deserialize(MapAccessDeserializer::new(access)).map(Part)
    }
}
