//! A temporary home with running engines, and the configuration of every process in it.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, anyhow};
use echolot_engines::{
    ClickHouseEndpoint, EngineHome, EngineKind, EngineOptions, Launcher, Supervisor,
};
use rand::Rng as _;
use secrecy::SecretString;
use serde_json::json;
use tempfile::TempDir;

use crate::{
    counts::Store,
    load::Feed,
    posts::Posts,
    roles::{Launch, Program, run},
    sender::Sender,
    usage::Watched,
};

/// Brands that both pipelines look for.
const BRANDS: &str = include_str!("../brands.toml");
/// Their file in the run's folder.
pub(crate) const BRANDS_FILE: &str = "brands.toml";
/// How long the engines may take to stop.
const STOP: Duration = Duration::from_secs(20);

/// Partitions of the topics, for both pipelines.
pub(crate) const PARTITIONS: u32 = 4;

/// One source for each part of the run, so that each has counts of its own.
pub(crate) const SOURCES: [&str; 5] = ["throughput", "freshness", "recovery", "drain", "up"];

/// Everything that runs around what is measured.
pub(crate) struct Setup {
    pub(crate) store: Store,
    pub(crate) clickhouse: ClickHouseEndpoint,
    pub(crate) brokers: String,
    pub(crate) launch: Launch,
    pub(crate) feed: Feed,
    pub(crate) watched: Watched,
    /// The roles' telemetry addresses.
    pub(crate) ingest: String,
    pub(crate) enrich: String,
    pub(crate) sink: String,
    /// That of `up`.
    pub(crate) up: String,
    supervisor: Supervisor,
    folder: TempDir,
}

impl Setup {
    /// Starts the engines in a new folder in `place`, and writes the configuration.
    pub(crate) async fn start(
        echolot: &Path,
        place: &Path,
        posts: Posts,
        connections: usize,
        watched: Watched,
    ) -> anyhow::Result<Self> {
        let echolot = echolot.canonicalize().with_context(|| {
            format!("there is no echolot binary at {}; build it with --release", echolot.display())
        })?;
        let folder = tempfile::Builder::new()
            .prefix("echolot-bench-")
            .tempdir_in(place)
            .with_context(|| format!("cannot make a folder in {}", place.display()))?;
        let home = EngineHome::open(folder.path().join("engines"))?;
        let options =
            EngineOptions { launcher: Launcher::at(&echolot), ..EngineOptions::default() };
        let supervisor = Supervisor::start(home, options, |_| {}).await?;
        let endpoints = supervisor.endpoints();
        let brokers = endpoints.kafka.as_ref().context("Kafka was not started")?.brokers.clone();
        let clickhouse = endpoints.clickhouse.clone().context("ClickHouse was not started")?;

        for (name, kind) in [("kafka", EngineKind::Kafka), ("clickhouse", EngineKind::ClickHouse)] {
            watched.is_now(name, supervisor.pid(kind).ok_or_else(|| anyhow!("{name} is gone"))?);
        }
        watched.is_now("driver", std::process::id());

        let [push, ingest, enrich, sink, up] = free_addresses()?;
        let secret = hex::encode(rand::rng().random::<[u8; 32]>());
        let configuration = Configuration {
            folder: folder.path(),
            brokers: &brokers,
            clickhouse: &clickhouse,
            password: supervisor.home().application_password(),
            push: &push,
            secret: &secret,
        };
        std::fs::write(folder.path().join(BRANDS_FILE), BRANDS)?;
        for (name, telemetry) in
            [("ingest", &ingest), ("enrich", &enrich), ("sink", &sink), ("up", &up)]
        {
            configuration.write(name, telemetry)?;
        }
        let sender = Sender::new(&push, &SecretString::from(secret))?;
        Ok(Self {
            store: Store::new(clickhouse.clone())?,
            clickhouse,
            brokers,
            launch: Launch::new(echolot, folder.path().to_owned())?,
            feed: Feed { sender, posts: Arc::new(posts), connections },
            watched,
            ingest,
            enrich,
            sink,
            up,
            supervisor,
            folder,
        })
    }

    /// Creates tables, views and topics before the first role starts, as a deployment would.
    pub(crate) async fn migrate(&self) -> anyhow::Result<()> {
        run(&mut self.launch.command("sink", &["migrate"])).await
    }

    /// Starts a role and waits until it is ready.
    pub(crate) async fn role(&self, name: &'static str) -> anyhow::Result<Program> {
        let mut program = self.launch.spawn(name, &[name])?;
        self.watched.is_now(name, program.pid());
        self.launch.ready(&mut program, self.telemetry(name)).await?;
        Ok(program)
    }

    fn telemetry(&self, role: &str) -> &str {
        match role {
            "ingest" => &self.ingest,
            "enrich" => &self.enrich,
            _ => &self.sink,
        }
    }

    /// Where the password of the store's application user is.
    pub(crate) fn password_file(&self) -> PathBuf {
        self.supervisor.home().application_password()
    }

    /// The folder of this run.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Stops the engines. The folder goes with `self`, unless `keep` says to leave it for a look.
    pub(crate) async fn stop(mut self, keep: bool) -> Option<PathBuf> {
        self.supervisor.stop(STOP).await;
        self.folder.disable_cleanup(keep);
        keep.then(|| self.folder.path().to_owned())
    }
}

/// Addresses that were free a moment ago. All listeners are open at once, so no two are the same.
fn free_addresses<const N: usize>() -> anyhow::Result<[String; N]> {
    let listeners: Vec<TcpListener> =
        (0..N).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    let addresses: Vec<String> = listeners
        .iter()
        .map(|listener| listener.local_addr().map(|address| address.to_string()))
        .collect::<Result<_, _>>()?;
    addresses.try_into().map_err(|_| anyhow!("not as many addresses as listeners"))
}

struct Configuration<'a> {
    folder: &'a Path,
    brokers: &'a str,
    clickhouse: &'a ClickHouseEndpoint,
    password: PathBuf,
    push: &'a str,
    secret: &'a str,
}

impl Configuration<'_> {
    /// Writes `NAME.toml`. All that is not set here stays at its default, as a user would run it.
    fn write(&self, name: &str, telemetry: &str) -> anyhow::Result<()> {
        let senders: serde_json::Map<_, _> = SOURCES
            .iter()
            .map(|source| ((*source).to_owned(), json!({ "secret": self.secret })))
            .collect();
        let settings = json!({
            "data": { "dir": self.folder.join(name) },
            "telemetry": { "listen": telemetry },
            "kafka": { "brokers": self.brokers, "partitions": PARTITIONS, "session_timeout": "3s" },
            "clickhouse": {
                "url": self.clickhouse.url,
                "user": self.clickhouse.application.user,
                "password": format!("file:{}", self.password.display()),
            },
            "ingest": { "push": { "listen": self.push, "senders": senders } },
            "privacy": { "author_key": self.secret },
            "enrich": { "brands": [self.folder.join(BRANDS_FILE)] },
        });
        let path = self.folder.join(format!("{name}.toml"));
        std::fs::write(&path, toml::to_string(&settings)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }
}
