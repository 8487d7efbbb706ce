//! The door to ClickHouse: one server, one published database, a time limit on every call.
//!
//! ```text
//!  sink, alert, tools ──▶ Store ──(HTTP, lz4, bound parameters)──▶ ClickHouse
//!                           │
//!                           └─▶ StoreError ──▶ Fault: wait, refuse the rows, or stop
//! ```
//!
//! The contract: every call names its [`Action`], which gives it a time limit and stands in its
//! error; every [`StoreError`] says what the runtime should do about it. What the statements say is
//! the business of the crates that call: `echolot-sink` owns the tables, `echolot-alert` the
//! incidents.

mod answer;
mod fault;
mod settings;
mod transport;

use std::{fmt, time::Duration};

use clickhouse::{Client, Compression, Row, RowOwned, RowRead, RowWrite, query::Query};

pub use answer::{Answer, Rows};
pub use fault::StoreError;
pub use settings::{ClickHouseSettings, ReaderLimits, ReaderLogin};

/// What a statement is for: part of every error, and it decides how long it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Ask whether the server is there.
    Connect,
    /// Create or alter tables and views.
    Migrate,
    /// Load what is remembered about partitions.
    Load,
    /// Look mentions up.
    LookUp,
    /// Insert mentions.
    Insert,
    /// Recompute buckets.
    Recompute,
    /// Read for the audit.
    Audit,
    /// Read counts and mentions through the published views.
    Read,
    /// Note incidents.
    Note,
    /// Answer an analyst's own query.
    Answer,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connect",
            Self::Migrate => "migrate",
            Self::Load => "load known mentions",
            Self::LookUp => "look mentions up",
            Self::Insert => "insert mentions",
            Self::Recompute => "recompute buckets",
            Self::Audit => "read for the audit",
            Self::Read => "read counts",
            Self::Note => "note incidents",
            Self::Answer => "answer the query",
        })
    }
}

/// A handle on the store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    client: Client,
    published: String,
    timeout: Duration,
    long_timeout: Duration,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("published", &self.published).finish_non_exhaustive()
    }
}

impl Store {
    /// A handle; nothing is sent yet. `settings.url` must not be empty.
    pub fn new(settings: &ClickHouseSettings) -> Result<Self, StoreError> {
        let client = transport::client(settings, &settings.user, &settings.password)?
            .with_compression(Compression::Lz4)
            // Some servers answer an insert before it is stored; offsets are committed after it.
            .with_setting("async_insert", "0")
            // Look-ups and recomputations list ids and buckets in the statement.
            .with_setting("max_query_size", (4 << 20).to_string())
            // A bound that fits every statement here, whatever the server's profile says.
            .with_setting("max_memory_usage", (2_u64 << 30).to_string())
            // A batch of old mentions touches many months.
            .with_setting("max_partitions_per_insert_block", "2000")
            // Equal rows replace each other: dedup windows add nothing and are not crash-safe.
            .with_setting("insert_deduplicate", "0")
            // A mention's rows are all in one month, since its time never changes.
            .with_setting("do_not_merge_across_partitions_select_final", "1");
        Ok(Self {
            client,
            published: settings.database.clone(),
            timeout: settings.timeout,
            long_timeout: settings.long_timeout,
        })
    }

    /// A handle for a user that only reads: the published views as bounded by `limits`, none of the
    /// settings that writing needs. `settings` names the server, `login` the user.
    pub fn reader(
        settings: &ClickHouseSettings,
        login: &ReaderLogin,
        limits: ReaderLimits,
    ) -> Result<Self, StoreError> {
        let client = transport::client(settings, &login.user, &login.password)?
            .with_database(&settings.database)
            .with_compression(Compression::Lz4)
            .with_setting("max_memory_usage", limits.memory_bytes.to_string())
            // Many readers at once: none of them takes every core from the sink.
            .with_setting("max_threads", limits.threads.to_string())
            .with_setting("max_result_rows", limits.rows.to_string())
            .with_setting("do_not_merge_across_partitions_select_final", "1");
        Ok(Self {
            client,
            published: settings.database.clone(),
            timeout: limits.timeout,
            long_timeout: limits.timeout,
        })
    }

