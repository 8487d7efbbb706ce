//! What is wrong with a query, where, what was expected and how to mend it.

use std::fmt;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};
use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::ast::Span;
use super::excerpt::Excerpt;
use super::limits;

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Nothing but blanks.
    #[error("the query is empty")]
    Empty,
    /// Over [`limits::MAX_QUERY_BYTES`].
    #[error("the query has {bytes} bytes; at most {} are read", limits::MAX_QUERY_BYTES)]
    TooLong {
        /// Its size.
        bytes: usize,
    },
    /// Over [`limits::MAX_DEPTH`].
    #[error("parentheses are nested deeper than {} levels", limits::MAX_DEPTH)]
    TooDeep,
    /// Over [`limits::MAX_TERMS`].
    #[error("the query has more than {} terms", limits::MAX_TERMS)]
    TooManyTerms,
    /// A parenthesis that is never closed.
    #[error("this parenthesis is never closed")]
    Unclosed,
    /// A parenthesis that was never opened.
    #[error("this parenthesis closes nothing")]
    Unopened,
    /// A quotation mark without its partner.
    #[error("this quotation mark is never closed")]
    UnclosedQuote,
    /// `()` or `""`.
    #[error("there is nothing inside")]
    EmptyGroup,
    /// An operator with a side missing.
    #[error("{operator} needs something on {side}")]
    MissingOperand {
        /// The operator as written.
        operator: String,
        /// Which side.
        side: &'static str,
    },
    /// `&&`, `||`.
    #[error("`{written}` is no operator here")]
    ForeignOperator {
        /// As written.
        written: String,
        /// The operator to write.
        instead: &'static str,
    },
    /// `NEAR` without a distance, or one out of range.
    #[error("NEAR needs a distance from 1 to {}", limits::MAX_NEAR)]
    NearDistance,
    /// Something without a position beside `NEAR`.
    #[error("NEAR compares positions of words, and {what} has none")]
    NearOperand {
        /// What it is.
        what: &'static str,
    },
    /// A field that does not exist.
    #[error("there is no field `{name}`")]
    UnknownField {
        /// As written.
        name: String,
        /// The field it resembles.
        resembles: Option<&'static str>,
    },
    /// A link pasted as a word.
    #[error("a link is not a word")]
    PastedLink,
    /// A value that a field cannot read.
    #[error("`{name}:` cannot read `{value}`")]
    FieldValue {
        /// The field.
        name: String,
        /// The value, shortened.
        value: String,
        /// What it reads.
        expected: &'static str,
    },
    /// A zero-width or direction character.
    #[error("an invisible character U+{:04X} stands here", u32::from(*character))]
    Invisible {
        /// The character.
        character: char,
    },
    /// A word of signs only.
    #[error("`{written}` holds no letter, digit or emoji to search for")]
    NoLetters {
        /// As written, shortened.
        written: String,
    },
    /// `*` alone.
    #[error("a wildcard alone matches every word")]
    LoneWildcard,
    /// A wildcard beside Han, Kana, Hangul, Thai.
    #[error("wildcards have no place beside characters of a script without spaces")]
    WildcardBesideCharacter,
    /// Too few characters beside the wildcards.
    #[error("a word with {} needs {needed} letters in a row", if *leading { "a leading `*`" } else { "wildcards" })]
    WildcardTooShort {
        /// How many it needs.
        needed: usize,
        /// Whether it begins with a star.
        leading: bool,
    },
    /// Over [`limits::MAX_WILDCARDS`].
    #[error("a word may hold at most {} wildcards", limits::MAX_WILDCARDS)]
    TooManyWildcards,
    /// Over [`limits::MAX_INFIX_TERMS`].
    #[error("a query may hold at most {} words with a leading `*`", limits::MAX_INFIX_TERMS)]
    TooManyInfixTerms,
    /// Over [`limits::MAX_PHRASE_WORDS`].
    #[error("a phrase may have at most {} words", limits::MAX_PHRASE_WORDS)]
    PhraseTooLong,
    /// Over [`limits::MAX_WORD_CHARS`].
    #[error("a word may have at most {} characters", limits::MAX_WORD_CHARS)]
    WordTooLong,
}

