//! The settings every role shares, and how settings report what is wrong with them.

use std::{fmt, path::PathBuf, time::Duration};

use bytesize::ByteSize;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// One thing wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Path of the setting, such as `kafka.partitions`.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// Collects every problem, so that an operator mends them in one go.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Notes a problem unless `ok`.
    pub fn check(&mut self, ok: bool, path: &str, message: impl Into<String>) {
        if !ok {
            self.0.push(Problem { path: path.to_owned(), message: message.into() });
        }
    }

    /// All of them, in the order found.
    pub fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}

/// A secret: the text itself, or `file:PATH` to read it from. Never printed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret(SecretString);

/// A secret that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the secret in {path}: {source}", path = path.display())]
pub struct SecretError {
    path: PathBuf,
    source: std::io::Error,
}

impl Secret {
    /// True when none is set.
    pub fn is_empty(&self) -> bool {
        self.0.expose_secret().is_empty()
    }

    /// The secret, read from its file where it names one; white space at the end is dropped.
    pub fn read(&self) -> Result<SecretString, SecretError> {
        match self.0.expose_secret().strip_prefix("file:") {
            None => Ok(self.0.clone()),
            Some(path) => std::fs::read_to_string(path)
                .map(|text| SecretString::from(text.trim_end()))
                .map_err(|source| SecretError { path: path.into(), source }),
        }
    }
}

impl From<SecretString> for Secret {
    fn from(secret: SecretString) -> Self {
        Self(secret)
    }
}

/// `[kafka]`: how to reach the log.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaSettings {
    /// `host:port,…`; empty for the embedded broker.
    pub brokers: String,
    /// Put before every topic and group name, so that several pipelines share a cluster.
    pub prefix: String,
    /// Partitions of the partitioned topics. Fixed once the topics exist.
    pub partitions: i32,
    /// Copies of each partition.
    pub replication: i32,
    /// How the broker is spoken to.
    pub security: SecurityProtocol,
    /// SASL mechanism, such as `SCRAM-SHA-512`.
    pub sasl_mechanism: String,
    /// SASL user.
    pub username: String,
    /// SASL password.
    pub password: Secret,
    /// PEM file with the certificate authority; empty for the system's.
    pub ca_file: String,
    /// After this long without a heartbeat a role's partitions go to another.
    #[serde(with = "humantime_serde")]
    pub session_timeout: Duration,
    /// How long the producer gathers records into a batch.
    #[serde(with = "humantime_serde")]
    pub linger: Duration,
    /// How long a record may take to be acknowledged, retries included.
    #[serde(with = "humantime_serde")]
    pub delivery_timeout: Duration,
    /// Most bytes a consumer fetches ahead.
    pub fetch_ahead: ByteSize,
    /// Most bytes a producer holds unacknowledged.
    pub send_buffer: ByteSize,
}

/// How the broker is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecurityProtocol {
    /// Neither encrypted nor authenticated: loopback and trusted networks only.
    Plaintext,
    /// TLS.
    Ssl,
    /// SASL without encryption.
    SaslPlaintext,
    /// SASL over TLS.
    SaslSsl,
}

impl SecurityProtocol {
    /// librdkafka's `security.protocol`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::Ssl => "ssl",
            Self::SaslPlaintext => "sasl_plaintext",
            Self::SaslSsl => "sasl_ssl",
        }
    }

    const fn authenticates(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }
}

impl KafkaSettings {
    /// Notes everything wrong with these settings.
    pub fn validate(&self, problems: &mut Problems) {
        let mut check = |ok, path: &str, message: &str| {
            problems.check(ok, &format!("kafka.{path}"), message);
        };
        check((1..=256).contains(&self.partitions), "partitions", "must be 1 to 256");
        check((1..=32).contains(&self.replication), "replication", "must be 1 to 32");
        check(
            self.prefix.len() <= 64
                && self.prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)),
            "prefix",
            "may hold letters, digits and . _ - only, at most 64",
        );
        check(
            !self.security.authenticates()
                || (!self.sasl_mechanism.is_empty() && !self.username.is_empty()),
            "security",
            "with SASL, sasl_mechanism, username and password must be set",
        );
        check(
            (Duration::from_secs(1)..=Duration::from_mins(5)).contains(&self.session_timeout),
            "session_timeout",
            "must be 1s to 5m",
        );
        check(self.linger <= Duration::from_secs(1), "linger", "must be at most 1s");
        check(
            self.delivery_timeout >= Duration::from_secs(1) && self.delivery_timeout > self.linger,
            "delivery_timeout",
            "must be at least 1s and longer than linger",
        );
        check(self.fetch_ahead >= ByteSize::mib(1), "fetch_ahead", "must be at least 1MiB");
        check(self.send_buffer >= ByteSize::mib(1), "send_buffer", "must be at least 1MiB");
    }
}

/// How a role batches, waits and gives up: `[enrich.worker]`, `[sink.worker]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerSettings {
    /// Most items in a batch.
    pub batch_rows: usize,
    /// Most payload bytes in a batch.
    pub batch_bytes: ByteSize,
    /// A batch that is not full goes on after this long.
    #[serde(with = "humantime_serde")]
    pub linger: Duration,
    /// Most items read and not yet settled; past it partitions are paused.
    pub in_flight_rows: usize,
    /// Most payload bytes read and not yet settled.
    pub in_flight_bytes: ByteSize,
    /// How long a shutdown or a revocation may take to finish what was read.
    #[serde(with = "humantime_serde")]
    pub drain: Duration,
    /// Poison policy: this many rejections in a row on one partition stop the role.
    pub poison_run: u32,
    /// Poison policy: this share of rejections among the last 1,000 of a partition stops the role.
    pub poison_ratio: f64,
}

impl WorkerSettings {
    /// Notes everything wrong with these settings, which stand under `path`.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        let mut check = |ok, name: &str, message: &str| {
            problems.check(ok, &format!("{path}.{name}"), message);
        };
        check((1..=1_000_000).contains(&self.batch_rows), "batch_rows", "must be 1 to 1000000");
        check(self.batch_bytes >= ByteSize::kib(64), "batch_bytes", "must be at least 64KiB");
        check(self.linger <= Duration::from_mins(1), "linger", "must be at most 1m");
        check(
            self.in_flight_rows >= self.batch_rows,
            "in_flight_rows",
            "must be at least batch_rows",
        );
        check(
            self.in_flight_bytes >= self.batch_bytes,
            "in_flight_bytes",
            "must be at least batch_bytes",
        );
        check(
            (Duration::from_millis(100)..=Duration::from_mins(5)).contains(&self.drain),
            "drain",
            "must be 100ms to 5m",
        );
        check(self.poison_run >= 1, "poison_run", "must be at least 1");
        check(
            self.poison_ratio > 0.0 && self.poison_ratio <= 1.0,
            "poison_ratio",
            "must be above 0 and at most 1",
        );
    }
}
