//! Apache Kafka: its configuration, its format step and the command that runs it.

mod probe;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rand::{
    distr::{Alphanumeric, SampleString},
    seq::IndexedRandom,
};
use tokio::{process::Command, time::timeout};

pub(crate) use probe::is_ready;

use crate::{
    EngineError, EngineHome, EngineKind, Installation, KafkaEndpoint,
    entry::Order,
    home::{create_private, require_usable, write_atomically},
    java,
    logs::LogTail,
    ports::Ports,
};

const SERVER_PROPERTIES: &str = include_str!("server.properties");
const LOG4J2_PROPERTIES: &str = include_str!("log4j2.properties");
const FORMAT_WITHIN: Duration = Duration::from_mins(1);

/// What can be set about the embedded Kafka.
#[derive(Debug, Clone)]
pub struct KafkaOptions {
    /// The port to take when it is free and the home remembers none.
    pub port: u16,
    /// The same for the controller's listener, which only the broker itself uses.
    pub controller_port: u16,
    /// The JVM's heap, in MiB. The process takes about 150 MiB more.
    pub heap_mib: u32,
    /// The largest batch of records the broker takes, in bytes, after compression.
    pub message_max_bytes: u32,
    /// The folder whose `data` holds the log segments; the home's `kafka` when unset.
    pub data_dir: Option<PathBuf>,
}

impl Default for KafkaOptions {
    fn default() -> Self {
        Self {
            port: 19_092,
            controller_port: 19_093,
            heap_mib: 512,
            message_max_bytes: 8 * 1024 * 1024,
            data_dir: None,
        }
    }
}

/// A Kafka that is ready to be started.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) order: Order,
    pub(crate) port: u16,
    pub(crate) endpoint: KafkaEndpoint,
}

/// Writes the configuration and, the first time, formats the data folder.
pub(crate) async fn prepare(
    home: &EngineHome,
    installation: &Installation,
    options: &KafkaOptions,
    ports: &mut Ports,
) -> Result<Prepared, EngineError> {
    let jars = installation.kafka_jars()?;
    let java = java::find().await?;
    let folder = home.engine_folder(EngineKind::Kafka)?;
    // A folder inside the given one: that may be a mount point, which the freshly
    // formatted folder could not be renamed to.
    let data = options.data_dir.as_ref().unwrap_or(&folder).join("data");
    let port = ports.choose("Kafka", options.port)?;
    let controller_port = ports.choose("Kafka's controller", options.controller_port)?;

    let log4j2 = folder.join("log4j2.properties");
    let log = home.log(EngineKind::Kafka);
    write_atomically(&log4j2, &LOG4J2_PROPERTIES.replace("@LOG@", &property(&log)?))?;
    let scratch = folder.join("tmp");
    empty(&scratch)?;
    let jvm =
        Jvm { java, jars, class_archive: installation.kafka_class_archive(), log4j2, scratch };
    let server =
        ServerProperties { port, controller_port, message_max_bytes: options.message_max_bytes };
    if !data.join("meta.properties").exists() {
        if let Some(parent) = data.parent() {
            create_private(parent)?;
        }
        format_data(&jvm, &server, &folder, &data, home).await?;
    }
    let properties = folder.join("server.properties");
    write_atomically(&properties, &server.text(&data)?)?;

    Ok(Prepared {
        order: Order::Kafka {
            java: jvm.java.clone(),
            args: jvm.broker_args(options.heap_mib, &home.logs(), &properties),
            parent: std::process::id(),
        },
        port,
        endpoint: KafkaEndpoint { brokers: format!("127.0.0.1:{port}") },
    })
}

struct Jvm {
    java: PathBuf,
    jars: PathBuf,
    class_archive: Option<PathBuf>,
    log4j2: PathBuf,
    /// Native libraries are unpacked here; a killed broker leaves them behind.
    scratch: PathBuf,
}

/// A folder with nothing in it.
fn empty(folder: &Path) -> Result<(), EngineError> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(EngineError::home("empty", folder)(error))
        }
        _ => create_private(folder),
    }
}

impl Jvm {
    /// Kafka's own choice of collector and pause (`bin/kafka-run-class.sh`). An
    /// exhausted heap ends the process, so that the supervisor starts it anew.
    fn broker_args(&self, heap_mib: u32, logs: &Path, properties: &Path) -> Vec<String> {
        let mut args = vec![
            format!("-Xms{}m", (heap_mib / 2).max(1)),
            format!("-Xmx{heap_mib}m"),
            "-XX:+UseG1GC".to_owned(),
            "-XX:MaxGCPauseMillis=20".to_owned(),
            "-XX:InitiatingHeapOccupancyPercent=35".to_owned(),
            "-XX:+ExplicitGCInvokesConcurrent".to_owned(),
            "-XX:+ExitOnOutOfMemoryError".to_owned(),
            format!("-XX:ErrorFile={}", logs.join("kafka.crash.log").display()),
        ];
        if let Some(archive) = &self.class_archive {
            args.push(format!("-XX:SharedArchiveFile={}", archive.display()));
        }
        args.extend(self.common_args());
        args.push("kafka.Kafka".to_owned());
        args.push(properties.display().to_string());
        args
    }

