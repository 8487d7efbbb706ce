//! Memory and CPU time of processes, from `/proc`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use procfs::process::Process;
use tokio::task::JoinHandle;

/// How often memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

const MIB: f64 = 1024.0 * 1024.0;

/// Processes by name, and the most memory they had.
///
/// Processes come and go under their name: a role that was killed and started again is one.
#[derive(Clone, Default)]
pub(crate) struct Watched(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    pids: BTreeMap<&'static str, u32>,
    peaks: BTreeMap<&'static str, u64>,
    /// Names whose memory is added up.
    together: &'static [&'static str],
    peak_together: u64,
}

impl Watched {
    /// Looks at processes until the task is aborted; the memory of those named `together` is
    /// added up at each look.
    pub(crate) fn start(together: &'static [&'static str]) -> (Self, JoinHandle<()>) {
        let watched = Self(Arc::new(Mutex::new(State { together, ..State::default() })));
        let state = watched.clone();
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(LOOK_EVERY);
            loop {
                ticks.tick().await;
                state.lock().look();
            }
        });
        (watched, task)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on `name` is this process.
    pub(crate) fn is_now(&self, name: &'static str, pid: u32) {
        self.lock().pids.insert(name, pid);
    }

    /// Nothing runs under this name any more.
    pub(crate) fn is_gone(&self, name: &'static str) {
        self.lock().pids.remove(name);
    }

    /// The most memory in MiB that each process had at a look.
    pub(crate) fn peaks(&self) -> BTreeMap<&'static str, f64> {
        self.lock().peaks.iter().map(|(name, bytes)| (*name, *bytes as f64 / MIB)).collect()
    }

    /// The most memory in MiB that the ones that are added up had together at a look.
    pub(crate) fn peak_together(&self) -> f64 {
        self.lock().peak_together as f64 / MIB
    }

    /// CPU seconds of every process so far.
    pub(crate) fn cpu(&self) -> CpuTimes {
        let state = self.lock();
        CpuTimes(
            state.pids.iter().map(|(name, pid)| (*name, cpu(*pid).unwrap_or_default())).collect(),
        )
    }
}

impl State {
    fn look(&mut self) {
        let mut sum = 0;
        for (name, pid) in &self.pids {
            // A process that is being replaced has none.
            let Some(bytes) = memory(*pid) else { continue };
            let peak = self.peaks.entry(name).or_default();
            *peak = bytes.max(*peak);
            if self.together.contains(name) {
                sum += bytes;
            }
        }
        self.peak_together = sum.max(self.peak_together);
    }
}

/// CPU seconds by process.
#[derive(Debug, Clone)]
pub(crate) struct CpuTimes(BTreeMap<&'static str, f64>);

impl CpuTimes {
    /// CPU seconds since `earlier` for a million of so many `mentions`, by process.
    pub(crate) fn per_million_since(
        &self,
        earlier: &Self,
        mentions: u64,
    ) -> BTreeMap<&'static str, f64> {
        let before = |name| earlier.0.get(name).copied().unwrap_or_default();
        let millions = mentions as f64 / 1e6;
        self.0.iter().map(|(name, seconds)| (*name, (seconds - before(name)) / millions)).collect()
    }
}

fn memory(pid: u32) -> Option<u64> {
    let status = Process::new(i32::try_from(pid).ok()?).ok()?.status().ok()?;
    status.vmrss.map(|kib| kib * 1024)
}

fn cpu(pid: u32) -> Option<f64> {
    let stat = Process::new(i32::try_from(pid).ok()?).ok()?.stat().ok()?;
    Some((stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_memory_of_named_processes_is_added_up() {
        let (watched, task) = Watched::start(&["one", "two"]);
        for name in ["one", "two", "three"] {
            watched.is_now(name, std::process::id());
        }
        while watched.peaks().len() < 3 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        task.abort();
        let peaks = watched.peaks();
        assert!(peaks["one"] > 1.0);
        assert!(watched.peak_together() >= peaks["one"] + peaks["two"] - 1.0);
        assert!(watched.peak_together() < peaks.values().sum());
    }

    #[test]
    fn cpu_time_is_told_for_a_million_mentions() {
        let before = CpuTimes(BTreeMap::from([("sink", 1.0)]));
        let after = CpuTimes(BTreeMap::from([("sink", 3.0), ("new", 1.0)]));
        let told = after.per_million_since(&before, 500_000);
        assert_eq!(told, BTreeMap::from([("sink", 4.0), ("new", 2.0)]));
    }
}
