//! Answers that are read piece by piece.

use std::{fmt, time::Duration};

use clickhouse::{
    RowOwned, RowRead,
    query::{BytesCursor, RowCursor},
};

use crate::{Action, StoreError};

/// The answer to a query, row by row.
pub struct Rows<T> {
    pub(crate) cursor: RowCursor<T>,
    pub(crate) action: Action,
    pub(crate) limit: Duration,
}

impl<T> fmt::Debug for Rows<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("action", &self.action).finish_non_exhaustive()
    }
}

impl<T: RowOwned + RowRead> Rows<T> {
    /// The next row; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<T>, StoreError> {
        let (action, after) = (self.action, self.limit);
        tokio::time::timeout(after, self.cursor.next())
            .await
            .map_err(|_| StoreError::Timeout { action, after })?
            .map_err(|error| StoreError::new(action, error, after))
    }
}

/// The answer to a query in a format of the server, as bytes.
pub struct Answer {
    pub(crate) cursor: BytesCursor,
    pub(crate) limit: Duration,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}

impl Answer {
    /// The next piece; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<impl AsRef<[u8]> + use<>>, StoreError> {
        let (action, after) = (Action::Answer, self.limit);
        tokio::time::timeout(after, self.cursor.next())
            .await
            .map_err(|_| StoreError::Timeout { action, after })?
            .map_err(|error| StoreError::new(action, error, after))
    }
}