    fn common_args(&self) -> [String; 5] {
        [
            "-Djava.awt.headless=true".to_owned(),
            format!("-Djava.io.tmpdir={}", self.scratch.display()),
            format!("-Dlog4j2.configurationFile={}", self.log4j2.display()),
            "-cp".to_owned(),
            format!("{}/*", self.jars.display()),
        ]
    }
}

struct ServerProperties {
    port: u16,
    controller_port: u16,
    message_max_bytes: u32,
}

impl ServerProperties {
    fn text(&self, data: &Path) -> Result<String, EngineError> {
        Ok(SERVER_PROPERTIES
            .replace("@BROKER_PORT@", &self.port.to_string())
            .replace("@CONTROLLER_PORT@", &self.controller_port.to_string())
            .replace("@MESSAGE_MAX_BYTES@", &self.message_max_bytes.to_string())
            .replace("@DATA@", &property(data)?))
    }
}

/// A path as a value of a Java properties file, where `\` escapes.
fn property(path: &Path) -> Result<String, EngineError> {
    Ok(require_usable(path)?.replace('\\', "\\\\"))
}

/// Formats a folder beside the data folder and renames it: a process killed in
/// between leaves no half-formatted data behind.
async fn format_data(
    jvm: &Jvm,
    server: &ServerProperties,
    folder: &Path,
    data: &Path,
    home: &EngineHome,
) -> Result<(), EngineError> {
    let fresh = data.with_extension("formatting");
    if fresh.exists() {
        fs::remove_dir_all(&fresh).map_err(EngineError::home("remove", &fresh))?;
    }
    create_private(&fresh)?;
    let properties = folder.join("format.properties");
    write_atomically(&properties, &server.text(&fresh)?)?;
    let cluster = cluster_id(&folder.join("cluster-id"))?;

    let output = Command::new(&jvm.java)
        .args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m"])
        .args(jvm.common_args())
        .args(["kafka.tools.StorageTool", "format", "--cluster-id"])
        .arg(cluster)
        .arg("--config")
        .arg(&properties)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let status = match timeout(FORMAT_WITHIN, output).await {
        Ok(Ok(output)) => {
            let log = home.output(EngineKind::Kafka);
            let text = [output.stdout, output.stderr].concat();
            fs::write(&log, text).map_err(EngineError::home("write", &log))?;
            if output.status.success() {
                return fs::rename(&fresh, data).map_err(EngineError::home("create", data));
            }
            output.status.to_string()
        }
        Ok(Err(source)) => {
            return Err(EngineError::Spawn {
                engine: EngineKind::Kafka,
                program: jvm.java.clone(),
                source,
            });
        }
        Err(_) => format!("no end within {} s", FORMAT_WITHIN.as_secs()),
    };
    Err(EngineError::Format {
        status,
        tail: LogTail::read(&[home.output(EngineKind::Kafka), home.log(EngineKind::Kafka)]),
    })
}

/// Names the cluster once, so that its data and its clients recognise it.
fn cluster_id(path: &Path) -> Result<String, EngineError> {
    if let Ok(text) = fs::read_to_string(path)
        && !text.trim().is_empty()
    {
        return Ok(text.trim().to_owned());
    }
    let id = random_cluster_id();
    write_atomically(path, &format!("{id}\n"))?;
    Ok(id)
}

/// 16 bytes in unpadded base64url, as `kafka.tools.StorageTool random-uuid` gives:
/// of the last character only the upper two bits count.
fn random_cluster_id() -> String {
    let mut random = rand::rng();
    let mut id = Alphanumeric.sample_string(&mut random, 21);
    id.push(*b"AQgw".choose(&mut random).unwrap_or(&b'A') as char);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_placeholder_stays_in_the_configuration() {
        let server = ServerProperties { port: 1, controller_port: 2, message_max_bytes: 3 };
        let text = server.text(Path::new("/var/back\\slash")).unwrap();
        assert!(text.contains("log.dirs=/var/back\\\\slash\n"), "{text}");
        assert!(text.contains("listeners=PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2\n"));
        assert!(!text.lines().any(|line| line.contains("=@") || line.contains(":@")));
    }

    #[test]
    fn a_cluster_id_is_generated_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cluster-id");
        let id = cluster_id(&path).unwrap();
        assert_eq!(id.len(), 22);
        assert_eq!(cluster_id(&path).unwrap(), id);
    }
}
