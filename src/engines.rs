//! Reaching the engines: configured ones, those of a running `up`, or own ones for the duration.

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use echolot_engines::{
    ClickHouseOptions, EngineError, EngineEvent, EngineHome, EngineOptions, KafkaOptions,
    Supervisor,
};
use serde::{Deserialize, Serialize};

use crate::settings::Settings;

/// How long embedded engines may take to stop. A whole `up` stops within 10 seconds.
const STOP: Duration = Duration::from_secs(7);

/// After this long without a heartbeat the embedded broker gives a dead role's partitions away; it
/// allows less than brokers do by default.
const SESSION: Duration = Duration::from_secs(3);

/// Engines that answer while this lives.
pub(crate) enum Engines {
    /// Someone else's: configured, or of an `up` in another process.
    Running,
    /// Ours: stopped by [`Engines::stop`].
    Own(Box<Supervisor>),
}

/// Where the embedded engines of a running `up` answer; `endpoints.json` in the data folder.
#[derive(Serialize, Deserialize)]
struct Endpoints {
    kafka_brokers: Option<String>,
    clickhouse_url: Option<String>,
    clickhouse_user: Option<String>,
    clickhouse_password: Option<String>,
    /// Who reads and cannot write. Files of earlier versions do not tell.
    #[serde(default)]
    analyst_user: Option<String>,
    #[serde(default)]
    analyst_password: Option<String>,
}

impl Engines {
    /// Makes sure that both engines answer, and writes into `settings` where. Those that are not
    /// configured are taken from a running `up`, or else started.
    pub(crate) async fn reach(
        settings: &mut Settings,
        progress: impl Fn(EngineEvent) + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        if settings.require_engines().is_ok() {
            return Ok(Self::Running);
        }
        match EngineHome::open(&settings.data.dir) {
            Ok(home) => Self::start(settings, home, progress).await,
            Err(EngineError::HomeLocked { .. }) => {
                Endpoints::read(settings)?.apply(settings);
                settings.require_engines()?;
                Ok(Self::Running)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Starts the engines that are not configured, in the data folder.
    pub(crate) async fn start(
        settings: &mut Settings,
        home: EngineHome,
        progress: impl Fn(EngineEvent) + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let options = EngineOptions {
            kafka: settings.kafka.brokers.is_empty().then(KafkaOptions::default),
            clickhouse: settings.clickhouse.url.is_empty().then(ClickHouseOptions::default),
            ..EngineOptions::default()
        };
        let supervisor = Supervisor::start(home, options, progress).await?;
        let found = supervisor.endpoints();
        let login = found.clickhouse.as_ref().map(|clickhouse| &clickhouse.application);
        let endpoints = Endpoints {
            kafka_brokers: found.kafka.as_ref().map(|kafka| kafka.brokers.clone()),
            clickhouse_url: found.clickhouse.as_ref().map(|clickhouse| clickhouse.url.clone()),
            clickhouse_user: login.map(|login| login.user.clone()),
            clickhouse_password: login
                .map(|_| format!("file:{}", supervisor.home().application_password().display())),
            analyst_user: found.clickhouse.as_ref().map(|found| found.analyst.user.clone()),
            analyst_password: login
                .map(|_| format!("file:{}", supervisor.home().analyst_password().display())),
        };
        endpoints.write(settings)?;
        endpoints.apply(settings);
        if found.kafka.is_some() {
            settings.kafka.session_timeout = settings.kafka.session_timeout.min(SESSION);
        }
        Ok(Self::Own(Box::new(supervisor)))
    }

    /// Resolves when an own engine was given up, with the reason; never otherwise.
    pub(crate) async fn failed(&self) -> anyhow::Error {
        match self {
            Self::Running => std::future::pending().await,
            Self::Own(supervisor) => supervisor.failed().await.into(),
        }
    }

    /// Stops own engines cleanly.
    pub(crate) async fn stop(self) {
        if let Self::Own(supervisor) = self {
            supervisor.stop(STOP).await;
        }
    }
}

impl Endpoints {
    fn path(settings: &Settings) -> PathBuf {
        settings.data.dir.join("endpoints.json")
    }

    fn read(settings: &Settings) -> anyhow::Result<Self> {
        let path = Self::path(settings);
        let told = || {
            format!(
                "{} is in use by another process whose engines are not ready yet; try again when \
                 it is",
                settings.data.dir.display()
            )
        };
        let text = std::fs::read(&path).with_context(told)?;
        serde_json::from_slice(&text).with_context(told)
    }

    fn write(&self, settings: &Settings) -> anyhow::Result<()> {
        let path = Self::path(settings);
        std::fs::write(&path, serde_json::to_vec_pretty(self)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Configured engines stay as they are.
    fn apply(self, settings: &mut Settings) {
        if let Some(brokers) = self.kafka_brokers {
            settings.kafka.brokers = brokers;
        }
        if let (Some(url), Some(user)) = (self.clickhouse_url, self.clickhouse_user) {
            settings.clickhouse.url = url;
            settings.clickhouse.user = user;
            let password = self.clickhouse_password.unwrap_or_default();
            settings.clickhouse.password = secrecy::SecretString::from(password).into();
            if let (Some(user), Some(password)) = (self.analyst_user, self.analyst_password) {
                settings.dashboard.user = user;
                settings.dashboard.password = secrecy::SecretString::from(password).into();
            }
        }
    }
}
