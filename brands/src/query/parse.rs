//! From tokens to a tree.
//!
//! ```text
//! or    = and  { OR and }
//! and   = not  { [AND] not }
//! not   = (NOT | -) not | near
//! near  = atom { NEAR/n atom }
//! atom  = word | "phrase" | field | ( or )
//! ```

use unicode_normalization::UnicodeNormalization;

use super::ast::{Expr, Gap, Leaf, Near, Span};
use super::error::{ErrorKind, QueryError};
use super::field::{self, FieldTest};
use super::lex::{Lexeme, Token, lex};
use super::limits;
use crate::text::glob::{Glob, Piece};
use crate::text::words::{self, WordFault};

pub(super) fn parse(query: &str) -> Result<Expr, QueryError> {
    let error = |kind, from| QueryError::new(kind, Span::new(from, query.len()), query);
    if query.len() > limits::MAX_QUERY_BYTES {
        return Err(error(ErrorKind::TooLong { bytes: query.len() }, limits::MAX_QUERY_BYTES));
    }
    let lexemes = lex(query)?;
    if lexemes.is_empty() {
        return Err(error(ErrorKind::Empty, 0));
    }
    let mut parser = Parser { query, lexemes: &lexemes, at: 0, depth: 0, terms: 0, infix: 0 };
    let expr = parser.or()?;
    match parser.peek() {
        None => Ok(expr),
        Some(stray) => Err(parser.error(ErrorKind::Unopened, stray.span)),
    }
}

struct Parser<'q> {
    query: &'q str,
    lexemes: &'q [Lexeme],
    at: usize,
    depth: usize,
    terms: usize,
    infix: usize,
}

