//! From settings to librdkafka: one place that knows its option names.

use std::time::Duration;

use rdkafka::{
    ClientConfig, ClientContext,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode},
};
use secrecy::ExposeSecret;

use crate::{
    health::Health,
    settings::{KafkaSettings, SecretError},
};

/// The log cannot be reached or used.
#[derive(Debug, thiserror::Error)]
pub enum KafkaFault {
    /// A secret in the settings cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// librdkafka refused its configuration.
    #[error("cannot set up a Kafka client for {brokers}: {source}; check the [kafka] settings")]
    Client {
        /// `kafka.brokers`.
        brokers: String,
        /// Why.
        source: KafkaError,
    },
    /// The broker did not answer as needed.
    #[error("{doing} failed: {source}")]
    Broker {
        /// What was tried.
        doing: String,
        /// Why it failed.
        source: KafkaError,
    },
    /// A topic exists but is not as the pipeline needs it.
    #[error("topic {topic} has {setting} = {found}, but must have {expected}; {mend}")]
    Topic {
        /// Its name with prefix.
        topic: String,
        /// Which setting.
        setting: String,
        /// As it is.
        found: String,
        /// As it must be.
        expected: String,
        /// How to mend it.
        mend: String,
    },
}

impl KafkaFault {
    /// True when the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Broker { .. })
    }

    pub(crate) fn broker(doing: impl Into<String>, source: KafkaError) -> Self {
        Self::Broker { doing: doing.into(), source }
    }
}

/// A client configuration with what every client shares.
pub(crate) fn base(settings: &KafkaSettings) -> Result<ClientConfig, SecretError> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &settings.brokers)
        .set("client.id", "echolot")
        .set("security.protocol", settings.security.as_str())
        // A broker that comes back is found again within a second, not within ten.
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "1000")
        .set("socket.keepalive.enable", "true")
        .set_log_level(RDKafkaLogLevel::Warning);
    if !settings.sasl_mechanism.is_empty() {
        config
            .set("sasl.mechanism", &settings.sasl_mechanism)
            .set("sasl.username", &settings.username)
            .set("sasl.password", settings.password.read()?.expose_secret());
    }
    if !settings.ca_file.is_empty() {
        config.set("ssl.ca.location", &settings.ca_file);
    }
    Ok(config)
}

pub(crate) fn millis(duration: Duration) -> String {
    duration.as_millis().to_string()
}

/// Sends librdkafka's errors to the log and to readiness instead of to standard error.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) health: Health,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                tracing::error!(facility, "kafka client: {message}");
            }
            // Lost connections are told once by `error`; librdkafka repeats them at each attempt.
            _ => tracing::debug!(facility, "kafka client: {message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AllBrokersDown) => {
                if self.health.not_ready("kafka is out of reach") {
                    tracing::warn!("kafka is out of reach: {reason}");
                }
            }
            Some(RDKafkaErrorCode::Fatal) => {
                self.health.not_ready("the kafka client failed for good");
                tracing::error!("the kafka client failed for good: {reason}");
            }
            _ => tracing::debug!("kafka client: {error}: {reason}"),
        }
    }
}