impl ErrorKind {
    /// A name that stays when the wording changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong { .. } => "too-long",
            Self::TooDeep => "too-deep",
            Self::TooManyTerms => "too-many-terms",
            Self::Unclosed => "unclosed-parenthesis",
            Self::Unopened => "unopened-parenthesis",
            Self::UnclosedQuote => "unclosed-quote",
            Self::EmptyGroup => "empty-group",
            Self::MissingOperand { .. } => "missing-operand",
            Self::ForeignOperator { .. } => "foreign-operator",
            Self::NearDistance => "near-distance",
            Self::NearOperand { .. } => "near-operand",
            Self::UnknownField { .. } => "unknown-field",
            Self::PastedLink => "pasted-link",
            Self::FieldValue { .. } => "field-value",
            Self::Invisible { .. } => "invisible-character",
            Self::NoLetters { .. } => "no-letters",
            Self::LoneWildcard => "lone-wildcard",
            Self::WildcardBesideCharacter => "wildcard-beside-character",
            Self::WildcardTooShort { .. } => "wildcard-too-short",
            Self::TooManyWildcards => "too-many-wildcards",
            Self::TooManyInfixTerms => "too-many-infix-terms",
            Self::PhraseTooLong => "phrase-too-long",
            Self::WordTooLong => "word-too-long",
        }
    }

    /// What should stand at the span.
    pub fn expected(&self) -> String {
        match self {
            Self::Empty | Self::MissingOperand { .. } | Self::EmptyGroup => {
                "a word, a \"phrase\", a field or a group".into()
            }
            Self::Unclosed => "`)`".into(),
            Self::UnclosedQuote => "a closing `\"`".into(),
            Self::Unopened => "an operator, a word or the end".into(),
            Self::ForeignOperator { instead, .. } => format!("`{instead}`"),
            Self::NearDistance => "NEAR/5, or NEAR/5f for this order".into(),
            Self::NearOperand { .. } => "a word, a \"phrase\" or an OR group of them".into(),
            Self::UnknownField { .. } => super::field::NAMES.join(", "),
            Self::FieldValue { expected, .. } => (*expected).into(),
            Self::PastedLink => "url:…".into(),
            Self::Invisible { .. } => "visible characters".into(),
            Self::NoLetters { .. } => "a letter, a digit or an emoji".into(),
            Self::TooLong { .. } => format!("the end within {} bytes", limits::MAX_QUERY_BYTES),
            Self::TooDeep => format!("at most {} open parentheses", limits::MAX_DEPTH),
            Self::TooManyTerms => format!("the end after {} terms", limits::MAX_TERMS),
            Self::LoneWildcard => "letters beside the wildcard: bahn*".into(),
            Self::WildcardBesideCharacter => "the characters without a wildcard".into(),
            Self::WildcardTooShort { needed, .. } => format!("at least {needed} letters in a row"),
            Self::TooManyWildcards => format!("at most {} wildcards", limits::MAX_WILDCARDS),
            Self::TooManyInfixTerms => "a word without a leading `*`".into(),
            Self::PhraseTooLong => format!("at most {} words", limits::MAX_PHRASE_WORDS),
            Self::WordTooLong => format!("at most {} characters", limits::MAX_WORD_CHARS),
        }
    }

    /// How to mend it.
    pub fn help(&self) -> String {
        match self {
            Self::Empty => "write the brand's name, for example: \"Deutsche Bahn\"".into(),
            Self::TooLong { .. } => "split the list into several brands of one group".into(),
            Self::TooDeep => "evaluation goes as deep as the parentheses: write `a OR b OR c` instead of nesting".into(),
            Self::TooManyTerms => "each term is looked at for every candidate: use wildcards or several brands".into(),
            Self::Unclosed => "add `)` where the group ends".into(),
            Self::Unopened => "remove it, or add `(` before".into(),
            Self::UnclosedQuote => "add `\"` where the phrase ends; for inches write the word".into(),
            Self::EmptyGroup => "remove it or fill it".into(),
            Self::MissingOperand { operator, .. } => {
                format!("remove {operator}, or put it in quotes to search for the word: \"{operator}\"")
            }
            Self::ForeignOperator { instead, .. } => format!("write {instead}"),
            Self::NearDistance => "write NEAR/5: at most five words apart. A longer reach means AND".into(),
            Self::NearOperand { .. } => "put it outside: (a NEAR/5 b) AND …; chain a NEAR/5 b NEAR/5 c instead of nesting".into(),
            Self::UnknownField { name, resembles: Some(field) } => {
                format!("did you mean `{field}:`? To search for the words write \"{name}: …\"")
            }
            Self::UnknownField { name, resembles: None } => format!("to search for the words write \"{name}: …\" in quotes"),
            Self::PastedLink => "write url:example.org/path for mentions that link there, site:example.org for those published there".into(),
            Self::FieldValue { expected, .. } => format!("write {expected}"),
            Self::Invisible { .. } => "delete it; matching ignores such characters in mentions anyway".into(),
            Self::NoLetters { .. } => "signs divide words; to search for them as written use raw:\"…\"".into(),
            Self::LoneWildcard => "for a gap between words write NEAR/2f".into(),
            Self::WildcardBesideCharacter => "leave it out: such scripts are matched by character, inside longer text too".into(),
            Self::WildcardTooShort { .. } => "with fewer it would be found in a large part of all words: write more of the word".into(),
            Self::TooManyWildcards => "each multiplies the places to try: write two words with OR".into(),
            Self::TooManyInfixTerms => "they are compared at many places of every text: drop the leading star where possible".into(),
            Self::PhraseTooLong => "positions are compared word by word: quote the telling part".into(),
            Self::WordTooLong => "no word of a language is longer; for encoded text use raw:\"…\"".into(),
        }
    }
}

