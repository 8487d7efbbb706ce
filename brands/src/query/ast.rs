//! A query as a tree.

use super::field::FieldTest;

/// Bytes `start..end` of the query text.
///
/// Spans say where something was written, not what: any two compare equal, so that a query and
/// its formatted form do.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// Byte behind the last.
    pub end: usize,
}

impl PartialEq for Span {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Span {
    pub(crate) const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    pub(crate) fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// A query or a part of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A word or a phrase, with blanks collapsed to one.
    Text(Leaf<String>),
    /// Characters exactly as written.
    Raw(Leaf<String>),
    /// A test of something other than the words.
    Field(Leaf<FieldTest>),
    /// Not.
    Not(Box<Expr>),
    /// All of two or more.
    And(Vec<Expr>),
    /// Any of two or more.
    Or(Vec<Expr>),
    /// Words close to each other.
    Near(Near),
}

/// A leaf and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf<T> {
    /// What it says.
    pub value: T,
    /// Where.
    pub span: Span,
}

/// `a NEAR/3 b NEAR/5f c`: `gaps[i]` lies between `operands[i]` and `operands[i + 1]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    /// Words, phrases, or `OR` groups of them; two or more.
    pub operands: Vec<Expr>,
    /// One less than operands.
    pub gaps: Vec<Gap>,
}

/// How close, and whether in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Largest difference of position: 1 is adjacent.
    pub words: u32,
    /// Whether the left operand must come first (`NEAR/nf`).
    pub ordered: bool,
}

impl Expr {
    /// Where the expression was written.
    pub fn span(&self) -> Span {
        match self {
            Self::Text(leaf) | Self::Raw(leaf) => leaf.span,
            Self::Field(leaf) => leaf.span,
            Self::Not(inner) => inner.span(),
            Self::And(children) | Self::Or(children) => cover(children),
            Self::Near(near) => cover(&near.operands),
        }
    }

    /// Calls `visit` with each field test, in the order written.
    pub(super) fn visit_fields<'e>(&'e self, visit: &mut impl FnMut(&'e FieldTest)) {
        match self {
            Self::Field(leaf) => visit(&leaf.value),
            Self::Not(inner) => inner.visit_fields(visit),
            Self::And(children) | Self::Or(children) => {
                for child in children {
                    child.visit_fields(visit);
                }
            }
            // The sides of NEAR are words.
            Self::Text(_) | Self::Raw(_) | Self::Near(_) => {}
        }
    }
}

fn cover(children: &[Expr]) -> Span {
    children.iter().map(Expr::span).reduce(Span::to).unwrap_or_default()
}
