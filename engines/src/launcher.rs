use std::{
    ffi::OsString,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// How this crate starts a process that runs [`crate::entry::run`].
///
/// In `echolot` that is the running binary itself with its hidden subcommand. A
/// test binary has no such subcommand and names a binary that does.
#[derive(Debug, Clone)]
pub struct Launcher {
    program: PathBuf,
    args: Vec<OsString>,
}

impl Launcher {
    /// The running binary, `engine` being its hidden subcommand.
    ///
    /// Goes through `/proc/self/exe`, so that a restart of an engine still works
    /// after the file was replaced by a newer build.
    pub fn current_exe() -> Self {
        Self::at("/proc/self/exe")
    }

    /// Another binary with the same hidden subcommand.
    pub fn at(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), args: vec!["engine".into()] }
    }

    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// In a process group of its own: a Ctrl-C at the terminal reaches the parent
    /// alone, which then stops the engines in order.
    pub(crate) fn command(&self, order: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg0("echolot").args(&self.args).arg(order).process_group(0).stdin(Stdio::piped());
        command
    }
}
