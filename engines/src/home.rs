//! The folder everything of one embedded set-up lives in, held by one process.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use nix::fcntl::{Flock, FlockArg};

use crate::{EngineError, EngineKind};

/// The data folder of the embedded engines, usually `.echolot/`.
///
/// ```text
/// lock               held with flock(2) while this value lives; names the holder's pid
/// ports.json         the ports of the last start, taken again when they are free
/// secrets/           clickhouse-app.password, clickhouse-analyst.password (0600)
/// logs/              kafka.log, clickhouse.log (rotated); *.out.log (the last start's output)
/// kafka/             server.properties, log4j2.properties, cluster-id, data/
/// clickhouse/        config.xml, users.xml, data/
/// ```
///
/// The lock goes with the process, however it ends: the kernel drops it.
#[derive(Debug)]
pub struct EngineHome {
    root: PathBuf,
    _lock: Flock<File>,
}

impl EngineHome {
    /// Creates the folder where it is missing (mode 0700) and takes its lock.
    ///
    /// # Errors
    /// [`EngineError::HomeLocked`] when another process holds it,
    /// [`EngineError::UnusablePath`] when Kafka could not live under that path.
    pub fn open(root: impl AsRef<Path>) -> Result<Self, EngineError> {
        let root = root.as_ref();
        create_private(root)?;
        let root = root.canonicalize().map_err(EngineError::home("read", root))?;
        require_usable(&root)?;
        let lock = lock(&root)?;
        let home = Self { root, _lock: lock };
        for folder in [home.secrets(), home.logs()] {
            create_private(&folder)?;
        }
        Ok(home)
    }

    /// The folder itself, as an absolute path.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the engines' logs are.
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// The engine's own, rotated log.
    pub fn log(&self, engine: EngineKind) -> PathBuf {
        self.logs().join(format!("{}.log", engine.slug()))
    }

    /// The standard output and error of the engine's last start.
    pub fn output(&self, engine: EngineKind) -> PathBuf {
        self.logs().join(format!("{}.out.log", engine.slug()))
    }

    /// Where the generated passwords are.
    pub fn secrets(&self) -> PathBuf {
        self.root.join("secrets")
    }

    /// The password file of the application's ClickHouse user.
    pub fn application_password(&self) -> PathBuf {
        self.secrets().join("clickhouse-app.password")
    }

    /// The password file of the analysts' ClickHouse user.
    pub fn analyst_password(&self) -> PathBuf {
        self.secrets().join("clickhouse-analyst.password")
    }

    pub(crate) fn ports(&self) -> PathBuf {
        self.root.join("ports.json")
    }

    /// The engine's configuration and, unless told otherwise, its data; created.
    pub(crate) fn engine_folder(&self, engine: EngineKind) -> Result<PathBuf, EngineError> {
        let folder = self.root.join(engine.slug());
        create_private(&folder)?;
        Ok(folder)
    }
}

/// Creates a folder and those above it, readable by their owner only.
pub(crate) fn create_private(folder: &Path) -> Result<(), EngineError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(EngineError::home("create", folder))
}

/// Writes a file whole or not at all.
pub(crate) fn write_atomically(path: &Path, content: &str) -> Result<(), EngineError> {
    let partial = path.with_extension("partial");
    fs::write(&partial, content).map_err(EngineError::home("write", &partial))?;
    fs::rename(&partial, path).map_err(EngineError::home("write", path))
}

/// Kafka reads `log.dirs` as a list split at commas and Java its class path as one
/// split at colons; neither has an escape.
pub(crate) fn require_usable(path: &Path) -> Result<&str, EngineError> {
    path.to_str()
        .filter(|text| !text.contains([':', ',', '\n', '\r']))
        .ok_or_else(|| EngineError::UnusablePath { path: path.to_owned() })
}

fn lock(root: &Path) -> Result<Flock<File>, EngineError> {
    let path = root.join("lock");
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(EngineError::home("create", &path))?;
    let mut file =
        Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(mut file, errno)| {
            if errno == nix::errno::Errno::EWOULDBLOCK {
                EngineError::HomeLocked { path: root.to_owned(), holder: holder(&mut file) }
            } else {
                EngineError::home("lock", &path)(errno.into())
            }
        })?;
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(EngineError::home("write", &path))?;
    Ok(file)
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.take(32).read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => text.trim().to_owned(),
        _ => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_second_lock_on_a_home_is_refused_and_names_the_holder() {
        let folder = tempfile::tempdir().unwrap();
        let first = EngineHome::open(folder.path()).unwrap();

        let refused = EngineHome::open(folder.path()).unwrap_err();

        let message = refused.to_string();
        assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
        drop(first);
        EngineHome::open(folder.path()).unwrap();
    }

    #[test]
    fn a_new_home_is_closed_to_other_users() {
        let folder = tempfile::tempdir().unwrap();
        let home = EngineHome::open(folder.path().join("a/.echolot")).unwrap();
        for path in [home.root(), &home.secrets(), &home.logs()] {
            let mode = fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{}", path.display());
        }
    }

    #[test]
    fn a_path_kafka_would_split_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = EngineHome::open(folder.path().join("a,b")).unwrap_err();
        assert!(matches!(error, EngineError::UnusablePath { .. }), "{error:?}");
    }
}
