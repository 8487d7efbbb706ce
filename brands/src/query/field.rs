//! Tests of something other than the words: language, source, author, site, date.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::post::Post;
use crate::text::fold_value;
use crate::text::glob::{Glob, Piece};
use crate::text::tokens::{Place, Tokens};

/// The fields of the language.
pub const NAMES: [&str; 12] = [
    "author", "country", "date", "has", "is", "lang", "rating", "raw", "site", "source", "tag",
    "url",
];

/// Bytes of a link that `url:` is compared with; no address that anything serves is longer.
const MAX_LINK_BYTES: usize = 2_000;

/// One test.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldTest {
    /// `lang:de`, also true for `de-AT`.
    Lang(String),
    /// `country:DE`
    Country(String),
    /// `source:reddit*`
    Source(Value),
    /// `author:"DB Presse"`
    Author(Value),
    /// `tag:support`
    Tag(Value),
    /// `site:example.org`: the mention was published there or on a subdomain.
    Site(String),
    /// `url:example.org/a`: the mention's address or a link in it contains this.
    Url(Value),
    /// `rating:1..3`
    Rating(Range<f64>),
    /// `date:2026-01-01..2026-01-31`, both days included, UTC.
    Date(Range<Date>),
    /// `is:reply`
    Reply,
    /// `is:internal`
    Internal,
    /// `has:link`
    Link,
}

/// A value compared as a whole, `*` standing for any run of characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    written: String,
    glob: Glob,
}

impl Value {
    /// Folds a value; `contains` surrounds it with stars.
    pub(crate) fn new(written: &str, contains: bool) -> Self {
        let star = contains.then_some(Piece::Many);
        let folded = fold_value(written);
        let inner = folded.chars().map(|c| if c == '*' { Piece::Many } else { Piece::Char(c) });
        let mut pieces: Vec<Piece> = star.into_iter().chain(inner).chain(star).collect();
        pieces.dedup_by(|a, b| *a == Piece::Many && *b == Piece::Many);
        Self { written: written.to_owned(), glob: Glob(pieces) }
    }

    fn matches(&self, value: &str) -> bool {
        self.glob.matches(&fold_value(value))
    }
}

/// An interval; a missing end is open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range<T> {
    /// Smallest value.
    pub from: Option<End<T>>,
    /// Largest value.
    pub to: Option<End<T>>,
}

/// One end of an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct End<T> {
    /// The value.
    pub at: T,
    /// Whether the value itself lies inside.
    pub included: bool,
}

impl<T: PartialOrd> Range<T> {
    /// Whether the value lies inside.
    pub fn contains(&self, value: &T) -> bool {
        let above = |end: &End<T>| *value > end.at || (end.included && *value == end.at);
        let below = |end: &End<T>| *value < end.at || (end.included && *value == end.at);
        self.from.as_ref().is_none_or(above) && self.to.as_ref().is_none_or(below)
    }

    /// Whether no value can lie inside both.
    pub(crate) fn excludes(&self, other: &Self) -> bool {
        let before = |a: &Option<End<T>>, b: &Option<End<T>>| {
            let (Some(a), Some(b)) = (a, b) else { return false };
            a.at < b.at || (a.at == b.at && !(a.included && b.included))
        };
        before(&self.to, &other.from) || before(&other.to, &self.from)
    }
}

/// Why a field's value cannot be read: what was expected instead.
pub(crate) type Expected = &'static str;

const NUMBER: Expected = "a number or a range: 4, 1..3, >=4, <2";
const DATE: Expected = "a day or a range of days: 2026-01-31, 2026-01-01..2026-01-31, >=2026-01-01";

