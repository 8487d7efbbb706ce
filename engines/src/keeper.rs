//! One thread per engine that starts its process, waits for it and reaps it.
//!
//! The thread has a reason besides waiting. Kafka asks the kernel to be told when
//! its parent dies (`PR_SET_PDEATHSIG`, prctl(2)), and "parent" means the *thread*
//! that created it. This one lives until its child has ended; a thread of an async
//! runtime may end at any time and would take the broker with it.

use std::{
    io,
    os::unix::process::ExitStatusExt,
    process::{Child, ChildStdin, Command, ExitStatus},
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
};

use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, kill},
        wait::{Id, WaitPidFlag, waitid},
    },
    unistd::Pid,
};
use tokio::sync::oneshot;

use crate::EngineKind;

/// Starts and ends the processes of one engine.
#[derive(Debug)]
pub(crate) struct Keeper {
    requests: mpsc::Sender<Request>,
    alive: Arc<Mutex<Option<Alive>>>,
    engine: EngineKind,
}

/// A process that was started; its end arrives here.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) pid: u32,
    exit: oneshot::Receiver<ExitStatus>,
}

#[derive(Debug)]
struct Request {
    command: Command,
    reply: oneshot::Sender<io::Result<Running>>,
}

/// The process between its start and its reaping: only then is its pid its own.
#[derive(Debug)]
struct Alive {
    pid: Pid,
    stdin: Option<ChildStdin>,
}

impl Keeper {
    pub(crate) fn new(engine: EngineKind) -> io::Result<Self> {
        let (requests, inbox) = mpsc::channel();
        let alive = Arc::new(Mutex::new(None));
        let shared = Arc::clone(&alive);
        thread::Builder::new()
            .name(format!("keep-{}", engine.slug()))
            .spawn(move || keep(&inbox, &shared))?;
        Ok(Self { requests, alive, engine })
    }

    /// Starts a process; the one before it must have ended.
    pub(crate) async fn spawn(&self, command: Command) -> io::Result<Running> {
        let (reply, answer) = oneshot::channel();
        let gone = || io::Error::other("the thread that starts the engine has ended");
        self.requests.send(Request { command, reply }).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Asks the process to end, in the way its engine takes for a clean stop:
    /// ClickHouse serves until its standard input closes, Kafka until SIGTERM.
    pub(crate) fn stop(&self) {
        self.end(match self.engine {
            EngineKind::Kafka => Some(Signal::SIGTERM),
            EngineKind::ClickHouse => None,
        });
    }

    /// Ends the process at once.
    pub(crate) fn kill(&self) {
        self.end(Some(Signal::SIGKILL));
    }

    fn end(&self, signal: Option<Signal>) {
        if let Some(alive) = locked(&self.alive).as_mut() {
            alive.stdin = None;
            if let Some(signal) = signal {
                // The only failure is that it has ended already.
                let _ = kill(alive.pid, signal);
            }
        }
    }
}

/// A supervisor that is dropped without being stopped ends its engines gently.
impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Running {
    /// Resolves when the process has ended and was reaped.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        // The sender is dropped without a word only if waiting itself failed.
        (&mut self.exit).await.unwrap_or_else(|_| ExitStatus::from_raw(0xff00))
    }
}

fn keep(inbox: &mpsc::Receiver<Request>, alive: &Mutex<Option<Alive>>) {
    while let Ok(Request { mut command, reply }) = inbox.recv() {
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                // Nobody listening means nobody wants the engine any more.
                let _ = reply.send(Err(error));
                continue;
            }
        };
        let pid = child.id();
        *locked(alive) =
            Some(Alive { pid: Pid::from_raw(pid.cast_signed()), stdin: child.stdin.take() });
        let (exit, receiver) = oneshot::channel();
        let running = Running { pid, exit: receiver };
        if reply.send(Ok(running)).is_err() {
            end_unwanted(alive);
        }
        if let Ok(status) = reap(&mut child, alive) {
            let _ = exit.send(status);
        }
    }
}

/// The supervisor went away while the process was being started.
fn end_unwanted(alive: &Mutex<Option<Alive>>) {
    if let Some(alive) = locked(alive).as_ref() {
        let _ = kill(alive.pid, Signal::SIGKILL);
    }
}

/// Waits first and reaps afterwards, so that no signal ever goes to a pid which
/// the kernel has given to another process meanwhile.
fn reap(child: &mut Child, alive: &Mutex<Option<Alive>>) -> io::Result<ExitStatus> {
    let pid = Pid::from_raw(child.id().cast_signed());
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
    while waitid(Id::Pid(pid), flags) == Err(Errno::EINTR) {}
    *locked(alive) = None;
    child.wait()
}

/// Nothing panics while holding the lock; if something did, the value is whole.
fn locked(alive: &Mutex<Option<Alive>>) -> MutexGuard<'_, Option<Alive>> {
    alive.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    #[tokio::test]
    async fn closing_the_input_ends_a_process_that_reads_it() {
        let keeper = Keeper::new(EngineKind::ClickHouse).unwrap();
        let mut command = Command::new("cat");
        command.stdin(Stdio::piped());
        let mut running = keeper.spawn(command).await.unwrap();
        keeper.stop();
        assert!(running.ended().await.success());
    }

    #[tokio::test]
    async fn a_signal_after_the_end_goes_nowhere() {
        let keeper = Keeper::new(EngineKind::Kafka).unwrap();
        let mut running = keeper.spawn(Command::new("true")).await.unwrap();
        running.ended().await;
        assert!(locked(&keeper.alive).is_none());
        keeper.kill();
    }

    #[tokio::test]
    async fn dropping_the_keeper_ends_its_process() {
        let keeper = Keeper::new(EngineKind::Kafka).unwrap();
        let mut command = Command::new("sleep");
        command.arg("60");
        let mut running = keeper.spawn(command).await.unwrap();
        drop(keeper);
        assert_eq!(running.ended().await.signal(), Some(15));
    }

    #[tokio::test]
    async fn a_missing_program_is_an_error() {
        let keeper = Keeper::new(EngineKind::Kafka).unwrap();
        let error = keeper.spawn(Command::new("/nowhere/java")).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
