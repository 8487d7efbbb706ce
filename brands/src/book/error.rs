//! What is wrong with brand files.

use std::fmt;

use crate::query::QueryError;

/// One error of one file.
#[derive(Debug, Clone, PartialEq, thiserror::Error, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "code")]
#[non_exhaustive]
pub enum BookError {
    /// Over [`super::MAX_FILE_BYTES`].
    #[error(
        "{file}: {bytes} bytes are more than a brand file may have ({}); split it",
        super::MAX_FILE_BYTES
    )]
    TooLong {
        /// The file.
        file: String,
        /// Its size.
        bytes: usize,
    },
    /// Not TOML, or not a brand's TOML.
    #[error("{file}: {message}")]
    Toml {
        /// The file.
        file: String,
        /// Line, column and what was expected.
        message: String,
    },
    /// A field that must say something and does not.
    #[error("{file}: {brand}: `{field}` {problem}")]
    Field {
        /// The file.
        file: String,
        /// The brand.
        brand: String,
        /// The field.
        field: &'static str,
        /// What is wrong and what to write.
        problem: String,
    },
    /// A query that cannot be read.
    #[error("{file}:{line}: {brand}: {error}")]
    Query {
        /// The file.
        file: String,
        /// Line of `query` in the file, from 1.
        line: usize,
        /// The brand.
        brand: String,
        /// The error, with offsets into the query.
        error: Box<QueryError>,
    },
    /// Two brands of one name.
    #[error("{file}: the brand `{name}` is already defined in {first}; rename or remove one")]
    DuplicateName {
        /// The second file.
        file: String,
        /// The name.
        name: String,
        /// The first file.
        first: String,
    },
    /// A competitor that is no brand of the book.
    #[error(
        "{file}: {brand}: there is no brand `{competitor}`{}",
        resembles.as_ref().map_or(String::from("; define it or remove it"), |name| format!("; did you mean `{name}`?"))
    )]
    UnknownCompetitor {
        /// The file.
        file: String,
        /// The brand.
        brand: String,
        /// The name that is unknown.
        competitor: String,
        /// A brand with nearly this name.
        resembles: Option<String>,
    },
    /// Over [`super::MAX_BRANDS`].
    #[error("{count} brands are more than one book may hold ({})", super::MAX_BRANDS)]
    TooManyBrands {
        /// How many.
        count: usize,
    },
}

/// Every error of every file.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(transparent)]
pub struct BookErrors(pub Vec<BookError>);

impl fmt::Display for BookErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for BookErrors {}

impl BookErrors {
    /// All errors for a terminal; those of queries with a mark below the place.
    pub fn render(&self) -> String {
        let one = |error: &BookError| match error {
            BookError::Query { error: inner, .. } => format!("{error}\n{}", inner.render()),
            other => format!("{other}\n"),
        };
        self.0.iter().map(one).collect()
    }
}
