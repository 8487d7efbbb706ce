//! Engines of a supervisor that was killed.
//!
//! They end by themselves (see [`crate::keeper`]), but not in the same instant: a
//! supervisor started right afterwards would find their ports and their data
//! folders still in use.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::time::sleep;

use crate::{EngineError, home::write_atomically};

const ENDS_BY_ITSELF_WITHIN: Duration = Duration::from_secs(12);
const ENDS_KILLED_WITHIN: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(20);

/// The file that names an engine's process.
#[derive(Debug, Clone)]
pub(crate) struct PidFile {
    path: PathBuf,
}

/// A process, told apart from a later one with the same number by its start time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Process {
    pid: i32,
    /// Clock ticks after boot: field 22 of `/proc/PID/stat`, proc(5).
    started: u64,
}

impl PidFile {
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join("pid.json") }
    }

    /// Notes a process that was just started.
    pub(crate) fn record(&self, pid: u32) -> Result<(), EngineError> {
        let Some(process) = i32::try_from(pid).ok().and_then(Process::running) else {
            return Ok(()); // it ended already, nothing can be left over
        };
        let text = serde_json::to_string(&process)
            .map_err(|error| EngineError::home("write", &self.path)(error.into()))?;
        write_atomically(&self.path, &text)
    }

    /// Waits until the noted process has ended; kills it when it does not.
    pub(crate) async fn clear(&self) {
        let noted = fs::read(&self.path)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Process>(&bytes).ok());
        let Some(process) = noted else { return };
        if process.ends_within(ENDS_BY_ITSELF_WITHIN).await {
            return;
        }
        tracing::warn!(
            pid = process.pid,
            "an engine of an earlier start is still running, killing it"
        );
        // A failure means that it ended in this moment.
        let _ = kill(Pid::from_raw(process.pid), Signal::SIGKILL);
        process.ends_within(ENDS_KILLED_WITHIN).await;
    }
}

impl Process {
    fn running(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is the program's name in brackets and may hold anything.
        let (_, fields) = stat.rsplit_once(") ")?;
        let mut fields = fields.split(' ');
        if fields.next()? == "Z" {
            return None; // ended, and only not yet reaped
        }
        let started = fields.nth(18)?.parse().ok()?;
        Some(Self { pid, started })
    }

    async fn ends_within(self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while Self::running(self.pid) == Some(self) {
            if Instant::now() >= deadline {
                return false;
            }
            sleep(POLL).await;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[tokio::test]
    async fn a_process_that_ends_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new("sleep").arg("0.3").spawn().unwrap();
        let file = PidFile::in_folder(folder.path());
        file.record(child.id()).unwrap();
        let pid = child.id().try_into().unwrap();
        assert!(Process::running(pid).is_some());

        file.clear().await;

        assert_eq!(Process::running(pid), None);
        child.wait().unwrap();
    }

    #[tokio::test]
    async fn a_recycled_pid_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = PidFile::in_folder(folder.path());
        let me = Process::running(std::process::id().try_into().unwrap()).unwrap();
        let earlier = Process { started: me.started - 1, ..me };
        fs::write(&file.path, serde_json::to_string(&earlier).unwrap()).unwrap();
        let before = Instant::now();
        file.clear().await;
        assert!(before.elapsed() < Duration::from_secs(1));
    }
}