impl FieldTest {
    /// Reads `name:value`; `None` for an unknown name.
    pub(crate) fn parse(name: &str, value: &str) -> Option<Result<Self, Expected>> {
        Some(match name.to_ascii_lowercase().as_str() {
            "lang" => code(value, 2..=3, "a language code: de, en, fr")
                .map(|code| Self::Lang(code.to_ascii_lowercase())),
            "country" => code(value, 2..=2, "a country code of two letters: DE, AT")
                .map(|code| Self::Country(code.to_ascii_uppercase())),
            "source" => text(value, "the name of a source").map(Self::Source),
            "author" => text(value.strip_prefix('@').unwrap_or(value), "the name of an author")
                .map(Self::Author),
            "tag" => text(value.strip_prefix('#').unwrap_or(value), "a tag").map(Self::Tag),
            "site" => site(value).map(Self::Site),
            "url" => match value.trim() {
                "" => Err("part of an address: example.org/path"),
                part => Ok(Self::Url(Value::new(part, true))),
            },
            "rating" => {
                range(value, |end| end.parse().ok().filter(|n: &f64| n.is_finite()), NUMBER)
                    .map(Self::Rating)
            }
            "date" => range(value, |end| end.parse().ok(), DATE).map(Self::Date),
            "is" => match value.to_ascii_lowercase().as_str() {
                "reply" => Ok(Self::Reply),
                "internal" => Ok(Self::Internal),
                _ => Err("is:reply or is:internal"),
            },
            "has" => match value.to_ascii_lowercase().as_str() {
                "link" => Ok(Self::Link),
                _ => Err("has:link"),
            },
            _ => return None,
        })
    }

    /// Whether the mention passes; a value the source does not know does not.
    pub fn matches(&self, post: &Post<'_>, tokens: &Tokens) -> bool {
        match self {
            Self::Lang(lang) => post.lang.is_some_and(|have| speaks(have, lang)),
            Self::Country(country) => {
                post.country.is_some_and(|have| have.eq_ignore_ascii_case(country))
            }
            Self::Source(value) => value.matches(post.source),
            Self::Author(value) => post
                .author
                .is_some_and(|author| value.matches(author.strip_prefix('@').unwrap_or(author))),
            Self::Tag(value) => {
                post.tags.iter().any(|tag| value.matches(tag.strip_prefix('#').unwrap_or(tag)))
            }
            Self::Site(site) => post.url.is_some_and(|url| within(host(url), site)),
            Self::Url(value) => {
                let linked = |(place, bytes): &(Place, std::ops::Range<u32>)| {
                    let text = if *place == Place::Title {
                        post.title.unwrap_or_default()
                    } else {
                        post.text
                    };
                    text.get(bytes.start as usize..bytes.end as usize).is_some_and(|link| {
                        value.matches(&link[..link.floor_char_boundary(MAX_LINK_BYTES)])
                    })
                };
                post.url.is_some_and(|url| value.matches(url)) || tokens.links().iter().any(linked)
            }
            Self::Rating(range) => post.rating.is_some_and(|rating| range.contains(&rating)),
            Self::Date(range) => post
                .created
                .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
                .is_some_and(|time| range.contains(&TimeZone::UTC.to_datetime(time).date())),
            Self::Reply => post.is_reply,
            Self::Internal => post.internal,
            Self::Link => !tokens.links().is_empty(),
        }
    }

    /// The name of the field: `lang`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Lang(_) => "lang",
            Self::Country(_) => "country",
            Self::Source(_) => "source",
            Self::Author(_) => "author",
            Self::Tag(_) => "tag",
            Self::Site(_) => "site",
            Self::Url(_) => "url",
            Self::Rating(_) => "rating",
            Self::Date(_) => "date",
            Self::Reply | Self::Internal => "is",
            Self::Link => "has",
        }
    }

    /// Whether it is not known what the mention has there: the test is then false unless a link in
    /// the text passes it.
    pub const fn is_unknown(&self, post: &Post<'_>) -> bool {
        match self {
            Self::Lang(_) => post.lang.is_none(),
            Self::Country(_) => post.country.is_none(),
            Self::Source(_) => post.source.is_empty(),
            Self::Author(_) => post.author.is_none(),
            Self::Site(_) | Self::Url(_) => post.url.is_none(),
            Self::Rating(_) => post.rating.is_none(),
            Self::Date(_) => post.created.is_none(),
            // A mention without them has none.
            Self::Tag(_) | Self::Reply | Self::Internal | Self::Link => false,
        }
    }

    /// Whether no mention passes both tests.
    pub(crate) fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Lang(a), Self::Lang(b)) | (Self::Country(a), Self::Country(b)) => a != b,
            (Self::Rating(a), Self::Rating(b)) => a.excludes(b),
            (Self::Date(a), Self::Date(b)) => a.excludes(b),
            _ => false,
        }
    }
}

/// Whether a BCP 47 tag is of a language: `de-AT` is `de`.
pub(crate) fn speaks(tag: &str, language: &str) -> bool {
    tag.split(['-', '_']).next().is_some_and(|primary| primary.eq_ignore_ascii_case(language))
}

