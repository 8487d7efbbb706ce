//! A pipeline of its own on engines that others may use as well.

use std::{
    collections::HashSet,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use echolot_schemas::{MentionId, SourceName};
use secrecy::ExposeSecret;
use serde::Deserialize;
use tokio::{process::Command, sync::watch};

use crate::{
    engines::Endpoints,
    known::Known,
    load::Load,
    log::Log,
    posts, process,
    push::{self, Push},
    role::{Role, RoleName},
    store::StoreClient,
    wait::eventually,
};

/// Partitions of every pipeline: enough for two of a role.
pub const PARTITIONS: i32 = 2;
/// How long a tool may run.
const TOOL: Duration = Duration::from_mins(3);

/// What all pipelines of a test binary share.
#[derive(Clone, Debug)]
pub struct Site {
    /// The binary under test.
    pub echolot: PathBuf,
    /// Where each pipeline gets a folder.
    pub folder: PathBuf,
    /// The engines.
    pub endpoints: Endpoints,
}

/// Topics, groups, databases, files and mentions of one scenario.
pub struct Pipeline {
    site: Site,
    database: String,
    folder: PathBuf,
    options: Vec<String>,
    config: Option<PathBuf>,
    door: watch::Sender<Option<SocketAddr>>,
    /// What was sent and acknowledged.
    pub known: Known,
    /// The store, asked directly.
    pub store: StoreClient,
    /// The log, written and read directly.
    pub log: Log,
    retried: Mutex<HashSet<i64>>,
}

/// The three roles of a pipeline.
pub struct Roles {
    /// Accepts.
    pub ingest: Role,
    /// Scores.
    pub enrich: Role,
    /// Stores.
    pub sink: Role,
}

impl Roles {
    /// One of them; there is no watcher among them.
    pub fn get(&mut self, name: RoleName) -> anyhow::Result<&mut Role> {
        match name {
            RoleName::Ingest => Ok(&mut self.ingest),
            RoleName::Enrich => Ok(&mut self.enrich),
            RoleName::Sink => Ok(&mut self.sink),
            RoleName::Alert => bail!("the roles of a pipeline are started without a watcher"),
        }
    }
}

/// How a tool ended.
#[derive(Clone, Debug)]
pub struct Told {
    /// Exit status; none when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Told {
    /// Its output, where it ended well.
    pub fn well(self) -> anyhow::Result<String> {
        ensure!(
            self.code == Some(0),
            "it ended with {:?}:\n{}{}",
            self.code,
            self.stdout,
            self.stderr
        );
        Ok(self.stdout)
    }
}

/// A line of `echolot dead-letters list --json`.
#[derive(Clone, Debug, Deserialize)]
pub struct Letter {
    /// Its number.
    pub number: i64,
    /// Which stage refused it.
    pub stage: String,
    /// The class of the reason.
    pub reason: String,
    /// The reason.
    pub detail: String,
    /// Where it stood.
    pub origin: Option<String>,
}

impl Pipeline {
    /// A pipeline called `name` (a-z, 0-9, _), with an empty folder and no roles yet.
    pub fn new(site: &Site, name: &str) -> anyhow::Result<Self> {
        Self::of(site, name, &format!("{name}."), &format!("echolot_{name}"), PARTITIONS)
    }

    /// The pipeline with these names, whoever runs its roles: for asking and for the law.
    pub fn of(
        site: &Site,
        name: &str,
        prefix: &str,
        database: &str,
        partitions: i32,
    ) -> anyhow::Result<Self> {
        let folder = site.folder.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).context("emptying the pipeline's folder")?;
        }
        fs::create_dir_all(&folder).context("creating the pipeline's folder")?;
        fs::write(folder.join("brands.toml"), posts::BRANDS)?;
        let log = Log::connect(&site.endpoints.brokers, prefix, partitions)?;
        let pipeline = Self {
            database: database.to_owned(),
            options: Vec::new(),
            config: None,
            door: watch::Sender::new(None),
            known: Known::default(),
            store: StoreClient::new(&site.endpoints),
            log,
            retried: Mutex::default(),
            site: site.clone(),
            folder: folder.clone(),
        };
        let brands = folder.join("brands.toml");
        Ok(pipeline
            .set(format!("kafka.prefix={prefix}"))
            .set(format!("kafka.partitions={partitions}"))
            .set(format!("enrich.brands={}", brands.display())))
    }

    /// Sets an option for every role and tool.
    #[must_use]
    pub fn set(mut self, option: impl Into<String>) -> Self {
        self.options.push(option.into());
        self
    }

    /// Gives every role and tool a configuration file with this text.
    pub fn configured(mut self, text: &str) -> anyhow::Result<Self> {
        let path = self.folder.join("echolot.toml");
        fs::write(&path, text).with_context(|| path.display().to_string())?;
        self.config = Some(path);
        Ok(self)
    }

    /// Sets an option for whatever starts from now on.
    pub fn change(&mut self, option: impl Into<String>) {
        self.options.push(option.into());
    }

    /// Its folder, for files of the scenario.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The published database.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The database of the promoted generation.
    pub async fn generation(&self) -> anyhow::Result<String> {
        let database = self.database();
        let promoted =
            format!("SELECT generation FROM {database}.generations FINAL WHERE state = 'promoted'");
        Ok(format!("{database}_g{}", self.store.number(&promoted).await?))
    }

    /// Starts all three roles; returns when they are ready.
    pub async fn start(&self) -> anyhow::Result<Roles> {
        let (ingest, enrich, sink) = tokio::try_join!(
            self.role(RoleName::Ingest, &[]),
            self.role(RoleName::Enrich, &[]),
            self.role(RoleName::Sink, &[]),
        )?;
        Ok(Roles { ingest, enrich, sink })
    }

    /// Starts a role with options of its own; returns when it is ready.
    pub async fn role(&self, name: RoleName, options: &[String]) -> anyhow::Result<Role> {
        let role = self.role_unready(name, options).await?;
        role.until_ready().await?;
        Ok(role)
    }

    /// Starts a role that may not become ready; returns when its telemetry answers.
    pub async fn role_unready(&self, name: RoleName, options: &[String]) -> anyhow::Result<Role> {
        let template = self.arguments(&[name.as_str()], options);
        let site = self.site.clone();
        let (database, folder) = (self.database.clone(), self.folder.clone());
        let command = move || {
            let mut command = command(&site, &database, &folder);
            command.args(&template);
            command
        };
        Role::start(name, command, self.door.clone()).await
    }

    /// Runs a tool to its end.
    pub async fn tool(&self, arguments: &[&str]) -> anyhow::Result<Told> {
        let mut command = command(&self.site, &self.database, &self.folder);
        command.args(self.arguments(arguments, &[]));
        run(command).await.with_context(|| format!("echolot {}", arguments.join(" ")))
    }

    fn arguments(&self, arguments: &[&str], options: &[String]) -> Vec<String> {
        let options = self.options.iter().chain(options);
        let set = options.flat_map(|option| ["--set".to_owned(), option.clone()]);
        let config = self.config.iter();
        let config = config.flat_map(|path| ["--config".to_owned(), path.display().to_string()]);
        arguments.iter().map(ToString::to_string).chain(config).chain(set).collect()
    }

    /// A sender of mentions.
    pub fn push(&self) -> anyhow::Result<Push> {
        Push::new(self.door.subscribe(), self.known.clone())
    }

    /// Mentions that keep coming, about so many new ones a second.
    pub fn load(&self, prefix: &str, per_second: u32) -> anyhow::Result<Load> {
        Ok(Load::start(self.push()?, prefix, per_second))
    }

    /// How many mentions the published view shows.
    pub async fn shown(&self) -> anyhow::Result<u64> {
        self.store.number(&format!("SELECT count() FROM {}.mentions", self.database())).await
    }

    /// Waits until the published view shows so many.
    pub async fn until_shown(&self, mentions: u64) -> anyhow::Result<()> {
        let what = format!("{mentions} mentions are shown");
        eventually(&what, Duration::from_secs(90), || async {
            Ok((self.shown().await? >= mentions).then_some(()))
        })
        .await
    }

    /// Runs `echolot backfill`; notes that these ids are acknowledged when it says so.
    pub async fn backfill(&self, arguments: &[&str]) -> anyhow::Result<Told> {
        self.tool(&[&["backfill"], arguments].concat()).await
    }

    /// Where ingest listens, once it was ready.
    pub fn door(&self) -> anyhow::Result<SocketAddr> {
        (*self.door.borrow()).context("no ingest was ready yet")
    }

    /// Notes native ids of a source as acknowledged.
    pub fn acknowledged(
        &self,
        source: &str,
        native_ids: impl IntoIterator<Item = String>,
    ) -> anyhow::Result<()> {
        let source = SourceName::new(source)?;
        for native_id in native_ids {
            self.known.acknowledged_id(MentionId::derive(&source, &native_id));
        }
        Ok(())
    }

    /// Every dead letter, as the tool lists them.
    pub async fn dead_letters(&self) -> anyhow::Result<Vec<Letter>> {
        let listed = self.tool(&["dead-letters", "list", "--json"]).await?.well()?;
        listed.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    /// Waits until there are so many dead letters.
    pub async fn until_dead(&self, letters: usize) -> anyhow::Result<Vec<Letter>> {
        let what = format!("{letters} dead letters");
        eventually(&what, Duration::from_mins(1), || async {
            let dead = self.dead_letters().await?;
            Ok((dead.len() >= letters).then_some(dead))
        })
        .await
    }

    /// Puts dead letters back with the tool; from now on they count as events again.
    pub async fn retry(&self, numbers: &[i64]) -> anyhow::Result<()> {
        let texts: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        let mut arguments = vec!["dead-letters", "retry"];
        arguments.extend(texts.iter().map(String::as_str));
        let told = self.tool(&arguments).await?.well()?;
        let expected = format!("{} put back", numbers.len());
        ensure!(told.contains(&expected), "{told}");
        self.retried.lock().unwrap_or_else(PoisonError::into_inner).extend(numbers);
        Ok(())
    }

    /// True for a dead letter that was put back.
    pub(crate) fn was_retried(&self, number: i64) -> bool {
        self.retried.lock().unwrap_or_else(PoisonError::into_inner).contains(&number)
    }
}

