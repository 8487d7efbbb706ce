//! What an engine's child process runs: the hidden subcommand `engine`.
//!
//! The supervisor starts its own binary again and gives it an [`Order`]. For
//! ClickHouse this process then becomes the server. For Kafka it asks the kernel
//! to be ended with its parent and replaces itself by Java: the pid the supervisor
//! knows is the JVM's, and nothing stands between the two.

mod library;
mod orphan;

use std::{
    convert::Infallible,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use nix::sys::{prctl::set_pdeathsig, signal::Signal};
use serde::{Deserialize, Serialize};

/// What the supervisor wants the child to become. Holds no secrets: arguments are
/// visible to other users of the machine.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Order {
    Kafka {
        java: PathBuf,
        args: Vec<String>,
        /// The supervisor's pid.
        parent: u32,
    },
    ClickHouse {
        library: PathBuf,
        args: Vec<String>,
        /// The supervisor's pid.
        parent: u32,
    },
}

/// Why a child process could not become its engine. Ends in the engine's output
/// file and from there in the supervisor's error.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// Somebody ran the hidden subcommand by hand.
    #[error("`engine` is started by `echolot up`, not by hand ({0})")]
    NotAnOrder(#[from] serde_json::Error),
    /// The supervisor died while this process was starting.
    #[error("the parent process has ended")]
    Orphaned,
    /// The kernel refused a request that needs no rights.
    #[error("could not ask to be ended with the parent process: {0}")]
    DeathSignal(#[source] nix::Error),
    /// Java could not be run.
    #[error("could not run {}: {source}", program.display())]
    Exec {
        /// The Java program.
        program: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The engine's library could not be loaded or has not the expected functions.
    #[error("could not load {}: {source}; run `make engines` again", library.display())]
    Library {
        /// The library's path.
        library: PathBuf,
        /// What the loader said.
        source: libloading::Error,
    },
    /// ClickHouse ended with an error.
    #[error("ClickHouse ended with an error: {0}")]
    ClickHouse(String),
    /// A thread could not be started.
    #[error("could not start a thread: {0}")]
    Thread(#[source] std::io::Error),
}

/// Becomes the engine that `order`, the subcommand's only argument, describes.
///
/// Returns `Ok` when ClickHouse served until its parent was done; as Kafka the
/// process is replaced and nothing returns.
///
/// # Errors
/// [`EntryError`], which the caller should print and turn into a failure status.
pub fn run(order: &str) -> Result<(), EntryError> {
    match serde_json::from_str(order)? {
        Order::Kafka { java, args, parent } => match become_java(&java, &args, parent)? {},
        Order::ClickHouse { library, args, parent } => {
            orphan::end_with(parent)?;
            library::serve(&library, &args)
        }
    }
}

/// The death signal is kept across exec (prctl(2)). SIGTERM rather than SIGKILL:
/// a broker that closes its log cleanly needs no recovery at the next start.
fn become_java(java: &Path, args: &[String], parent: u32) -> Result<Infallible, EntryError> {
    set_pdeathsig(Signal::SIGTERM).map_err(EntryError::DeathSignal)?;
    if orphan::is_orphan(parent) {
        return Err(EntryError::Orphaned); // it died before the request was made
    }
    let source = Command::new(java).args(args).stdin(Stdio::null()).exec();
    Err(EntryError::Exec { program: java.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hidden_subcommand_explains_itself_when_run_by_hand() {
        let message = run("--help").unwrap_err().to_string();
        assert!(message.contains("echolot up"), "{message}");
    }

    #[test]
    fn kafka_is_not_started_for_a_parent_that_is_gone() {
        let order =
            Order::Kafka { java: "/nowhere/java".into(), args: Vec::new(), parent: u32::MAX };
        let text = serde_json::to_string(&order).unwrap();
        assert!(matches!(run(&text), Err(EntryError::Orphaned)));
    }
}
