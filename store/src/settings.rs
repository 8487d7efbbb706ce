//! `[clickhouse]`.

use std::time::Duration;

use echolot_pipeline::settings::{Problems, Secret};
use serde::Deserialize;

/// `[clickhouse]`: how to reach the store.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClickHouseSettings {
    /// HTTP interface, `http://host:8123` or `https://host:8443`; empty for the embedded server.
    pub url: String,
    /// User with full rights on the databases below.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// PEM file with the certificate authority of an `https` server; empty for the system's.
    pub ca_file: String,
    /// Published database, which holds the views; generation 1 is in `<database>_g1`.
    pub database: String,
    /// How long a statement of the live path (look-up, insert, recomputation) may take.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// How long a long statement (migration, loading of ids, audit) may take or stay silent.
    #[serde(with = "humantime_serde")]
    pub long_timeout: Duration,
}

/// A user of the store that only reads.
#[derive(Clone, Debug)]
pub struct ReaderLogin {
    /// Its name.
    pub user: String,
    /// Its password.
    pub password: Secret,
}

/// What one statement of a reader may use.
#[derive(Clone, Copy, Debug)]
pub struct ReaderLimits {
    /// How long it may take.
    pub timeout: Duration,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// Threads of the server.
    pub threads: u32,
    /// Rows of its answer.
    pub rows: u64,
}

impl ClickHouseSettings {
    /// Notes everything wrong with these settings. An empty `url` is right: it means embedded.
    pub fn validate(&self, problems: &mut Problems) {
        let mut check = |ok, name: &str, message: &str| {
            problems.check(ok, &format!("clickhouse.{name}"), message);
        };
        check(
            self.url.is_empty()
                || self.url.starts_with("http://")
                || self.url.starts_with("https://"),
            "url",
            "must begin with http:// or https://, or be empty for the embedded server",
        );
        check(self.url.is_empty() || !self.user.is_empty(), "user", "must be set when url is set");
        check(
            is_identifier(&self.database),
            "database",
            "must be 1 to 48 of a-z 0-9 _ and begin with a letter",
        );
        let live = Duration::from_secs(1)..=Duration::from_mins(10);
        check(live.contains(&self.timeout), "timeout", "must be 1s to 10m");
        check(
            self.long_timeout >= self.timeout && self.long_timeout <= Duration::from_hours(24),
            "long_timeout",
            "must be at least timeout and at most 24h",
        );
    }
}

/// The name goes into statements as it is, so it must need no quoting.
fn is_identifier(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    name.len() <= 48
        && name.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
        && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> ClickHouseSettings {
        #[derive(Deserialize)]
        struct Sections {
            clickhouse: ClickHouseSettings,
        }
        toml::from_str::<Sections>(include_str!("../default.toml")).unwrap().clickhouse
    }

    #[test]
    fn the_shipped_settings_have_no_problem() {
        let mut problems = Problems::default();
        shipped().validate(&mut problems);
        assert_eq!(problems.into_vec(), []);
    }

    #[test]
    fn a_database_name_that_would_need_quotes_is_a_problem() {
        for name in ["", "echolot; DROP", "1x", "Echolot", "a`b"] {
            let mut problems = Problems::default();
            ClickHouseSettings { database: name.to_owned(), ..shipped() }.validate(&mut problems);
            let paths: Vec<String> = problems.into_vec().into_iter().map(|p| p.path).collect();
            assert_eq!(paths, ["clickhouse.database"], "{name:?}");
        }
    }
}