/// The binary with everything that is the same for each of its subcommands; nothing of the
/// surrounding environment reaches its configuration.
fn command(site: &Site, database: &str, folder: &Path) -> Command {
    let mut command = bare(&site.echolot);
    let Endpoints { brokers, url, user, password } = &site.endpoints;
    for (key, value) in [
        ("DATA__DIR", folder.join("data").display().to_string().as_str()),
        ("TELEMETRY__LISTEN", "127.0.0.1:0"),
        ("TELEMETRY__FORMAT", "json"),
        ("KAFKA__BROKERS", brokers),
        ("CLICKHOUSE__URL", url),
        ("CLICKHOUSE__USER", user),
        ("CLICKHOUSE__PASSWORD", password.expose_secret()),
        ("CLICKHOUSE__DATABASE", database),
        ("INGEST__PUSH__LISTEN", "127.0.0.1:0"),
        (&format!("INGEST__PUSH__SENDERS__{}__SECRET", push::SOURCE.to_uppercase()), push::SECRET),
    ] {
        command.env(format!("ECHOLOT__{key}"), value);
    }
    command
}

/// The binary, with defaults alone.
pub fn bare(echolot: &Path) -> Command {
    let mut command = process::command(echolot);
    for (key, _) in std::env::vars_os() {
        if key.to_string_lossy().starts_with("ECHOLOT__") {
            command.env_remove(key);
        }
    }
    command
}

/// Runs a command to its end.
pub async fn run(mut command: Command) -> anyhow::Result<Told> {
    let output = tokio::time::timeout(TOOL, command.output())
        .await
        .with_context(|| format!("it did not end within {TOOL:?}"))??;
    Ok(Told {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
