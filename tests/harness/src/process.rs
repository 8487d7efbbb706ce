//! A child process that dies with the thread that started it, and what it says.

use std::{
    io,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::Context;
use nix::{
    sys::{
        prctl::set_pdeathsig,
        signal::{Signal, kill},
    },
    unistd::Pid,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::watch,
};

/// Lines kept of what a process says.
const LINES: usize = 4000;

/// A command whose process is ended by the kernel when the calling thread ends (prctl(2)), however
/// that happens, and by its handle when that is dropped.
pub fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.kill_on_drop(true).stdin(Stdio::null());
    #[expect(unsafe_code, reason = "only a child itself can ask to be ended with its parent")]
    // SAFETY: between fork and exec only async-signal-safe functions may run; prctl(2) is a bare
    // system call.
    unsafe {
        command.pre_exec(|| set_pdeathsig(Signal::SIGKILL).map_err(io::Error::from));
    }
    command
}

/// A running process and what it says.
pub struct Process {
    child: Child,
    lines: watch::Receiver<Vec<String>>,
}

impl Process {
    /// Starts `command`; what it says on standard output and error is its log.
    pub fn start(mut command: Command) -> anyhow::Result<Self> {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().with_context(|| {
                format!("cannot start {}", command.as_std().get_program().display())
            })?;
        let (told, lines) = watch::channel(Vec::new());
        listen(child.stdout.take().context("standard output was not piped")?, told.clone());
        listen(child.stderr.take().context("standard error was not piped")?, told);
        Ok(Self { child, lines })
    }

    /// The first line of its log that `found` makes something of; an error when it ends before.
    pub async fn says<T>(
        &self,
        what: &str,
        within: Duration,
        found: impl Fn(&str) -> Option<T>,
    ) -> anyhow::Result<T> {
        let mut lines = self.lines.clone();
        let said = tokio::time::timeout(
            within,
            lines.wait_for(|lines| lines.iter().any(|line| found(line).is_some())),
        );
        let (value, end) = match said.await {
            Ok(Ok(lines)) => (lines.iter().find_map(|line| found(line)), String::new()),
            Ok(Err(_)) => (None, "before it ended".to_owned()),
            Err(_) => (None, format!("within {within:?}")),
        };
        value.with_context(|| format!("it did not say {what} {end}:\n{}", self.tail()))
    }

    /// Its log.
    pub fn log(&self) -> Vec<String> {
        self.lines.borrow().clone()
    }

    /// The last lines of its log.
    pub fn tail(&self) -> String {
        let lines = self.lines.borrow();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Sends a signal to this process and to no other: it is not reaped before `ended`.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = self.child.id().context("the process has ended already")?;
        kill(Pid::from_raw(pid.cast_signed()), signal)
            .with_context(|| format!("cannot send {signal} to process {pid}"))
    }

    /// Waits for its end.
    pub async fn ended(&mut self, within: Duration) -> anyhow::Result<ExitStatus> {
        tokio::time::timeout(within, self.child.wait())
            .await
            .with_context(|| format!("it did not end within {within:?}:\n{}", self.tail()))?
            .context("cannot wait for it")
    }
}

fn listen(stream: impl AsyncRead + Unpin + Send + 'static, told: watch::Sender<Vec<String>>) {
    let mut stream = BufReader::new(stream).lines();
    tokio::spawn(async move {
        while let Ok(Some(line)) = stream.next_line().await {
            told.send_modify(|lines| {
                if lines.len() == LINES {
                    lines.drain(..LINES / 2);
                }
                lines.push(line);
            });
        }
    });
}