/// The host of an address, without user and port.
pub(crate) fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    host.split_once(':').map_or(host, |(host, _)| host)
}

fn within(host: &str, site: &str) -> bool {
    host.len().checked_sub(site.len()).and_then(|at| host.split_at_checked(at)).is_some_and(
        |(sub, tail)| tail.eq_ignore_ascii_case(site) && (sub.is_empty() || sub.ends_with('.')),
    )
}

fn code(
    value: &str,
    length: std::ops::RangeInclusive<usize>,
    expected: Expected,
) -> Result<&str, Expected> {
    let fits =
        length.contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_alphabetic());
    if fits { Ok(value) } else { Err(expected) }
}

fn text(value: &str, expected: Expected) -> Result<Value, Expected> {
    if value.trim().is_empty() { Err(expected) } else { Ok(Value::new(value, false)) }
}

fn site(value: &str) -> Result<String, Expected> {
    let site = host(value).trim_start_matches("www.").trim_matches('.').to_lowercase();
    if site.is_empty() || site.contains(['*', ' ']) { Err("a host: example.org") } else { Ok(site) }
}

/// Reads `a`, `a..b`, `a..`, `..b`, `>a`, `>=a`, `<a`, `<=a`.
fn range<T: PartialOrd + Copy>(
    value: &str,
    read: impl Fn(&str) -> Option<T>,
    expected: Expected,
) -> Result<Range<T>, Expected> {
    let end = |text: &str, included| {
        read(text.trim()).map(|at| Some(End { at, included })).ok_or(expected)
    };
    let open_end = |text: &str| if text.trim().is_empty() { Ok(None) } else { end(text, true) };
    let (from, to) = if let Some(from) = value.strip_prefix(">=") {
        (end(from, true)?, None)
    } else if let Some(to) = value.strip_prefix("<=") {
        (None, end(to, true)?)
    } else if let Some(above) = value.strip_prefix('>') {
        (end(above, false)?, None)
    } else if let Some(below) = value.strip_prefix('<') {
        (None, end(below, false)?)
    } else if let Some((from, to)) = value.split_once("..") {
        (open_end(from)?, open_end(to)?)
    } else {
        (end(value, true)?, end(value, true)?)
    };
    let backwards = matches!((from, to), (Some(from), Some(to)) if from.at > to.at);
    if backwards || (from.is_none() && to.is_none()) {
        Err(expected)
    } else {
        Ok(Range { from, to })
    }
}

impl fmt::Display for FieldTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lang(lang) => write!(f, "lang:{lang}"),
            Self::Country(country) => write!(f, "country:{country}"),
            Self::Source(value) => write!(f, "source:{}", quoted(&value.written)),
            Self::Author(value) => write!(f, "author:{}", quoted(&value.written)),
            Self::Tag(value) => write!(f, "tag:{}", quoted(&value.written)),
            Self::Site(site) => write!(f, "site:{}", quoted(site)),
            Self::Url(value) => write!(f, "url:{}", quoted(&value.written)),
            Self::Rating(range) => write!(f, "rating:{}", Ends(range)),
            Self::Date(range) => write!(f, "date:{}", Ends(range)),
            Self::Reply => f.write_str("is:reply"),
            Self::Internal => f.write_str("is:internal"),
            Self::Link => f.write_str("has:link"),
        }
    }
}

struct Ends<'a, T>(&'a Range<T>);

impl<T: fmt::Display + PartialEq> fmt::Display for Ends<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.from, &self.0.to) {
            (Some(from), Some(to)) if from == to => write!(f, "{}", from.at),
            (Some(from), Some(to)) => write!(f, "{}..{}", from.at, to.at),
            (Some(from), None) => {
                write!(f, "{}{}", if from.included { ">=" } else { ">" }, from.at)
            }
            (None, Some(to)) => write!(f, "{}{}", if to.included { "<=" } else { "<" }, to.at),
            (None, None) => f.write_str(".."),
        }
    }
}

/// The value bare where the reader takes it back as one, else in quotes.
pub(crate) fn quoted(value: &str) -> String {
    let bare = !value.is_empty()
        && !value
            .chars()
            .any(|c| c.is_whitespace() || super::lex::is_quote(c) || matches!(c, '(' | ')' | '\\'));
    if bare { value.to_owned() } else { super::lex::in_quotes(value) }
}
