//! Layers of configuration: built-in defaults, a file, the environment, the command line.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use config::{Config, Environment, File, FileFormat};
use echolot_enrich::settings::EnrichSettings;
use echolot_ingest::settings::{IngestSettings, PrivacySettings};
use echolot_pipeline::settings::{KafkaSettings, Problems};
use echolot_sink::{ClickHouseSettings, SinkSettings};
use serde::Deserialize;

/// Every option with its default and its explanation.
pub(crate) const DEFAULTS: &str = include_str!("../config/default.toml");

/// The whole configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) data: DataSettings,
    pub(crate) telemetry: TelemetrySettings,
    pub(crate) kafka: KafkaSettings,
    pub(crate) clickhouse: ClickHouseSettings,
    pub(crate) privacy: PrivacySettings,
    pub(crate) ingest: IngestSettings,
    pub(crate) enrich: EnrichSettings,
    pub(crate) sink: SinkSettings,
}

/// `[data]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DataSettings {
    /// Where embedded engines and generated secrets live.
    pub(crate) dir: PathBuf,
}

/// `[telemetry]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TelemetrySettings {
    /// Address of `/live`, `/ready` and `/metrics`.
    pub(crate) listen: String,
    /// Filter of log events.
    pub(crate) log: String,
    /// How log events are written.
    pub(crate) format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl Settings {
    /// Loads and validates; reports every problem at once.
    pub(crate) fn load(file: Option<&Path>, overrides: &[String]) -> anyhow::Result<Self> {
        let mut builder = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the configuration {}", path.display()))?;
            builder = builder.add_source(File::from_str(&text, FileFormat::Toml));
        }
        builder = builder
            .add_source(Environment::with_prefix("ECHOLOT").prefix_separator("__").separator("__"));
        for pair in overrides {
            let (key, value) =
                pair.split_once('=').with_context(|| format!("--set {pair}: must be KEY=VALUE"))?;
            builder = builder
                .set_override(key, value)
                .with_context(|| format!("--set {pair}: {key} is no option's path"))?;
        }
        let merged = builder.build().context("the configuration cannot be read")?;
        let unknown = unknown_keys(&merged)?;
        if !unknown.is_empty() {
            bail!("the configuration has options that do not exist:\n  {}", unknown.join("\n  "));
        }
        let settings: Self =
            merged.try_deserialize().context("the configuration has a wrong value")?;
        let problems = settings.problems();
        if problems.is_empty() {
            return Ok(settings);
        }
        bail!(
            "the configuration is wrong in {} places:\n  {}",
            problems.len(),
            problems.join("\n  ")
        )
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Problems::default();
        problems.check(
            self.telemetry.listen.parse::<std::net::SocketAddr>().is_ok(),
            "telemetry.listen",
            "must be an address and a port, such as 127.0.0.1:9464",
        );
        self.kafka.validate(&mut problems);
        self.clickhouse.validate(&mut problems);
        self.privacy.validate(&mut problems);
        self.ingest.validate(&mut problems);
        self.enrich.validate(&mut problems);
        self.sink.validate(&mut problems);
        problems.into_vec().iter().map(ToString::to_string).collect()
    }

    /// Roles and tools talk to running engines: those of an `up`, or configured ones.
    pub(crate) fn require_engines(&self) -> anyhow::Result<()> {
        let missing: Vec<&str> = [
            ("kafka.brokers", self.kafka.brokers.is_empty()),
            ("clickhouse.url", self.clickhouse.url.is_empty()),
        ]
        .into_iter()
        .filter_map(|(path, empty)| empty.then_some(path))
        .collect();
        if missing.is_empty() {
            return Ok(());
        }
        bail!(
            "{} must be set, in the file given by --config or as {}; to run everything on this \
             machine with embedded engines, use `echolot up`",
            missing.join(" and "),
            missing
                .iter()
                .map(|path| format!("ECHOLOT__{}", path.to_uppercase().replace('.', "__")))
                .collect::<Vec<_>>()
                .join(" and "),
        )
    }

    /// Folder of the brand files that `up` uses where none are configured.
    pub(crate) fn own_brands(&self) -> PathBuf {
        self.data.dir.join("brands")
    }

    /// Takes the brand files of that folder.
    pub(crate) fn use_own_brands(&mut self) {
        let folder = glob::Pattern::escape(&self.own_brands().display().to_string());
        self.enrich.brands = vec![format!("{folder}/*.toml")];
    }

    /// The key of author pseudonyms: the configured one, or one made in the data directory.
    pub(crate) fn author_key(&self) -> anyhow::Result<echolot_ingest::privacy::AuthorKey> {
        use echolot_ingest::privacy::AuthorKey;
        if !self.privacy.author_key.is_empty() {
            return Ok(AuthorKey::read(&self.privacy.author_key)?);
        }
        let folder = self.data.dir.join("secrets");
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(AuthorKey::read_or_create(&folder.join("author.key"))?)
    }
}

