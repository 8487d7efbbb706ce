//! One document to mentions.

use bytes::Bytes;
use echolot_pipeline::stage::Rejection;
use echolot_schemas::{SourceName, Timestamp, limits, submission::Submission};
use feed_rs::model::{Entry, Feed, Text};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::{
    decode::{clean, decode},
    json::tidy,
    translate::{Translated, translate},
};
use crate::{
    source::Observation,
    submission::{excerpt, malformed},
    text,
};

/// Most entries read of one document.
const ENTRIES: usize = 1_000;

/// One entry, and what tells whether it has changed.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// What it says.
    pub(super) observation: Observation,
    /// False where the document gives no time, and that of reading stands in.
    pub(super) dated: bool,
    /// Hash of everything that a reader sees.
    pub(super) state: u64,
}

/// A document, read.
#[derive(Debug)]
pub(super) struct Document {
    /// Its entries, in its order.
    pub(super) items: Vec<Item>,
    /// Why there may be more of them, where it breaks off.
    pub(super) broken: Option<Rejection>,
}

/// Reads a document; `base` is where it came from, for relative links.
pub(super) fn read(
    source: &SourceName,
    bytes: &Bytes,
    content_type: Option<&str>,
    base: Option<&Url>,
    now: Timestamp,
) -> Result<Document, Rejection> {
    let text = clean(&decode(bytes, content_type));
    let (text, broken) = if text.starts_with('{') {
        (tidy(&text)?, None)
    } else {
        let Translated { atom, broken } = translate(&text, base, ENTRIES)?;
        (atom, broken)
    };
    let parser = feed_rs::parser::Builder::new()
        .base_uri(base)
        .id_generator(|_, _, _| String::new())
        .sanitize_content(false)
        .build();
    let feed = parser
        .parse(text.as_bytes())
        .map_err(|error| malformed(format!("is no feed: {}", excerpt(&error))))?;
    let items = feed.entries.iter().take(ENTRIES);
    let items = items.map(|entry| item(source, &feed, entry, base, now)).collect();
    Ok(Document { items, broken })
}

fn item(
    source: &SourceName,
    feed: &Feed,
    entry: &Entry,
    base: Option<&Url>,
    now: Timestamp,
) -> Item {
    let title = entry.title.as_ref().map(plain).filter(|title| !title.is_empty());
    let link = link(entry, base);
    let body = body(entry);
    // The feed's own time is that of its last change, and so no entry's.
    let published = entry.published.or(entry.updated);
    let at = published.map(|at| Timestamp::from_millis(at.timestamp_millis()));
    let id = native_id(entry, link.as_deref(), title.as_deref(), &body);
    let language = entry.language.clone().or_else(|| feed.language.clone());
    let author =
        entry.authors.first().or(feed.authors.first()).and_then(|person| person.name.clone());
    let mut tags: Vec<String> = Vec::new();
    for category in &entry.categories {
        let term = category.label.as_ref().unwrap_or(&category.term).trim();
        if !term.is_empty() && tags.len() < limits::TAGS && term.len() <= limits::TAG_BYTES {
            tags.push(term.to_owned());
        }
    }
    // A headline alone is what the entry says.
    let (title, text) = if body.is_empty() { (None, title) } else { (title, Some(body)) };
    let submission = Submission {
        id,
        text,
        title: title.map(|title| shortened(title, limits::TITLE_BYTES)),
        published_at: Some(at.unwrap_or(now)),
        language: language.filter(|tag| tag.len() <= limits::TAG_BYTES),
        author: author.filter(|name| !name.is_empty() && name.len() <= limits::HANDLE_BYTES),
        url: link,
        tags,
        ..Submission::default()
    };
    let state = state(&submission, at);
    let original = serde_json::to_vec(&submission).unwrap_or_default();
    Item {
        observation: Observation::new(source, submission, Bytes::from(original)),
        dated: at.is_some(),
        state,
    }
}

/// The longest of what the entry says that still fits: whole articles are longer than mentions may
/// be, and their summary says what they are about.
fn body(entry: &Entry) -> String {
    let content = entry.content.as_ref().and_then(|content| content.body.as_deref());
    let content = content.map(text::of_html).filter(|body| !body.is_empty());
    let summary = entry.summary.as_ref().map(plain).filter(|body| !body.is_empty());
    match (content, summary) {
        (Some(content), Some(summary)) if content.len() > limits::TEXT_BYTES => summary,
        (Some(content), _) => content,
        (None, summary) => summary.unwrap_or_default(),
    }
}

fn plain(text: &Text) -> String {
    text::of_html(&text.content)
}

/// The page that a person reads.
fn link(entry: &Entry, base: Option<&Url>) -> Option<String> {
    let alternate = |rel: Option<&str>| matches!(rel, None | Some("alternate"));
    let link = entry.links.iter().find(|link| alternate(link.rel.as_deref()))?;
    let href = link.href.trim();
    let url = base.map_or_else(|| Url::parse(href), |base| base.join(href)).ok()?;
    let web = matches!(url.scheme(), "http" | "https") && url.as_str().len() <= limits::URL_BYTES;
    (web && !href.is_empty()).then(|| url.to_string())
}

/// The entry's own id, or its link, or what it says: the same entry always has the same.
fn native_id(entry: &Entry, link: Option<&str>, title: Option<&str>, body: &str) -> String {
    let id = match (entry.id.trim(), link) {
        ("", Some(link)) => link.to_owned(),
        ("", None) => return digest(&[title.unwrap_or_default(), body]),
        (id, _) => id.to_owned(),
    };
    if id.len() > limits::NATIVE_ID_BYTES { digest(&[&id]) } else { id }
}

fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0x1f]);
    }
    format!("sha256:{}", hex::encode(&hash.finalize()[..16]))
}

/// A headline is a headline: where somebody put an article into it, its beginning will do.
fn shortened(mut title: String, most: usize) -> String {
    if title.len() > most {
        title.truncate(title.floor_char_boundary(most - '…'.len_utf8()));
        title.push('…');
    }
    title
}

/// What stands in for a missing time is no part of the state, or every reading were an edit.
fn state(submission: &Submission, at: Option<Timestamp>) -> u64 {
    let seen = Submission { published_at: at, ..submission.clone() };
    let json = serde_json::to_vec(&seen).unwrap_or_default();
    let hash: [u8; 32] = Sha256::digest(json).into();
    hash.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}
