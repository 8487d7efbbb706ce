//! The size of everything. A mention past a limit is refused with the field's name, never cut:
//! a cut text would be scored as something nobody wrote.

use crate::{Mention, Timestamp};

/// Longest text, in bytes of UTF-8.
pub const TEXT_BYTES: usize = 64 * 1024;
/// Longest title, in bytes.
pub const TITLE_BYTES: usize = 1024;
/// Longest native id, in bytes.
pub const NATIVE_ID_BYTES: usize = 512;
/// Longest URL, in bytes.
pub const URL_BYTES: usize = 2048;
/// Longest author handle, in bytes.
pub const HANDLE_BYTES: usize = 256;
/// Longest language tag or country, in bytes.
pub const TAG_BYTES: usize = 128;
/// Most tags on one mention.
pub const TAGS: usize = 64;
/// Largest record on any topic, in bytes.
pub const RECORD_BYTES: usize = 1024 * 1024;
/// Earliest accepted publication: 2000-01-01, before which no followed network existed.
pub const EARLIEST: Timestamp = Timestamp::from_millis(946_684_800_000);
/// How far ahead of the observation a publication may lie: one day, for clocks set wrong.
pub const FUTURE_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// A value that a limit refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct Invalid {
    /// Path of the field, such as `engagement.likes`.
    pub field: &'static str,
    /// What is wrong with it and what would be right.
    pub problem: String,
}

impl Invalid {
    /// A problem of one field.
    pub fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Self { field, problem: problem.into() }
    }
}

impl Mention {
    /// Checks every limit, given when the mention was observed.
    pub fn validate(&self, observed_at: Timestamp) -> Result<(), Invalid> {
        if self.text.trim().is_empty() && self.title.as_deref().is_none_or(|t| t.trim().is_empty())
        {
            return Err(Invalid::new("text", "is empty; a mention needs a text or a title"));
        }
        bounded("text", &self.text, TEXT_BYTES)?;
        required("native_id", &self.native_id)?;
        bounded("native_id", &self.native_id, NATIVE_ID_BYTES)?;
        bounded_option("title", self.title.as_deref(), TITLE_BYTES)?;
        bounded_option("url", self.url.as_deref(), URL_BYTES)?;
        web_address(self.url.as_deref())?;
        bounded_option("declared_language", self.declared_language.as_deref(), TAG_BYTES)?;
        bounded_option("country", self.country.as_deref(), TAG_BYTES)?;
        if let Some(author) = &self.author {
            bounded("author.pseudonym", &author.pseudonym, TAG_BYTES)?;
            bounded_option("author.handle", author.handle.as_deref(), HANDLE_BYTES)?;
        }
        if self.tags.len() > TAGS {
            return Err(Invalid::new("tags", format!("holds {}, at most {TAGS}", self.tags.len())));
        }
        for tag in &self.tags {
            bounded("tags", tag, TAG_BYTES)?;
        }
        if self.rating.is_some_and(|stars| !(1..=5).contains(&stars)) {
            return Err(Invalid::new("rating", "must be 1 to 5 stars"));
        }
        plausible("published_at", self.published_at, observed_at)?;
        self.edited_at.map_or(Ok(()), |at| plausible("edited_at", at, observed_at))
    }
}

fn required(field: &'static str, value: &str) -> Result<(), Invalid> {
    if value.is_empty() { Err(Invalid::new(field, "is empty")) } else { Ok(()) }
}

fn bounded(field: &'static str, value: &str, most: usize) -> Result<(), Invalid> {
    if value.len() > most {
        return Err(Invalid::new(field, format!("is {} bytes, at most {most}", value.len())));
    }
    if value.contains('\0') {
        return Err(Invalid::new(field, "holds a NUL character; remove it"));
    }
    Ok(())
}

fn bounded_option(field: &'static str, value: Option<&str>, most: usize) -> Result<(), Invalid> {
    value.map_or(Ok(()), |value| bounded(field, value, most))
}

/// A `javascript:` link in a dashboard would run there.
fn web_address(url: Option<&str>) -> Result<(), Invalid> {
    match url {
        Some(url) if !url.starts_with("https://") && !url.starts_with("http://") => {
            Err(Invalid::new("url", "must begin with https:// or http://"))
        }
        _ => Ok(()),
    }
}

fn plausible(field: &'static str, at: Timestamp, observed_at: Timestamp) -> Result<(), Invalid> {
    if at < EARLIEST {
        return Err(Invalid::new(
            field,
            format!("{at} lies before {EARLIEST}; is the unit right?"),
        ));
    }
    if at.as_millis() > observed_at.as_millis() + FUTURE_MILLIS {
        return Err(Invalid::new(
            field,
            format!("{at} lies more than a day after its observation at {observed_at}"),
        ));
    }
    Ok(())
}
