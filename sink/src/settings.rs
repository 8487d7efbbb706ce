//! `[clickhouse]` and `[sink]`.

use std::{fmt, time::Duration};

use bytesize::ByteSize;
use echolot_pipeline::settings::{Problems, Secret, WorkerSettings};
use serde::{Deserialize, Deserializer, de};

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
    /// Published database, which holds the views; generation 1 is in `<database>_g1`.
    pub database: String,
    /// How long a statement of the live path (look-up, insert, recomputation) may take.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// How long a long statement (migration, loading of ids, audit) may take or stay silent.
    #[serde(with = "humantime_serde")]
    pub long_timeout: Duration,
}

/// `[sink]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SinkSettings {
    /// Which generation to write.
    pub generation: GenerationChoice,
    /// Most memory for remembering which mentions were seen.
    pub sightings_memory: ByteSize,
    /// Batching.
    pub worker: WorkerSettings,
}

/// Which generation a role works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GenerationChoice {
    /// The one that the views show.
    Promoted,
    /// This one, promoted or not.
    Number(u32),
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

impl SinkSettings {
    /// Notes everything wrong with these settings.
    pub fn validate(&self, problems: &mut Problems) {
        problems.check(
            self.generation != GenerationChoice::Number(0),
            "sink.generation",
            "must be \"promoted\" or a number from 1",
        );
        problems.check(
            (ByteSize::kib(64)..=ByteSize::gib(16)).contains(&self.sightings_memory),
            "sink.sightings_memory",
            "must be 64KiB to 16GiB",
        );
        self.worker.validate("sink.worker", problems);
    }
}

impl<'de> Deserialize<'de> for GenerationChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ChoiceVisitor)
    }
}

/// Environment variables are text, so a number may come as one.
struct ChoiceVisitor;

impl de::Visitor<'_> for ChoiceVisitor {
    type Value = GenerationChoice;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"promoted\" or the number of a generation")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        u32::try_from(number)
            .map(GenerationChoice::Number)
            .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        u32::try_from(number)
            .map(GenerationChoice::Number)
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        match text {
            "promoted" => Ok(GenerationChoice::Promoted),
            number => number
                .parse()
                .map(GenerationChoice::Number)
                .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Sections {
        clickhouse: ClickHouseSettings,
        sink: SinkSettings,
    }

    fn shipped() -> Sections {
        toml::from_str(include_str!("../default.toml")).unwrap()
    }

    #[test]
    fn the_shipped_settings_have_no_problem() {
        let Sections { clickhouse, sink } = shipped();
        let mut problems = Problems::default();
        clickhouse.validate(&mut problems);
        sink.validate(&mut problems);
        assert_eq!(problems.into_vec(), []);
        assert_eq!(sink.generation, GenerationChoice::Promoted);
    }

    #[test]
    fn a_database_name_that_would_need_quotes_is_a_problem() {
        for name in ["", "echolot; DROP", "1x", "Echolot", "a`b"] {
            let mut problems = Problems::default();
            ClickHouseSettings { database: name.to_owned(), ..shipped().clickhouse }
                .validate(&mut problems);
            let paths: Vec<String> = problems.into_vec().into_iter().map(|p| p.path).collect();
            assert_eq!(paths, ["clickhouse.database"], "{name:?}");
        }
    }

    #[test]
    fn a_generation_may_come_as_text_from_the_environment() {
        #[derive(Deserialize)]
        struct Chosen {
            generation: GenerationChoice,
        }
        let chosen = |text: &str| toml::from_str::<Chosen>(text).map(|c| c.generation);
        assert_eq!(chosen("generation = 2").unwrap(), GenerationChoice::Number(2));
        assert_eq!(chosen("generation = '2'").unwrap(), GenerationChoice::Number(2));
        assert!(chosen("generation = 'next'").is_err());
        assert!(chosen("generation = -1").is_err());
    }
}
