//! What an element holds, as HTML: RSS says neither how it is written nor keeps to it, Atom says it
//! in two versions of two attributes.

use std::borrow::Cow;

use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::attributes::Attributes;

/// The inside of one element, as it comes.
#[derive(Debug, Default)]
pub(super) struct Construct {
    pieces: Vec<Piece>,
    /// Text inside an element `name`: a person's.
    person: String,
    in_name: bool,
}

#[derive(Debug)]
enum Piece {
    Text(String),
    Tag(String),
}

impl Construct {
    pub(super) fn text(&mut self, text: &str) {
        if self.in_name {
            self.person.push_str(text);
        }
        match self.pieces.last_mut() {
            Some(Piece::Text(before)) => before.push_str(text),
            _ => self.pieces.push(Piece::Text(text.to_owned())),
        }
    }

    pub(super) fn open(&mut self, name: &str) {
        self.in_name = name == "name";
        self.pieces.push(Piece::Tag(format!("<{name}>")));
    }

    pub(super) fn close(&mut self, name: &str) {
        self.in_name = false;
        self.pieces.push(Piece::Tag(format!("</{name}>")));
    }

    /// The text alone, without white space around it.
    pub(super) fn plain(&self) -> String {
        let text = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(text) => Some(text.as_str()),
            Piece::Tag(_) => None,
        });
        text.collect::<String>().trim().to_owned()
    }

    /// The name of a person: that of an element of its own, or the part of a text such as
    /// `ada@example.org (Ada)` or `Ada <ada@example.org>`.
    pub(super) fn name(&self) -> String {
        if !self.person.trim().is_empty() {
            return self.person.trim().to_owned();
        }
        let text = self.plain();
        let in_brackets = text.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
        let name = match (in_brackets, text.split_once('<')) {
            (Some((name, _)), _) if text.contains('@') => name.trim(),
            (_, Some((name, _))) => name.trim(),
            _ => text.trim(),
        };
        if name.is_empty() { text } else { name.to_owned() }
    }

    /// What a reader is to see, as HTML. `unsaid` is true where text without a type is plain, as in
    /// Atom; everywhere else it is HTML.
    pub(super) fn html(&self, attributes: &Attributes, unsaid_is_plain: bool) -> String {
        let written = Written::of(attributes, unsaid_is_plain);
        let has_tags = self.pieces.iter().any(|piece| matches!(piece, Piece::Tag(_)));
        if written == Written::Base64
            && !has_tags
            && let Some(text) = decoded(&self.plain())
        {
            return match attributes.get("type") {
                Some("text/plain" | "text") => escaped(&text).into_owned(),
                _ => text,
            };
        }
        // Between inline tags text is text, unless it is said to be HTML once more.
        let escape = match written {
            Written::Html => has_tags && attributes.get("type").is_none(),
            Written::Plain => true,
            Written::Inline | Written::Base64 => has_tags,
        };
        let pieces = self.pieces.iter().map(|piece| match piece {
            Piece::Text(text) if escape => escaped(text),
            Piece::Text(text) | Piece::Tag(text) => Cow::Borrowed(text.as_str()),
        });
        pieces.collect()
    }
}

/// How the inside of an element is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Plain,
    Html,
    /// As elements of the document itself.
    Inline,
    Base64,
}

impl Written {
    /// By `type` (RFC 4287, section 3.1.1 and 4.1.3.3) and `mode` (Atom 0.3).
    fn of(attributes: &Attributes, unsaid_is_plain: bool) -> Self {
        let kind = attributes.get("type").map(str::to_ascii_lowercase);
        match (attributes.get("mode"), kind.as_deref()) {
            (Some("base64"), _) => Self::Base64,
            (_, Some("text" | "text/plain")) => Self::Plain,
            (_, None) if unsaid_is_plain => Self::Plain,
            (_, Some("html" | "text/html") | None) => Self::Html,
            (_, Some(kind)) if kind == "xhtml" || kind.ends_with("xml") => Self::Inline,
            (_, Some(kind)) if kind.contains('/') && !kind.starts_with("text/") => Self::Base64,
            (_, Some(_)) => Self::Html,
        }
    }
}

/// Text in base64; none where it is something else, or no text.
fn decoded(text: &str) -> Option<String> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, config);
    let packed: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    String::from_utf8(engine.decode(packed).ok()?).ok()
}

/// Text as HTML that shows it.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    quick_xml::escape::partial_escape(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(pieces: &[&str], attributes: &[(&str, &str)], unsaid_is_plain: bool) -> String {
        let mut construct = Construct::default();
        for piece in pieces {
            match (piece.strip_prefix("</"), piece.strip_prefix('<')) {
                (Some(name), _) => construct.close(name),
                (_, Some(name)) => construct.open(name),
                _ => construct.text(piece),
            }
        }
        construct.html(&Attributes::from(attributes), unsaid_is_plain)
    }

    #[test]
    fn the_type_says_what_is_markup_and_what_only_looks_like_it() {
        assert_eq!(html(&["5 < 6"], &[], true), "5 &lt; 6");
        assert_eq!(html(&["a <b>b</b>"], &[], false), "a <b>b</b>");
        assert_eq!(html(&["a <b>b</b>"], &[("type", "html")], true), "a <b>b</b>");
        let inline = ["<div", "a ", "<b", "5 < 6", "</b", "</div"];
        let shown = "<div>a <b>5 &lt; 6</b></div>";
        assert_eq!(html(&inline, &[("type", "xhtml")], true), shown);
        assert_eq!(html(&inline, &[], false), shown, "nothing said, but inline all the same");
        assert_eq!(
            html(&["<div", "a <b>", "</div"], &[("type", "html")], true),
            "<div>a <b></div>"
        );
    }

    #[test]
    fn base64_of_atom_0_3_and_of_other_media_types_is_read() {
        let packed = "R3LDvMOfZQ==";
        assert_eq!(html(&[packed], &[("mode", "base64")], true), "Grüße");
        assert_eq!(html(&[packed], &[("type", "application/octet-stream")], true), "Grüße");
        assert_eq!(html(&["no base64!"], &[("mode", "base64")], true), "no base64!");
    }

    #[test]
    fn a_person_is_a_name_without_the_address() {
        let name = |text: &str| {
            let mut construct = Construct::default();
            construct.text(text);
            construct.name()
        };
        assert_eq!(name("ada@example.org (Ada)"), "Ada");
        assert_eq!(name("Ada <ada@example.org>"), "Ada");
        assert_eq!(name("Ada (and friends)"), "Ada (and friends)");
        assert_eq!(name("<ada@example.org>"), "<ada@example.org>");
    }
}