/// Options that the defaults do not know, with the nearest that they do. Serde would stop at the
/// first one.
fn unknown_keys(merged: &Config) -> anyhow::Result<Vec<String>> {
    let defaults = Config::builder()
        .add_source(File::from_str(DEFAULTS, FileFormat::Toml))
        .build()
        .context("the built-in defaults are broken")?;
    let known = leaves(&defaults)?;
    let unknown = leaves(merged)?
        .into_iter()
        .filter(|path| !known.contains(path) && !is_free_form(path))
        .map(|path| match nearest(&path, &known) {
            Some(near) => format!("{path} (did you mean {near}?)"),
            None => path,
        });
    Ok(unknown.collect())
}

/// Tables whose keys the operator names.
fn is_free_form(path: &str) -> bool {
    path.starts_with("ingest.push.senders.")
}

fn leaves(config: &Config) -> anyhow::Result<std::collections::BTreeSet<String>> {
    let root: serde_json::Value =
        config.clone().try_deserialize().context("the configuration is no table")?;
    let mut paths = std::collections::BTreeSet::new();
    let mut open = vec![(String::new(), &root)];
    while let Some((path, value)) = open.pop() {
        match value {
            serde_json::Value::Object(table) => {
                let dot = if path.is_empty() { "" } else { "." };
                open.extend(table.iter().map(|(key, value)| (format!("{path}{dot}{key}"), value)));
            }
            _ => {
                paths.insert(path);
            }
        }
    }
    Ok(paths)
}

fn nearest<'a>(path: &str, known: &'a std::collections::BTreeSet<String>) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(path, candidate), candidate))
        .filter(|(distance, _)| *distance <= 3)
        .min()
        .map(|(_, candidate)| candidate.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(overrides: &[&str]) -> String {
        let overrides: Vec<String> = overrides.iter().map(ToString::to_string).collect();
        format!("{:#}", Settings::load(None, &overrides).unwrap_err())
    }

    #[test]
    fn the_defaults_are_valid() {
        Settings::load(None, &[]).unwrap();
    }

    #[test]
    fn every_typo_is_told_at_once_with_what_was_meant() {
        let told = fault(&["kafka.broker=x:1", "sink.worker.lingr=1s"]);
        assert!(told.contains("kafka.broker (did you mean kafka.brokers?)"), "{told}");
        assert!(told.contains("sink.worker.lingr (did you mean sink.worker.linger?)"), "{told}");
    }

    #[test]
    fn every_wrong_value_is_told_at_once_with_its_path() {
        let told = fault(&["kafka.partitions=0", "sink.worker.batch_rows=0", "telemetry.listen=x"]);
        for path in ["kafka.partitions", "sink.worker.batch_rows", "telemetry.listen"] {
            assert!(told.contains(path), "{told}");
        }
    }

    #[test]
    fn a_role_without_engines_says_what_to_set() {
        let settings = Settings::load(None, &["kafka.brokers=x:1".to_owned()]).unwrap();
        let told = settings.require_engines().unwrap_err().to_string();
        assert!(told.contains("ECHOLOT__CLICKHOUSE__URL") && !told.contains("KAFKA"), "{told}");
    }
}
