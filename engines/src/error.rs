use std::{io, path::PathBuf, process::ExitStatus, time::Duration};

use crate::{EngineKind, logs::LogTail};

/// Why an engine is not running. Every message says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Another process holds the home.
    #[error(
        "{} is in use by the running process {holder}: stop that one first, or choose another data folder",
        path.display()
    )]
    HomeLocked {
        /// The home's folder.
        path: PathBuf,
        /// The pid in the lock file, or "unknown" in the moment before it is written.
        holder: String,
    },

    /// A file or folder of the home could not be read or written.
    #[error("could not {action} {}: {source}", path.display())]
    Home {
        /// What was tried, as a verb: "create", "read", "write", "lock".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// The path cannot be written into the engines' own configuration.
    #[error(
        "the path {path:?} cannot be used: Kafka splits lists of paths at `:` and `,`, and needs UTF-8 without line breaks; choose another folder"
    )]
    UnusablePath {
        /// The refused path.
        path: PathBuf,
    },

    /// The embedded engines exist for one platform only.
    #[error(
        "the embedded {engine} runs on Linux x86-64 only; to use a running one, {}",
        engine.external_hint()
    )]
    UnsupportedPlatform {
        /// The engine asked for.
        engine: EngineKind,
    },

    /// The engine's files are not in the cache.
    #[error(
        "{engine} is not installed ({} is missing): run `make engines`; to use a running one, {}",
        path.display(), engine.external_hint()
    )]
    NotInstalled {
        /// The engine asked for.
        engine: EngineKind,
        /// The file or folder that is missing.
        path: PathBuf,
    },

    /// No Java runtime was found.
    #[error(
        "Java is not installed ({tried} did not run: {source}), Kafka needs version {needed} or newer: `apt-get install openjdk-17-jre-headless`, or set JAVA_HOME"
    )]
    JavaMissing {
        /// The program that was tried.
        tried: String,
        /// The oldest major version that will do.
        needed: u32,
        /// What the system said.
        source: io::Error,
    },

    /// A Java runtime was found, but Kafka does not run on it.
    #[error(
        "{program} is Java {found}, Kafka needs {needed} or newer: `apt-get install openjdk-17-jre-headless`, or set JAVA_HOME to a newer one"
    )]
    JavaTooOld {
        /// The program that was asked.
        program: String,
        /// Its version, as it names it.
        found: String,
        /// The oldest major version that will do.
        needed: u32,
    },

    /// Neither the preferred port nor any of the tried ones is free.
    #[error(
        "no free port on 127.0.0.1 for {what}: {preferred} is taken, and so were {tried} others; free one, or set another"
    )]
    NoFreePort {
        /// What the port is for.
        what: &'static str,
        /// The port that was wanted.
        preferred: u16,
        /// How many others were tried.
        tried: usize,
    },

    /// Kafka's data folder could not be formatted.
    #[error("could not format Kafka's data folder ({status}); the end of {tail}")]
    Format {
        /// How the formatting process ended.
        status: String,
        /// The end of its output.
        tail: LogTail,
    },

    /// The engine's process could not be started at all.
    #[error("could not start {engine} with {}: {source}", program.display())]
    Spawn {
        /// The engine asked for.
        engine: EngineKind,
        /// The program that should have run.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// The engine ended before it was ready.
    #[error("{engine} ended while starting ({status}); the end of {tail}")]
    EndedAtStart {
        /// The engine.
        engine: EngineKind,
        /// How its process ended.
        status: ExitStatus,
        /// The end of its log.
        tail: LogTail,
    },

    /// The engine runs, but did not answer in time.
    #[error("{engine} was not ready within {} s; the end of {tail}", within.as_secs())]
    StartTimeout {
        /// The engine.
        engine: EngineKind,
        /// How long it was given.
        within: Duration,
        /// The end of its log.
        tail: LogTail,
    },

    /// A running engine crashed and would not come back.
    #[error("{engine} failed {failures} times in a row and was given up; last: {last}")]
    GaveUp {
        /// The engine.
        engine: EngineKind,
        /// How many times in a row it failed.
        failures: u32,
        /// The last failure.
        last: Box<EngineError>,
    },

    /// The running engine's process ended without being asked to.
    #[error("{engine} crashed ({status}); the end of {tail}")]
    Crashed {
        /// The engine.
        engine: EngineKind,
        /// How its process ended.
        status: ExitStatus,
        /// The end of its log.
        tail: LogTail,
    },

    /// The engine is not one of this supervisor's, or it is stopped or given up.
    #[error("{engine} is not running under this supervisor")]
    NotSupervised {
        /// The engine asked for.
        engine: EngineKind,
    },
}

impl EngineError {
    /// Shorthand for the many file operations of a home.
    pub(crate) fn home(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Home { action, path, source }
    }
}