impl<'q> Parser<'q> {
    fn peek(&self) -> Option<&'q Lexeme> {
        self.lexemes.get(self.at)
    }

    fn error(&self, kind: ErrorKind, span: Span) -> QueryError {
        QueryError::new(kind, span, self.query)
    }

    fn missing(&self, operator: Span, side: &'static str) -> QueryError {
        let written = self.query.get(operator.start..operator.end).unwrap_or_default();
        self.error(ErrorKind::MissingOperand { operator: written.to_owned(), side }, operator)
    }

    fn or(&mut self) -> Result<Expr, QueryError> {
        let mut children = vec![self.and()?];
        while let Some(Lexeme { token: Token::Or, span }) = self.peek() {
            self.at += 1;
            self.right_of(*span)?;
            children.push(self.and()?);
        }
        Ok(flatten(children, Expr::Or))
    }

    fn and(&mut self) -> Result<Expr, QueryError> {
        let mut children = vec![self.not()?];
        loop {
            match self.peek().map(|lexeme| (&lexeme.token, lexeme.span)) {
                Some((Token::And, span)) => {
                    self.at += 1;
                    self.right_of(span)?;
                    children.push(self.not()?);
                }
                None | Some((Token::Or | Token::Close, _)) => break,
                Some(_) => children.push(self.not()?),
            }
        }
        Ok(flatten(children, Expr::And))
    }

    /// Fails when nothing can be the right side of an operator.
    fn right_of(&self, operator: Span) -> Result<(), QueryError> {
        match self.peek().map(|lexeme| &lexeme.token) {
            None | Some(Token::Close | Token::And | Token::Or | Token::Near(_)) => {
                Err(self.missing(operator, "the right"))
            }
            Some(_) => Ok(()),
        }
    }

    fn not(&mut self) -> Result<Expr, QueryError> {
        // Each NOT over a NOT cancels it, so that `- - - a` costs no depth.
        let mut negated = false;
        while let Some(Lexeme { token: Token::Not, span }) = self.peek() {
            self.at += 1;
            self.right_of(*span)?;
            negated = !negated;
        }
        let inner = self.near()?;
        Ok(match inner {
            Expr::Not(inner) if negated => *inner,
            inner if negated => Expr::Not(Box::new(inner)),
            inner => inner,
        })
    }

    fn near(&mut self) -> Result<Expr, QueryError> {
        let first = self.atom()?;
        let mut operands = vec![first];
        let mut gaps: Vec<Gap> = Vec::new();
        while let Some(Lexeme { token: Token::Near(gap), span }) = self.peek() {
            self.at += 1;
            self.right_of(*span)?;
            gaps.push(*gap);
            operands.push(self.atom()?);
        }
        if gaps.is_empty() {
            return operands.pop().ok_or_else(|| self.error(ErrorKind::Empty, Span::default()));
        }
        for operand in &operands {
            self.has_positions(operand)?;
        }
        Ok(Expr::Near(Near { operands, gaps }))
    }

    fn has_positions(&self, operand: &Expr) -> Result<(), QueryError> {
        let what = match operand {
            Expr::Text(_) => return Ok(()),
            Expr::Or(children) => {
                return children.iter().try_for_each(|child| self.has_positions(child));
            }
            Expr::Raw(_) => "raw text",
            Expr::Field(_) => "a field",
            Expr::Not(_) => "NOT",
            Expr::And(_) => "AND",
            Expr::Near(_) => "another NEAR in parentheses",
        };
        Err(self.error(ErrorKind::NearOperand { what }, operand.span()))
    }

    fn atom(&mut self) -> Result<Expr, QueryError> {
        let Some(lexeme) = self.peek() else {
            let end = self.query.len();
            return Err(self.error(ErrorKind::Empty, Span::new(end, end)));
        };
        self.at += 1;
        match &lexeme.token {
            Token::Text(written) => self.text(written, lexeme.span),
            Token::Field { name, values } => self.field(name, values, lexeme.span),
            Token::Open => self.group(lexeme.span),
            Token::Close if self.depth == 0 => Err(self.error(ErrorKind::Unopened, lexeme.span)),
            Token::Close => Err(self.error(ErrorKind::EmptyGroup, lexeme.span)),
            Token::And | Token::Or | Token::Near(_) => Err(self.missing(lexeme.span, "the left")),
            Token::Not => Err(self.missing(lexeme.span, "the right")),
        }
    }

    fn group(&mut self, open: Span) -> Result<Expr, QueryError> {
        self.depth += 1;
        if self.depth > limits::MAX_DEPTH {
            return Err(self.error(ErrorKind::TooDeep, open));
        }
        let inner = match self.peek() {
            None => return Err(self.error(ErrorKind::Unclosed, open)),
            Some(_) => self.or()?,
        };
        match self.peek() {
            Some(Lexeme { token: Token::Close, .. }) => self.at += 1,
            _ => return Err(self.error(ErrorKind::Unclosed, open)),
        }
        self.depth -= 1;
        Ok(inner)
    }

    fn count_term(&mut self, span: Span) -> Result<(), QueryError> {
        self.terms += 1;
        if self.terms > limits::MAX_TERMS {
            Err(self.error(ErrorKind::TooManyTerms, span))
        } else {
            Ok(())
        }
    }

    fn text(&mut self, written: &str, span: Span) -> Result<Expr, QueryError> {
        self.count_term(span)?;
        let composed: String = written.nfc().collect();
        let words: Vec<&str> = composed.split_whitespace().collect();
        if words.is_empty() {
            return Err(self.error(ErrorKind::EmptyGroup, span));
        }
        let mut positions = 0;
        for word in &words {
            positions += self.word(word, span)?;
        }
        if positions > limits::MAX_PHRASE_WORDS {
            return Err(self.error(ErrorKind::PhraseTooLong, span));
        }
        Ok(Expr::Text(Leaf { value: words.join(" "), span }))
    }

    /// Checks one word against the limits; returns the positions it takes.
    fn word(&mut self, word: &str, span: Span) -> Result<usize, QueryError> {
        if word.chars().count() > limits::MAX_WORD_CHARS {
            return Err(self.error(ErrorKind::WordTooLong, span));
        }
        if word.chars().all(|c| matches!(c, '*' | '?')) {
            return Err(self.error(ErrorKind::LoneWildcard, span));
        }
        let cut = words::cut(word).map_err(|fault| {
            let kind = match fault {
                WordFault::Empty => ErrorKind::NoLetters { written: word.to_owned() },
                WordFault::WildcardBesideCharacter => ErrorKind::WildcardBesideCharacter,
            };
            self.error(kind, span)
        })?;
        for form in cut.parts.iter().filter_map(|part| part.forms.first()) {
            self.wildcards(form, span)?;
        }
        Ok(cut.parts.len())
    }

    fn wildcards(&mut self, form: &Glob, span: Span) -> Result<(), QueryError> {
        let wildcards = form.wildcards();
        if wildcards == 0 {
            return Ok(());
        }
        if form.literal_chars() == 0 {
            return Err(self.error(ErrorKind::LoneWildcard, span));
        }
        if wildcards > limits::MAX_WILDCARDS {
            return Err(self.error(ErrorKind::TooManyWildcards, span));
        }
        let leading = form.0.first() == Some(&Piece::Many);
        let needed = if leading { limits::MIN_INFIX_CHARS } else { limits::MIN_FRAGMENT_CHARS };
        let longest = form.fragments().iter().map(ExactSizeIterator::len).max().unwrap_or(0);
        if longest < needed {
            return Err(self.error(ErrorKind::WildcardTooShort { needed, leading }, span));
        }
        self.infix += usize::from(leading);
        if self.infix > limits::MAX_INFIX_TERMS {
            return Err(self.error(ErrorKind::TooManyInfixTerms, span));
        }
        Ok(())
    }

    fn field(
        &mut self,
        name: &str,
        values: &[(String, Span)],
        span: Span,
    ) -> Result<Expr, QueryError> {
        let mut children = Vec::with_capacity(values.len());
        for (value, value_span) in values {
            self.count_term(span)?;
            // A group's values point at themselves, a single one at the whole field.
            let at = if values.len() > 1 { *value_span } else { span };
            children.push(self.single_field(name, value, at)?);
        }
        Ok(flatten(children, Expr::Or))
    }

    fn single_field(&self, name: &str, value: &str, span: Span) -> Result<Expr, QueryError> {
        let unreadable = |expected| {
            let value = value.chars().take(40).collect();
            self.error(ErrorKind::FieldValue { name: name.to_owned(), value, expected }, span)
        };
        if name.eq_ignore_ascii_case("raw") {
            if value.trim().is_empty() || value.chars().count() > limits::MAX_WORD_CHARS {
                return Err(unreadable("1 to 100 characters as written: raw:\"C++\""));
            }
            return Ok(Expr::Raw(Leaf { value: value.to_owned(), span }));
        }
        if value.chars().count() > limits::MAX_WORD_CHARS * 5
            || value.matches('*').count() > limits::MAX_WILDCARDS
        {
            return Err(unreadable("at most 500 characters and 6 wildcards"));
        }
        match FieldTest::parse(name, value) {
            Some(Ok(value)) => Ok(Expr::Field(Leaf { value, span })),
            Some(Err(expected)) => Err(unreadable(expected)),
            None => Err(self.error(
                ErrorKind::UnknownField { name: name.to_owned(), resembles: resembling(name) },
                span,
            )),
        }
    }
}

/// The field whose name is closest, if close at all.
fn resembling(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let alias = match name.as_str() {
        "language" | "sprache" => Some("lang"),
        "from" | "by" | "user" => Some("author"),
        "link" | "links" => Some("url"),
        "domain" | "host" => Some("site"),
        "stars" => Some("rating"),
        _ => None,
    };
    alias.or_else(|| {
        let distance = |field: &&str| strsim::damerau_levenshtein(field, &name);
        field::NAMES
            .into_iter()
            .min_by_key(distance)
            .filter(|field| distance(field) <= 2 && name.len() > 2)
    })
}

/// One child stands for itself; children of the same kind are taken in.
fn flatten(children: Vec<Expr>, make: fn(Vec<Expr>) -> Expr) -> Expr {
    let mut flat = Vec::with_capacity(children.len());
    let and = matches!(make(Vec::new()), Expr::And(_));
    for child in children {
        match child {
            Expr::And(inner) if and => flat.extend(inner),
            Expr::Or(inner) if !and => flat.extend(inner),
            other => flat.push(other),
        }
    }
    match flat.pop() {
        Some(only) if flat.is_empty() => only,
        Some(last) => {
            flat.push(last);
            make(flat)
        }
        None => make(flat),
    }
}
