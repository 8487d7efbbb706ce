//! `[sources.NAME]`: what to follow.
//!
//! The options of a source depend on its `kind`, so they are taken as they come and read a second
//! time by the kind. What is wrong with one source is kept and told by `validate` with its path,
//! beside what is wrong with all others.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use echolot_pipeline::settings::Problems;
use echolot_schemas::SourceName;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::{
    keep::KeepRule,
    sources::{KINDS, Kind, SourceOptions, kind},
};

/// Every configured source, by name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct SourcesSettings(BTreeMap<String, SourceSettings>);

/// Options that every source has.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CommonSettings {
    /// Which mentions enter the log; none for what suits the kind.
    pub keep: Option<KeepRule>,
    /// How often it is asked; none for what suits the kind.
    #[serde(with = "humantime_serde")]
    pub interval: Option<Duration>,
    /// True for a source inside the company: no author is ever kept.
    pub internal: bool,
    /// False to leave it out without taking its options away.
    pub enabled: Option<bool>,
}

/// Names of [`CommonSettings`]' options.
const COMMON: [&str; 4] = ["keep", "interval", "internal", "enabled"];

/// `[sources.NAME]`.
#[derive(Clone, Debug)]
pub struct SourceSettings(Result<Parsed, String>);

#[derive(Clone, Debug)]
struct Parsed {
    kind: &'static Kind,
    common: CommonSettings,
    options: Arc<dyn SourceOptions>,
}

impl SourceSettings {
    /// Reads a source's table.
    pub fn read(mut table: Map<String, Value>) -> Self {
        Self(Self::parse(&mut table))
    }

    fn parse(table: &mut Map<String, Value>) -> Result<Parsed, String> {
        let known = || KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ");
        let Some(Value::String(name)) = table.remove("kind") else {
            return Err(format!("kind is missing; it is one of {}", known()));
        };
        let kind = kind(&name)
            .ok_or_else(|| format!("kind {name:?} is unknown; it is one of {}", known()))?;
        let common: Map<String, Value> = COMMON
            .iter()
            .filter_map(|name| table.remove_entry(*name))
            .map(|(name, value)| (name, plain(value)))
            .collect();
        let common = serde_json::from_value(Value::Object(common)).map_err(|e| e.to_string())?;
        let given = Value::Object(std::mem::take(table));
        // From the environment and --set everything comes as text; only where that does not fit is
        // it read as the number or truth value that it spells.
        let options = kind
            .read(given.clone())
            .or_else(|error| kind.read(spelled_out(given)).map_err(|_| error))
            .map_err(|error| error.to_string())?;
        Ok(Parsed { kind, common, options })
    }

    /// Its kind, where it is right.
    pub fn kind(&self) -> Option<&'static Kind> {
        self.0.as_ref().ok().map(|parsed| parsed.kind)
    }

    /// What all sources have, where it is right.
    pub fn common(&self) -> Option<&CommonSettings> {
        self.0.as_ref().ok().map(|parsed| &parsed.common)
    }

    /// The kind's own options, where they are right.
    pub fn options(&self) -> Option<&Arc<dyn SourceOptions>> {
        self.0.as_ref().ok().map(|parsed| &parsed.options)
    }

    /// Which of its mentions enter the log, where it is right.
    pub fn keep(&self) -> Option<KeepRule> {
        let Parsed { common, options, .. } = self.0.as_ref().ok()?;
        Some(common.keep.unwrap_or_else(|| options.keep()))
    }

    fn validate(&self, path: &str, problems: &mut Problems) {
        match &self.0 {
            Err(message) => problems.check(false, path, message),
            Ok(Parsed { common, options, .. }) => {
                let range = Duration::from_secs(1)..=Duration::from_hours(24);
                problems.check(
                    common.interval.is_none_or(|interval| range.contains(&interval)),
                    &format!("{path}.interval"),
                    "must be 1s to 24h",
                );
                options.validate(path, problems);
            }
        }
    }
}

fn plain(value: Value) -> Value {
    match &value {
        Value::String(text) if text == "true" => Value::Bool(true),
        Value::String(text) if text == "false" => Value::Bool(false),
        _ => value,
    }
}

fn spelled_out(value: Value) -> Value {
    match value {
        Value::Object(table) => Value::Object(
            table.into_iter().map(|(name, value)| (name, spelled_out(value))).collect(),
        ),
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(scalar @ (Value::Number(_) | Value::Bool(_))) => scalar,
            _ => Value::String(text),
        },
        value => value,
    }
}

impl<'de> Deserialize<'de> for SourceSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::read(Map::deserialize(deserializer)?))
    }
}

impl SourcesSettings {
    /// Notes everything wrong with them.
    pub fn validate(&self, problems: &mut Problems) {
        for (name, source) in &self.0 {
            let path = format!("sources.{name}");
            if let Err(error) = SourceName::new(name.as_str()) {
                problems.check(false, &path, error.to_string());
            }
            source.validate(&path, problems);
        }
    }

    /// Sources that are to run, by name. What breaks a rule is left to [`Self::validate`].
    pub fn enabled(&self) -> impl Iterator<Item = (SourceName, &SourceSettings)> {
        self.0.iter().filter_map(|(name, source)| {
            let on = source.common()?.enabled.unwrap_or(true);
            Some((SourceName::new(name.as_str()).ok()?, source)).filter(|_| on)
        })
    }

    /// The source of this name, whether it is to run or not.
    pub fn get(&self, name: &str) -> Option<&SourceSettings> {
        self.0.get(name)
    }

    /// Adds a source, or puts it in place of that of the same name.
    pub fn add(&mut self, name: &str, source: SourceSettings) {
        self.0.insert(name.to_owned(), source);
    }

    /// Every name and its source.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &SourceSettings)> {
        self.0.iter().map(|(name, source)| (name.as_str(), source))
    }

    /// Whether some source keeps matches only, and so needs the brand files.
    pub fn needs_brands(&self) -> bool {
        self.enabled().any(|(_, source)| source.keep() == Some(KeepRule::Matches))
    }

    /// Names of sources inside the company.
    pub fn internal(&self) -> HashSet<SourceName> {
        let internal = |(name, source): (&str, &SourceSettings)| {
            let inside = source.common()?.internal || source.options()?.internal();
            inside.then(|| SourceName::new(name).ok())?
        };
        self.iter().filter_map(internal).collect()
    }
}
