//! What is known of one entry, and that as an `atom:entry`.

use std::{fmt::Write as _, rc::Rc};

use url::Url;

use super::{construct::escaped, date, field::Field};
use crate::text;

/// Most categories of one entry.
const CATEGORIES: usize = 200;

/// The inside of one element.
#[derive(Clone, Debug, Default)]
pub(super) struct Value {
    /// HTML where the field is text, plain otherwise.
    pub(super) text: String,
    pub(super) language: Option<Rc<str>>,
}

impl Value {
    pub(super) fn plain(text: &str) -> Self {
        Self { text: text.to_owned(), language: None }
    }
}

/// The best value of each field so far, with its rank.
#[derive(Debug, Default)]
pub(super) struct EntryParts {
    title: Option<(u8, Value)>,
    summary: Option<(u8, Value)>,
    content: Option<(u8, Value)>,
    link: Option<(u8, Value)>,
    id: Option<(u8, Value)>,
    published: Option<(u8, Value)>,
    updated: Option<(u8, Value)>,
    author: Option<(u8, Value)>,
    language: Option<(u8, Value)>,
    categories: Vec<String>,
}

impl EntryParts {
    /// Takes a value unless there is one that counts at least as much. What shows nothing does not.
    pub(super) fn set(&mut self, field: Field, rank: u8, value: Value) {
        let slot = match field {
            Field::Title => &mut self.title,
            Field::Summary => &mut self.summary,
            Field::Content => &mut self.content,
            Field::Link => &mut self.link,
            Field::Guid | Field::Id => &mut self.id,
            Field::Published => &mut self.published,
            Field::Updated => &mut self.updated,
            Field::Author => &mut self.author,
            Field::Language => &mut self.language,
            Field::Category => return self.category(value.text),
        };
        let value = match field {
            Field::Published | Field::Updated => match date::rfc3339(&value.text) {
                Some(text) => Value { text, ..value },
                None => return,
            },
            Field::Title | Field::Summary | Field::Content
                if text::of_html(&value.text).is_empty() =>
            {
                return;
            }
            _ if value.text.trim().is_empty() => return,
            _ => value,
        };
        if slot.as_ref().is_none_or(|(before, _)| *before < rank) {
            *slot = Some((rank, value));
        }
    }

    /// Takes the address of the page, resolved.
    pub(super) fn link(&mut self, href: &str, rank: u8, base: Option<&Url>) {
        let url = base.map_or_else(|| Url::parse(href), |base| base.join(href));
        if let Ok(url) = url
            && !href.is_empty()
            && matches!(url.scheme(), "http" | "https")
        {
            self.set(Field::Link, rank, Value::plain(url.as_str()));
        }
    }

    pub(super) fn category(&mut self, name: String) {
        if !name.is_empty() && self.categories.len() < CATEGORIES {
            self.categories.push(name);
        }
    }

    /// Writes this as an entry.
    pub(super) fn write(&self, out: &mut String) {
        out.push_str("<entry>");
        element(out, "id", "", self.id.as_ref());
        if let Some((_, Value { text, .. })) = &self.link {
            let _ = write!(out, "<link href=\"{}\"/>", quick_xml::escape::escape(text.as_str()));
        }
        element(out, "published", "", self.published.as_ref());
        element(out, "updated", "", self.updated.as_ref());
        self.author(out);
        for category in &self.categories {
            let term = quick_xml::escape::escape(category.as_str());
            let _ = write!(out, "<category term=\"{term}\"/>");
        }
        element(out, "title", " type=\"html\"", self.title.as_ref());
        // feed-rs takes the language from the content alone, so what is the only text is that.
        let (content, summary) = match (&self.content, &self.summary) {
            (None, summary) => (summary.as_ref(), None),
            (content, summary) => (content.as_ref(), summary.as_ref()),
        };
        let mut said = [content, self.title.as_ref()].into_iter().flatten();
        let language = self
            .language
            .as_ref()
            .map(|(_, value)| value.text.as_str())
            .or_else(|| said.find_map(|(_, value)| value.language.as_deref()));
        let language = language
            .map(|tag| format!(" type=\"html\" xml:lang=\"{}\"", quick_xml::escape::escape(tag)));
        element(out, "content", language.as_deref().unwrap_or(" type=\"html\""), content);
        element(out, "summary", " type=\"html\"", summary);
        out.push_str("</entry>");
    }

    /// Writes this as what holds for all of a feed's entries.
    pub(super) fn feed(&self, entries: &str) -> String {
        let mut out = String::with_capacity(entries.len() + 200);
        out.push_str("<feed xmlns=\"http://www.w3.org/2005/Atom\"");
        if let Some((_, language)) = &self.language {
            let tag = quick_xml::escape::escape(language.text.as_str());
            let _ = write!(out, " xml:lang=\"{tag}\"");
        }
        out.push('>');
        self.author(&mut out);
        out.push_str(entries);
        out.push_str("</feed>");
        out
    }

    fn author(&self, out: &mut String) {
        if self.author.is_some() {
            out.push_str("<author>");
            element(out, "name", "", self.author.as_ref());
            out.push_str("</author>");
        }
    }
}

fn element(out: &mut String, name: &str, attributes: &str, value: Option<&(u8, Value)>) {
    if let Some((_, Value { text, .. })) = value {
        let _ = write!(out, "<{name}{attributes}>{}</{name}>", escaped(text));
    }
}
