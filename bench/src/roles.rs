//! Echolot's roles as processes of their own.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::process::{Child, Command};

/// How long a role may take until it is ready.
const READY_WITHIN: Duration = Duration::from_mins(1);
/// How long a process may take to stop when told.
const STOP_WITHIN: Duration = Duration::from_secs(20);
/// Pause between two questions whether a role is ready.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// A process that is killed when this is dropped.
pub(crate) struct Program {
    name: &'static str,
    child: Child,
    pid: u32,
}

impl Program {
    /// Starts a command whose output goes into `log`.
    pub(crate) fn start(
        name: &'static str,
        mut command: Command,
        log: &Path,
    ) -> anyhow::Result<Self> {
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| {
                format!("cannot start {name}: {}", command.as_std().get_program().display())
            })?;
        let pid = child.id().with_context(|| format!("{name} ended at once"))?;
        Ok(Self { name, child, pid })
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// An error once the process has ended by itself.
    pub(crate) fn require_running(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("{} ended with {status}; see its log", self.name),
        }
    }

    /// Kills it as the kernel would when memory runs out, and reaps it.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.with_context(|| format!("cannot kill {}", self.name))
    }

    /// Tells it to stop and waits until it has.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.require_running()?;
        kill(Pid::from_raw(i32::try_from(self.pid)?), Signal::SIGTERM)?;
        match tokio::time::timeout(STOP_WITHIN, self.child.wait()).await {
            Ok(status) => {
                let status = status?;
                if !status.success() {
                    bail!("{} ended with {status} when told to stop; see its log", self.name);
                }
                Ok(())
            }
            Err(_) => bail!("{} did not stop within {STOP_WITHIN:?}", self.name),
        }
    }
}

/// How to start roles.
#[derive(Clone)]
pub(crate) struct Launch {
    /// The binary.
    pub(crate) echolot: PathBuf,
    /// Folder with `<name>.toml` for each kind of process; logs go there, too.
    pub(crate) folder: PathBuf,
    client: reqwest::Client,
}

impl Launch {
    pub(crate) fn new(echolot: PathBuf, folder: PathBuf) -> anyhow::Result<Self> {
        let client =
            reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy().build()?;
        Ok(Self { echolot, folder, client })
    }

    /// Starts `echolot ARGS…` with the configuration of that name, and returns at once.
    pub(crate) fn spawn(&self, name: &'static str, args: &[&str]) -> anyhow::Result<Program> {
        Program::start(name, self.command(name, args), &self.folder.join(format!("{name}.log")))
    }

    /// The command line of a tool or role.
    pub(crate) fn command(&self, name: &str, args: &[&str]) -> Command {
        let mut command = Command::new(&self.echolot);
        command.arg("--config").arg(self.folder.join(format!("{name}.toml"))).args(args);
        command
    }

    /// Waits until the process answers `/ready` on its telemetry address.
    pub(crate) async fn ready(&self, program: &mut Program, telemetry: &str) -> anyhow::Result<()> {
        let give_up = Instant::now() + READY_WITHIN;
        loop {
            program.require_running()?;
            let told = match self.client.get(format!("http://{telemetry}/ready")).send().await {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) => answer.text().await.unwrap_or_default(),
                Err(error) => error.to_string(),
            };
            if Instant::now() > give_up {
                bail!("{} is not ready after {READY_WITHIN:?}: {told}", program.name);
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    /// The metrics of a process.
    pub(crate) async fn metrics(&self, telemetry: &str) -> anyhow::Result<String> {
        let answer = self.client.get(format!("http://{telemetry}/metrics")).send().await?;
        Ok(answer.error_for_status()?.text().await?)
    }
}

/// Runs a command to its end; an error tells the end of what it complained of.
pub(crate) async fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = command.as_std().get_program().to_owned();
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("cannot start {}", program.display()))?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        let end: Vec<&str> = told.lines().rev().take(8).collect();
        let end: Vec<&str> = end.into_iter().rev().collect();
        bail!("{} ended with {}:\n{}", program.display(), output.status, end.join("\n"));
    }
    Ok(())
}
