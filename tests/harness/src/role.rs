//! One role as a process of its own.

use std::{
    fmt,
    net::SocketAddr,
    process::ExitStatus,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use nix::sys::signal::Signal;
use serde_json::Value;
use tokio::{process::Command, sync::watch};

use crate::{process::Process, wait::eventually};

/// How long a role may take from its process to its telemetry: a debug build on a busy machine.
const START: Duration = Duration::from_mins(1);
/// How long it may take to be ready, a former member's session included.
const READY: Duration = Duration::from_mins(1);
/// How long a killed process may take to be gone.
const GONE: Duration = Duration::from_secs(10);

/// Which role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoleName {
    /// Accepts pushed mentions.
    Ingest,
    /// Scores them.
    Enrich,
    /// Stores them.
    Sink,
    /// Watches the store for incidents.
    Alert,
}

impl RoleName {
    /// The roles that mentions pass, in their order.
    pub const ALL: [Self; 3] = [Self::Ingest, Self::Enrich, Self::Sink];

    /// The subcommand.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Enrich => "enrich",
            Self::Sink => "sink",
            Self::Alert => "alert",
        }
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A role that was started at least once. Dropping it kills it.
pub struct Role {
    name: RoleName,
    command: Box<dyn Fn() -> Command>,
    /// Where mentions are to be pushed; told when an ingest is ready.
    door: watch::Sender<Option<SocketAddr>>,
    process: Process,
    telemetry: SocketAddr,
    http: reqwest::Client,
}

/// How a role ended when it was asked to.
#[derive(Clone, Copy, Debug)]
pub struct Stopped {
    /// Its status.
    pub status: ExitStatus,
    /// From the signal to the end.
    pub took: Duration,
}

impl Role {
    /// Starts it; returns once its telemetry answers.
    pub(crate) async fn start(
        name: RoleName,
        command: impl Fn() -> Command + 'static,
        door: watch::Sender<Option<SocketAddr>>,
    ) -> anyhow::Result<Self> {
        let process = Process::start(command())?;
        let telemetry = telemetry(&process).await.with_context(|| format!("starting {name}"))?;
        let http = reqwest::Client::new();
        Ok(Self { name, command: Box::new(command), door, process, telemetry, http })
    }

    /// Which role.
    pub fn name(&self) -> RoleName {
        self.name
    }

    /// Waits until `/ready` says so; for an ingest, its door is known then.
    pub async fn until_ready(&self) -> anyhow::Result<()> {
        let what = format!("{} is ready", self.name);
        let ready = eventually(&what, READY, || async {
            let (well, text) = self.get("ready").await?;
            if well { Ok(Some(())) } else { bail!("/ready says: {text}") }
        });
        ready.await.with_context(|| self.process.tail())?;
        if self.name == RoleName::Ingest {
            let door = self.process.says("where it listens", START, |line| address(line, "listen"));
            self.door.send_replace(Some(door.await?));
        }
        Ok(())
    }

    /// Waits until `/ready` says no, for a reason with `why` in it.
    pub async fn until_not_ready(&self, why: &str) -> anyhow::Result<()> {
        let what = format!("{} is not ready because of {why:?}", self.name);
        let waiting = eventually(&what, READY, || async {
            let (well, text) = self.get("ready").await?;
            Ok((!well && text.contains(why)).then_some(()))
        });
        waiting.await.with_context(|| self.process.tail())
    }

    /// Waits until it is ready and `/ready` tells something with `note` in it.
    pub async fn until_noted(&self, note: &str) -> anyhow::Result<()> {
        let what = format!("{} is ready and notes {note:?}", self.name);
        let waiting = eventually(&what, READY, || async {
            let (well, text) = self.get("ready").await?;
            Ok((well && text.contains(note)).then_some(()))
        });
        waiting.await.with_context(|| self.process.tail())
    }

    /// What it answers on `/metrics`.
    pub async fn metrics(&self) -> anyhow::Result<String> {
        let (well, text) = self.get("metrics").await?;
        if well { Ok(text) } else { bail!("/metrics says: {text}") }
    }

    /// The value of one series, written as `/metrics` writes it; none where there is no such series.
    pub async fn metric(&self, series: &str) -> anyhow::Result<Option<f64>> {
        let text = self.metrics().await?;
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.map(|value| value.parse().with_context(|| format!("{series} {value}"))).transpose()
    }

    /// Where its telemetry answers.
    pub fn telemetry(&self) -> SocketAddr {
        self.telemetry
    }

    async fn get(&self, page: &str) -> anyhow::Result<(bool, String)> {
        let answer = self.http.get(format!("http://{}/{page}", self.telemetry)).send().await?;
        let well = answer.status().is_success();
        Ok((well, answer.text().await?))
    }

    /// `kill -9`; returns when it is gone.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.process.signal(Signal::SIGKILL)?;
        self.process.ended(GONE).await?;
        Ok(())
    }

    /// Starts it again as it was; returns once its telemetry answers.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.process = Process::start((self.command)())?;
        self.telemetry =
            telemetry(&self.process).await.with_context(|| format!("restarting {}", self.name))?;
        Ok(())
    }

    /// `kill -9`, then starts it again; how long from the kill until it was ready.
    pub async fn crash(&mut self) -> anyhow::Result<Duration> {
        let killed = Instant::now();
        self.kill().await?;
        self.restart().await?;
        self.until_ready().await?;
        Ok(killed.elapsed())
    }

    /// SIGTERM; returns when it ended, at most `within` later.
    pub async fn stop(&mut self, within: Duration) -> anyhow::Result<Stopped> {
        let asked = Instant::now();
        self.process.signal(Signal::SIGTERM)?;
        let status = self.process.ended(within).await.with_context(|| format!("{}", self.name))?;
        Ok(Stopped { status, took: asked.elapsed() })
    }

    /// Waits until it ends by itself.
    pub async fn until_ended(&mut self, within: Duration) -> anyhow::Result<ExitStatus> {
        self.process.ended(within).await
    }

    /// Waits until its log has a line with `text` in it; that line.
    pub async fn until_said(&self, text: &str) -> anyhow::Result<String> {
        let found = |line: &str| line.contains(text).then(|| line.to_owned());
        self.process.says(text, READY, found).await
    }

    /// Its log since its last start.
    pub fn log(&self) -> Vec<String> {
        self.process.log()
    }
}

async fn telemetry(process: &Process) -> anyhow::Result<SocketAddr> {
    process.says("where its telemetry is", START, |line| address(line, "telemetry")).await
}

/// The address in a field of a line of its JSON log.
fn address(line: &str, field: &str) -> Option<SocketAddr> {
    serde_json::from_str::<Value>(line).ok()?.get(field)?.as_str()?.parse().ok()
}
