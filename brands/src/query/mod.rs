//! The query language: see the reference in the crate's README.

pub mod ast;
pub mod error;
pub(crate) mod excerpt;
pub mod field;
mod format;
mod lex;
pub mod limits;
mod parse;
pub mod warn;

use std::fmt;

pub use ast::{Expr, Gap, Leaf, Near, Span};
pub use error::{ErrorKind, QueryError};
pub use field::FieldTest;
pub use warn::{Warning, WarningKind};

/// A parsed query.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    expr: Expr,
}

impl Query {
    /// Reads a query; warnings tell what is legal and probably not meant.
    pub fn parse(text: &str) -> Result<(Self, Vec<Warning>), QueryError> {
        let expr = parse::parse(text)?;
        let warnings = warn::warnings(text, &expr);
        Ok((Self { expr }, warnings))
    }

    /// The query as a tree.
    pub fn expr(&self) -> &Expr {
        &self.expr
    }

    /// Its tests of something other than the words, in the order written.
    pub fn fields(&self) -> Vec<&FieldTest> {
        let mut fields = Vec::new();
        self.expr.visit_fields(&mut |test| fields.push(test));
        fields
    }

    /// The canonical form: it parses to an equal query and formats to itself.
    pub fn format(&self) -> String {
        self.expr.to_string()
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)
    }
}

impl std::str::FromStr for Query {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Self, QueryError> {
        Self::parse(text).map(|(query, _)| query)
    }
}
