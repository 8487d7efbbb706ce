//! Where `fetch/engines.sh` put the engines.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{EngineError, EngineKind, home::require_usable};

/// The pinned versions, one file for this crate and the fetch script.
const VERSIONS: &str = include_str!("../fetch/versions.env");

/// The version of the embedded Kafka, as Maven names it.
pub fn kafka_version() -> &'static str {
    pinned("KAFKA_VERSION")
}

/// The version of the embedded ClickHouse, as npm names its package.
pub fn clickhouse_version() -> &'static str {
    pinned("CLICKHOUSE_VERSION")
}

fn pinned(key: &str) -> &'static str {
    VERSIONS
        .lines()
        .filter_map(|line| line.split_once('='))
        .find_map(|(name, value)| (name == key).then_some(value))
        .unwrap_or_default()
}

/// The folder the engines are installed in.
#[derive(Debug, Clone)]
pub struct Installation {
    root: PathBuf,
}

impl Installation {
    /// A folder laid out by `fetch/engines.sh`.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder the script uses: `ECHOLOT_ENGINES`, else `echolot/engines` in
    /// the user's cache.
    pub fn from_environment() -> Self {
        let set =
            |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self::at(set("ECHOLOT_ENGINES").unwrap_or_else(|| {
            set("XDG_CACHE_HOME")
                .or_else(|| set("HOME").map(|home| home.join(".cache")))
                .unwrap_or_else(|| PathBuf::from(".cache"))
                .join("echolot/engines")
        }))
    }

    /// The folder with Kafka's jars, usable in a class path.
    pub(crate) fn kafka_jars(&self) -> Result<PathBuf, EngineError> {
        let jars = self.root.join("kafka").join(kafka_version());
        require(EngineKind::Kafka, &jars)?;
        require_usable(&jars)?;
        Ok(jars)
    }

    /// The archive of the classes a broker loads, if the fetch could make one.
    pub(crate) fn kafka_class_archive(&self) -> Option<PathBuf> {
        let archive = self.root.join("kafka").join(format!("{}.jsa", kafka_version()));
        archive.exists().then_some(archive)
    }

    /// The path of `libchdb.so`.
    pub(crate) fn clickhouse_library(&self) -> Result<PathBuf, EngineError> {
        let library = self.root.join("clickhouse").join(clickhouse_version()).join("libchdb.so");
        require(EngineKind::ClickHouse, &library)?;
        Ok(library)
    }
}

fn require(engine: EngineKind, path: &Path) -> Result<(), EngineError> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err(EngineError::UnsupportedPlatform { engine });
    }
    if !path.exists() {
        return Err(EngineError::NotInstalled { engine, path: path.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_are_pinned() {
        assert!(kafka_version().starts_with("4."), "{}", kafka_version());
        assert!(clickhouse_version().starts_with("26."));
    }

    #[test]
    fn a_missing_engine_names_the_file_and_both_ways_out() {
        let nothing = Installation::at("/nowhere");
        let kafka = nothing.kafka_jars().unwrap_err().to_string();
        assert!(
            kafka.contains("make engines") && kafka.contains("ECHOLOT__KAFKA__BROKERS"),
            "{kafka}"
        );
        let clickhouse = nothing.clickhouse_library().unwrap_err().to_string();
        assert!(clickhouse.contains("libchdb.so"), "{clickhouse}");
        assert!(clickhouse.contains("clickhouse.url"), "{clickhouse}");
    }
}
