//! ClickHouse: its configuration, its users and the command that serves it.

mod probe;

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

pub(crate) use probe::Probe;

use crate::{
    ClickHouseEndpoint, EngineError, EngineHome, EngineKind, Installation, Login,
    entry::Order,
    home::{create_private, require_usable, write_atomically},
    ports::Ports,
    secrets,
};

const CONFIG: &str = include_str!("config.xml");
const USERS: &str = include_str!("users.xml");

/// Opens the listeners, then reads standard input to its end: the engine serves
/// until its parent closes that pipe or dies. Reading as INFILE happens on the
/// client's side of the session and takes no right to read files.
const SERVE: &str = "SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; \
     INSERT INTO FUNCTION null('line String') FROM INFILE '/dev/stdin' \
     SETTINGS async_insert = 0 FORMAT LineAsString";

/// What can be set about the embedded ClickHouse.
#[derive(Debug, Clone)]
pub struct ClickHouseOptions {
    /// The HTTP port to take when it is free and the home remembers none.
    pub http_port: u16,
    /// The same for the native protocol.
    pub tcp_port: u16,
    /// The most memory the process may use for data, in bytes; never more than
    /// half of the machine's.
    pub max_memory_bytes: u64,
    /// Inserts are refused (code 243) when the disk has less than this left, in bytes.
    pub keep_free_bytes: u64,
    /// Where the tables live; the home's `clickhouse/data` when unset.
    pub data_dir: Option<PathBuf>,
}

impl Default for ClickHouseOptions {
    fn default() -> Self {
        Self {
            http_port: 18_123,
            tcp_port: 19_000,
            max_memory_bytes: 4 << 30,
            keep_free_bytes: 256 << 20,
            data_dir: None,
        }
    }
}

/// A ClickHouse that is ready to be started.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) order: Order,
    pub(crate) endpoint: ClickHouseEndpoint,
}

/// Writes the configuration and, the first time, generates the passwords.
pub(crate) fn prepare(
    home: &EngineHome,
    installation: &Installation,
    options: &ClickHouseOptions,
    ports: &mut Ports,
) -> Result<Prepared, EngineError> {
    let library = installation.clickhouse_library()?;
    let folder = home.engine_folder(EngineKind::ClickHouse)?;
    let data = options.data_dir.clone().unwrap_or_else(|| folder.join("data"));
    create_private(&data)?;
    let http_port = ports.choose("ClickHouse's HTTP interface", options.http_port)?;
    let tcp_port = ports.choose("ClickHouse's native interface", options.tcp_port)?;

    let application = Login {
        user: "echolot".to_owned(),
        password: secrets::read_or_generate(&home.application_password())?,
    };
    let analyst = Login {
        user: "analyst".to_owned(),
        password: secrets::read_or_generate(&home.analyst_password())?,
    };
    let config = folder.join("config.xml");
    let users = folder.join("users.xml");
    write_atomically(&users, &users_xml(options, &application, &analyst))?;
    write_atomically(&config, &config_xml(options, &home.log(EngineKind::ClickHouse), &users)?)?;

    Ok(Prepared {
        order: Order::ClickHouse {
            library,
            args: vec![
                // The configuration's level is not heard, the flag is.
                "--log-level=warning".to_owned(),
                format!("--path={}", require_usable(&data)?),
                format!("--config-file={}", require_usable(&config)?),
                "--listen_host=127.0.0.1".to_owned(),
                format!("--http_port={http_port}"),
                format!("--tcp_port={tcp_port}"),
                format!("--query={SERVE}"),
            ],
            parent: std::process::id(),
        },
        endpoint: ClickHouseEndpoint {
            url: format!("http://127.0.0.1:{http_port}"),
            native: format!("127.0.0.1:{tcp_port}"),
            application,
            analyst,
        },
    })
}

fn config_xml(
    options: &ClickHouseOptions,
    log: &Path,
    users: &Path,
) -> Result<String, EngineError> {
    Ok(CONFIG
        .replace("@MAX_MEMORY@", &options.max_memory_bytes.to_string())
        .replace("@KEEP_FREE@", &options.keep_free_bytes.to_string())
        .replace("@LOG@", &xml(require_usable(log)?))
        .replace("@USERS@", &xml(require_usable(users)?)))
}

fn users_xml(options: &ClickHouseOptions, application: &Login, analyst: &Login) -> String {
    // Half of what the server has: one analyst's query cannot starve the sink.
    let analyst_memory = options.max_memory_bytes / 2;
    USERS
        .replace("@ANALYST_MEMORY@", &analyst_memory.to_string())
        .replace("@APPLICATION_SHA256@", &sha256(&application.password))
        .replace("@ANALYST_SHA256@", &sha256(&analyst.password))
}

fn sha256(password: &SecretString) -> String {
    hex::encode(Sha256::digest(password.expose_secret()))
}

/// A path as the text of an XML element.
fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_escaped_and_no_placeholder_stays() {
        let options = ClickHouseOptions::default();
        let config = config_xml(&options, Path::new("/a&b/c.log"), Path::new("/u.xml")).unwrap();
        assert!(config.contains("<log>/a&amp;b/c.log</log>"), "{config}");
        assert!(!config.contains('@'), "{config}");
    }

    #[test]
    fn passwords_are_written_as_hashes_only() {
        let login =
            |password: &str| Login { user: "someone".to_owned(), password: password.into() };
        let users = users_xml(&ClickHouseOptions::default(), &login("abc"), &login("secret"));
        // SHA-256 of "abc", FIPS 180-4.
        assert!(users.contains("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
        assert!(!users.contains("secret") && !users.contains('@'));
    }
}