    /// A bare client of the published views, for statements with formats of their own.
    pub fn plain_client(settings: &ClickHouseSettings) -> Result<Client, StoreError> {
        Ok(transport::client(settings, &settings.user, &settings.password)?
            .with_database(&settings.database))
    }

    /// Name of the published database.
    pub fn published(&self) -> &str {
        &self.published
    }

    /// Name of a generation's database.
    pub fn database(&self, generation: u32) -> String {
        format!("{}_g{generation}", self.published)
    }

    /// Asks whether the server answers and the login is right.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.execute(Action::Connect, "SELECT 1 FORMAT Null").await
    }

    fn limit(&self, action: Action) -> Duration {
        match action {
            Action::Connect
            | Action::LookUp
            | Action::Insert
            | Action::Recompute
            | Action::Note => self.timeout,
            Action::Migrate | Action::Load | Action::Audit | Action::Read | Action::Answer => {
                self.long_timeout
            }
        }
    }

    /// The server gives up when we do, so that no abandoned statement runs on beside its retry.
    fn client(&self, action: Action) -> Client {
        let seconds = self.limit(action).as_secs().max(1);
        self.client.clone().with_setting("max_execution_time", seconds.to_string())
    }

    /// Runs a statement that answers nothing.
    pub async fn execute(&self, action: Action, sql: &str) -> Result<(), StoreError> {
        let query = self.client(action).query_raw(sql);
        self.within(action, query.execute()).await
    }

    /// Runs a query with a bounded answer.
    pub async fn fetch<T>(&self, action: Action, sql: &str) -> Result<Vec<T>, StoreError>
    where
        T: RowOwned + RowRead,
    {
        let query = self.client(action).query_raw(sql);
        self.within(action, query.fetch_all::<T>()).await
    }

    /// Runs a query with a bounded answer; `bind` sets its parameters, `{name:Type}` in the text.
    pub async fn fetch_bound<T>(
        &self,
        action: Action,
        sql: &str,
        bind: impl FnOnce(Query) -> Query,
    ) -> Result<Vec<T>, StoreError>
    where
        T: RowOwned + RowRead,
    {
        let query = bind(self.client(action).query_raw(sql));
        self.within(action, query.fetch_all::<T>()).await
    }

    /// Runs a query whose answer is read row by row; each row has the action's time limit.
    pub fn stream<T: Row>(&self, action: Action, sql: &str) -> Result<Rows<T>, StoreError> {
        let limit = self.limit(action);
        let cursor = self
            .client(action)
            .query_raw(sql)
            .fetch::<T>()
            .map_err(|error| StoreError::new(action, error, limit))?;
        Ok(Rows { cursor, action, limit })
    }

    /// Runs a query that may not write, whoever the user is, and hands on what the server makes of
    /// the answer in one of its formats; each piece has the action's time limit.
    pub fn answer(
        &self,
        sql: &str,
        format: &str,
        settings: &[(&str, &str)],
    ) -> Result<Answer, StoreError> {
        let limit = self.limit(Action::Answer);
        let client = self.client(Action::Answer).with_setting("readonly", "2");
        let client = settings
            .iter()
            .fold(client, |client, (name, value)| client.with_setting(*name, *value));
        let cursor = client
            .query_raw(sql)
            .fetch_bytes(format)
            .map_err(|error| StoreError::new(Action::Answer, error, limit))?;
        Ok(Answer { cursor, limit })
    }

    /// Inserts rows in one statement.
    pub async fn insert<'a, T>(
        &self,
        action: Action,
        table: &str,
        rows: impl Iterator<Item = T::Value<'a>>,
    ) -> Result<(), StoreError>
    where
        T: RowWrite,
    {
        let client = self.client(action);
        self.within(action, async {
            let mut insert = client.insert_unescaped::<T>(table).await?;
            for row in rows {
                insert.write(&row).await?;
            }
            insert.end().await
        })
        .await
    }

    async fn within<T>(
        &self,
        action: Action,
        call: impl Future<Output = clickhouse::error::Result<T>>,
    ) -> Result<T, StoreError> {
        let limit = self.limit(action);
        tokio::time::timeout(limit, call)
            .await
            .map_err(|_| StoreError::Timeout { action, after: limit })?
            .map_err(|error| StoreError::new(action, error, limit))
    }
}
