//! From characters to tokens: operators, parentheses, phrases, words, fields.

use super::ast::{Gap, Span};
use super::error::{ErrorKind, QueryError};
use super::limits;
use crate::text::fold;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Open,
    Close,
    And,
    Or,
    Not,
    Near(Gap),
    /// A word or a quoted phrase.
    Text(String),
    /// `name:value`, or `name:(value OR value)`.
    Field {
        name: String,
        values: Vec<(String, Span)>,
    },
}

#[derive(Debug, Clone)]
pub(super) struct Lexeme {
    pub(super) token: Token,
    pub(super) span: Span,
}

/// Quotation marks as keyboards and word processors make them.
pub(super) const fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '‟' | '«' | '»')
}

/// A text in quotation marks, so that it reads as itself again.
pub(super) fn in_quotes(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        if is_quote(c) || c == '\\' {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

pub(super) fn lex(query: &str) -> Result<Vec<Lexeme>, QueryError> {
    reject_invisible(query)?;
    let mut lexer = Lexer { query, at: 0, out: Vec::new() };
    while let Some(c) = lexer.peek() {
        if c.is_whitespace() {
            lexer.at += c.len_utf8();
        } else {
            lexer.lexeme(c)?;
        }
    }
    Ok(lexer.out)
}

/// Zero-width and direction characters make a query other than it looks. Emoji need some.
fn reject_invisible(query: &str) -> Result<(), QueryError> {
    for (at, c) in query.char_indices() {
        let in_emoji = matches!(c, '\u{200D}' | '\u{FE0E}' | '\u{FE0F}')
            && query[..at].chars().next_back().is_some_and(|before| before > '\u{203B}');
        if (fold::is_invisible(c) && !in_emoji) || (c.is_control() && !c.is_whitespace()) {
            let span = Span::new(at, at + c.len_utf8());
            return Err(QueryError::new(ErrorKind::Invisible { character: c }, span, query));
        }
    }
    Ok(())
}

struct Lexer<'q> {
    query: &'q str,
    at: usize,
    out: Vec<Lexeme>,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.query[self.at..].chars().next()
    }

    fn error(&self, kind: ErrorKind, start: usize, end: usize) -> QueryError {
        QueryError::new(kind, Span::new(start, end), self.query)
    }

    fn push(&mut self, token: Token, start: usize) {
        self.out.push(Lexeme { token, span: Span::new(start, self.at) });
    }

    fn lexeme(&mut self, c: char) -> Result<(), QueryError> {
        let start = self.at;
        match c {
            '(' | ')' => {
                self.at += 1;
                self.push(if c == '(' { Token::Open } else { Token::Close }, start);
            }
            _ if is_quote(c) => {
                let phrase = self.quoted()?;
                self.push(Token::Text(phrase), start);
            }
            '-' if self.query[self.at + 1..]
                .chars()
                .next()
                .is_some_and(|next| !next.is_whitespace() && next != '-') =>
            {
                self.at += 1;
                self.push(Token::Not, start);
            }
            _ => self.word(start)?,
        }
        Ok(())
    }

    /// Reads `"…"`; `\"` and `\\` stand for the sign itself.
    fn quoted(&mut self) -> Result<String, QueryError> {
        let start = self.at;
        let mut text = String::new();
        let mut chars = self.query[start..].char_indices();
        let open = chars.next().map_or(0, |(_, c)| c.len_utf8());
        while let Some((offset, c)) = chars.next() {
            if c == '\\' {
                match chars.next() {
                    Some((_, escaped)) if is_quote(escaped) || escaped == '\\' => {
                        text.push(escaped);
                    }
                    Some((_, other)) => text.extend([c, other]),
                    None => break,
                }
            } else if is_quote(c) {
                self.at = start + offset + c.len_utf8();
                return Ok(text);
            } else {
                text.push(c);
            }
        }
        Err(self.error(ErrorKind::UnclosedQuote, start, start + open))
    }

    fn bare(&mut self) -> &str {
        let rest = &self.query[self.at..];
        let length = rest
            .find(|c: char| c.is_whitespace() || is_quote(c) || matches!(c, '(' | ')'))
            .unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn word(&mut self, start: usize) -> Result<(), QueryError> {
        let word = self.bare().to_owned();
        if let Some((name, value)) = field(&word) {
            if value.starts_with("//") {
                return Err(self.error(ErrorKind::PastedLink, start, self.at));
            }
            let (name, value_at) = (name.to_owned(), start + name.len() + 1);
            let values = self.values(&name, value, value_at)?;
            self.push(Token::Field { name, values }, start);
            return Ok(());
        }
        let token = match word.as_str() {
            "AND" => Token::And,
            "OR" => Token::Or,
            "NOT" => Token::Not,
            "&&" | "&" | "+" => return Err(self.foreign(&word, "AND", start)),
            "||" | "|" => return Err(self.foreign(&word, "OR", start)),
            "!" => return Err(self.foreign(&word, "NOT", start)),
            _ => match near(&word) {
                Some(gap) => Token::Near(gap.map_err(|kind| self.error(kind, start, self.at))?),
                None => Token::Text(word),
            },
        };
        self.push(token, start);
        Ok(())
    }

    fn foreign(&self, written: &str, instead: &'static str, start: usize) -> QueryError {
        self.error(
            ErrorKind::ForeignOperator { written: written.to_owned(), instead },
            start,
            self.at,
        )
    }

    /// Reads the value behind `name:`, of which `head` is already read.
    fn values(
        &mut self,
        name: &str,
        head: &str,
        value_at: usize,
    ) -> Result<Vec<(String, Span)>, QueryError> {
        if !head.is_empty() {
            return Ok(vec![(head.to_owned(), Span::new(value_at, self.at))]);
        }
        match self.peek() {
            Some(c) if is_quote(c) => {
                let value = self.quoted()?;
                Ok(vec![(value, Span::new(value_at, self.at))])
            }
            Some('(') if name != "raw" => self.group(value_at),
            _ => Ok(vec![(String::new(), Span::new(value_at, value_at))]),
        }
    }

    /// Reads `(a OR "b c" OR d)`.
    fn group(&mut self, start: usize) -> Result<Vec<(String, Span)>, QueryError> {
        self.at += 1;
        let mut values = Vec::new();
        let mut wants_value = true;
        loop {
            let at = self.at;
            match self.peek() {
                None => return Err(self.error(ErrorKind::Unclosed, start, start + 1)),
                Some(c) if c.is_whitespace() => self.at += c.len_utf8(),
                Some(')') if values.is_empty() => {
                    return Err(self.error(ErrorKind::EmptyGroup, start, at + 1));
                }
                Some(')') if wants_value => return Err(self.missing("OR", "the right", at)),
                Some(')') => {
                    self.at += 1;
                    return Ok(values);
                }
                Some('(') => return Err(self.error(ErrorKind::TooDeep, at, at + 1)),
                Some(c) => {
                    let value = if is_quote(c) { self.quoted()? } else { self.bare().to_owned() };
                    if value == "OR" && !is_quote(c) {
                        if wants_value {
                            return Err(self.missing("OR", "the left", at));
                        }
                        wants_value = true;
                    } else {
                        values.push((value, Span::new(at, self.at)));
                        wants_value = false;
                    }
                }
            }
        }
    }

    fn missing(&self, operator: &str, side: &'static str, at: usize) -> QueryError {
        self.error(ErrorKind::MissingOperand { operator: operator.to_owned(), side }, at, at + 1)
    }
}

/// Divides `name:value` where the name is letters only.
pub(super) fn field(word: &str) -> Option<(&str, &str)> {
    word.split_once(':')
        .filter(|(name, _)| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

/// Reads `NEAR/n` or `NEAR/nf`; fails when the distance cannot be.
pub(super) fn near(word: &str) -> Option<Result<Gap, ErrorKind>> {
    let rest =
        word.get(..4).filter(|head| head.eq_ignore_ascii_case("NEAR")).map(|_| &word[4..])?;
    let Some(distance) = rest.strip_prefix(['/', '~']) else {
        return (word == "NEAR").then_some(Err(ErrorKind::NearDistance));
    };
    let (digits, ordered) =
        distance.strip_suffix(['f', 'F']).map_or((distance, false), |digits| (digits, true));
    let words = digits.parse().ok().filter(|words| (1..=limits::MAX_NEAR).contains(words));
    let gap = words.filter(|_| word.starts_with("NEAR/")).map(|words| Gap { words, ordered });
    Some(gap.ok_or(ErrorKind::NearDistance))
}
