//! Layers of configuration: built-in defaults, a file, the environment, the command line.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use config::{Config, ConfigError, Environment, File, FileFormat, Value, ValueKind};
use echolot_alert::AlertSettings;
use echolot_dashboard::DashboardSettings;
use echolot_enrich::settings::EnrichSettings;
use echolot_ingest::{
    settings::{IngestSettings, PrivacySettings},
    sources::SourcesSettings,
};
use echolot_pipeline::settings::{KafkaSettings, Problems};
use echolot_sink::SinkSettings;
use echolot_store::ClickHouseSettings;
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
    pub(crate) sources: SourcesSettings,
    pub(crate) enrich: EnrichSettings,
    pub(crate) sink: SinkSettings,
    pub(crate) alert: AlertSettings,
    pub(crate) dashboard: DashboardSettings,
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
        let (mut settings, mut wrong) = read(merged)?;
        let internal = settings.sources.internal().into_iter().map(String::from);
        settings.ingest.internal_sources.extend(internal);
        wrong.extend(settings.problems());
        match wrong.len() {
            0 => Ok(settings),
            1 => bail!("the configuration is wrong:\n  {}", wrong[0]),
            places => {
                bail!("the configuration is wrong in {places} places:\n  {}", wrong.join("\n  "))
            }
        }
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
        self.sources.validate(&mut problems);
        self.enrich.validate(&mut problems);
        self.sink.validate(&mut problems);
        self.alert.validate(&mut problems);
        self.dashboard.validate(&mut problems);
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

/// Settings, and what is wrong with the options behind them. Serde stops at the first wrong option;
/// an operator wants to know all of them. So each is noted and left at its default.
fn read(mut merged: Config) -> anyhow::Result<(Settings, Vec<String>)> {
    let defaults = Config::builder()
        .add_source(File::from_str(DEFAULTS, FileFormat::Toml))
        .build()
        .context("the built-in defaults are broken")?;
    let known = leaves(&defaults.cache);
    let mut wrong = Vec::new();
    for path in leaves(&merged.cache) {
        if !known.contains(&path) && !is_free_form(&path) {
            let meant = nearest(&path, &known)
                .map(|near| format!(" (did you mean {near}?)"))
                .unwrap_or_default();
            wrong.push(format!("{path}{meant}: there is no such option"));
            put(&mut merged.cache, &path, None);
        }
    }
    // Each turn takes one wrong value away, so there are no more turns than options.
    for _ in 0..=leaves(&merged.cache).len() {
        let error = match merged.clone().try_deserialize() {
            Ok(settings) => return Ok((settings, wrong)),
            Err(error) => error,
        };
        let Some(path) = key(&error) else {
            return Err(error).context("the configuration has a wrong value");
        };
        let told = error.to_string();
        let told = told.split(" for key `").next().unwrap_or_default();
        wrong.push(format!("{path}: {told}"));
        put(&mut merged.cache, &path, defaults.get(&path).ok());
    }
    bail!("the configuration is wrong in many places:\n  {}", wrong.join("\n  "))
}

/// The option that an error is about, where it is about one.
fn key(error: &ConfigError) -> Option<String> {
    match error {
        ConfigError::Type { key, .. } | ConfigError::At { key, .. } => key.clone(),
        _ => None,
    }
}

/// Sets an option, or takes it away.
fn put(options: &mut Value, path: &str, value: Option<Value>) {
    let ValueKind::Table(table) = &mut options.kind else { return };
    match (path.split_once('.'), value) {
        (Some((name, rest)), value) => {
            if let Some(inner) = table.get_mut(name) {
                put(inner, rest, value);
            }
        }
        (None, Some(value)) => {
            table.insert(path.to_owned(), value);
        }
        (None, None) => {
            table.remove(path);
        }
    }
}

/// Tables whose keys the operator names.
fn is_free_form(path: &str) -> bool {
    path.starts_with("ingest.push.senders.") || path.starts_with("sources.")
}

fn leaves(root: &Value) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    let mut open = vec![(String::new(), root)];
    while let Some((path, value)) = open.pop() {
        match &value.kind {
            ValueKind::Table(table) => {
                let dot = if path.is_empty() { "" } else { "." };
                open.extend(table.iter().map(|(key, value)| (format!("{path}{dot}{key}"), value)));
            }
            _ => {
                paths.insert(path);
            }
        }
    }
    paths
}

fn nearest<'a>(path: &str, known: &'a BTreeSet<String>) -> Option<&'a str> {
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
    fn typos_wrong_types_and_wrong_values_are_told_together() {
        let told = fault(&[
            "kafka.broker=x:1",
            "enrich.threads=many",
            "sink.worker.linger=soon",
            "kafka.partitions=0",
            "ingest.push.senders.forum.internal=perhaps",
        ]);
        for wrong in [
            "in 5 places",
            "kafka.broker (did you mean kafka.brokers?): there is no such option",
            "enrich.threads: invalid type: string \"many\", expected an integer",
            "sink.worker.linger: invalid value: string \"soon\"",
            "kafka.partitions: must be",
            "ingest.push.senders.forum.internal: invalid type",
        ] {
            assert!(told.contains(wrong), "{wrong} is not in {told}");
        }
    }

    #[test]
    fn a_role_without_engines_says_what_to_set() {
        let settings = Settings::load(None, &["kafka.brokers=x:1".to_owned()]).unwrap();
        let told = settings.require_engines().unwrap_err().to_string();
        assert!(told.contains("ECHOLOT__CLICKHOUSE__URL") && !told.contains("KAFKA"), "{told}");
    }
}
