//! The second line behind the closed pipe: a ClickHouse that does not stop when
//! its parent is gone is ended.

use std::{thread, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, getppid},
};

use super::EntryError;

const LOOK_EVERY: Duration = Duration::from_millis(500);
const GRACE: Duration = Duration::from_secs(10);

/// Whether the process that started this one is gone.
pub(crate) fn is_orphan(parent: u32) -> bool {
    getppid().as_raw() != parent.cast_signed()
}

/// Ends this process some seconds after its parent, if nothing else did.
pub(crate) fn end_with(parent: u32) -> Result<(), EntryError> {
    thread::Builder::new()
        .name("parent-watch".to_owned())
        .spawn(move || {
            while !is_orphan(parent) {
                thread::sleep(LOOK_EVERY);
            }
            thread::sleep(GRACE);
            // Cannot fail: a process may always signal itself.
            let _ = kill(Pid::this(), Signal::SIGKILL);
        })
        .map_err(EntryError::Thread)?;
    Ok(())
}