/// An error at a place of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryError {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Where, in bytes.
    pub span: Span,
    /// Characters of UTF-16, which is how a web page counts.
    utf16: Span,
    shown: Box<Excerpt>,
}

impl QueryError {
    pub(crate) fn new(kind: ErrorKind, span: Span, query: &str) -> Self {
        let start = query.floor_char_boundary(span.start);
        let end = query.floor_char_boundary(span.end).max(start);
        let span = Span::new(start, end);
        Self {
            kind,
            span,
            utf16: utf16(query, start, end),
            shown: Box::new(Excerpt::of(query, span)),
        }
    }

    /// The error and the part of the query around it with a mark below the place, for a terminal:
    /// some lines, whatever the query is, without control characters.
    pub fn render(&self) -> String {
        let mut out = String::new();
        let handler =
            GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
        if handler.render_report(&mut out, self).is_err() {
            out = self.to_string();
        }
        out
    }
}

/// Byte offsets as UTF-16 offsets.
pub(crate) fn utf16(source: &str, start: usize, end: usize) -> Span {
    let count = |to: usize| source.get(..to).unwrap_or(source).encode_utf16().count();
    Span::new(count(start), count(end))
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)
    }
}

impl std::error::Error for QueryError {}

impl Diagnostic for QueryError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(format!("query::{}", self.kind.code())))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.kind.help()))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        (!self.shown.text.trim().is_empty()).then_some(&self.shown.text as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = format!("expected {}", self.kind.expected());
        let Span { start, end } = self.shown.mark;
        let mark = LabeledSpan::new_with_span(Some(label), (start, end - start));
        Some(Box::new(std::iter::once(mark)))
    }
}

impl Serialize for QueryError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("QueryError", 6)?;
        fields.serialize_field("code", self.kind.code())?;
        fields.serialize_field("message", &self.kind.to_string())?;
        fields.serialize_field("expected", &self.kind.expected())?;
        fields.serialize_field("help", &self.kind.help())?;
        fields.serialize_field("bytes", &self.span)?;
        fields.serialize_field("utf16", &self.utf16)?;
        fields.end()
    }
}
