use std::fmt;

/// The two engines this crate can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EngineKind {
    /// Apache Kafka, broker and controller in one JVM.
    Kafka,
    /// ClickHouse, as `libchdb.so` in a child process.
    ClickHouse,
}

impl EngineKind {
    /// The name used in paths and log files.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::ClickHouse => "clickhouse",
        }
    }

    /// What to write into the configuration to use a running one instead.
    pub(crate) fn external_hint(self) -> &'static str {
        match self {
            Self::Kafka => {
                "set kafka.brokers in the configuration file or ECHOLOT__KAFKA__BROKERS=host:port"
            }
            Self::ClickHouse => {
                "set clickhouse.url in the configuration file or ECHOLOT__CLICKHOUSE__URL=http://host:8123"
            }
        }
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Kafka => "Kafka",
            Self::ClickHouse => "ClickHouse",
        })
    }
}
