use secrecy::SecretString;

/// Where the engines of a supervisor answer. An engine that is not embedded has
/// no entry: its address is the caller's own configuration.
#[derive(Debug, Clone, Default)]
pub struct EngineEndpoints {
    /// The embedded Kafka.
    pub kafka: Option<KafkaEndpoint>,
    /// The embedded ClickHouse.
    pub clickhouse: Option<ClickHouseEndpoint>,
}

/// Where the embedded Kafka answers: plain text, loopback only.
#[derive(Debug, Clone)]
pub struct KafkaEndpoint {
    /// For `bootstrap.servers`: `127.0.0.1:19092`.
    pub brokers: String,
}

/// Where the embedded ClickHouse answers, loopback only, and who may log in.
#[derive(Debug, Clone)]
pub struct ClickHouseEndpoint {
    /// The HTTP interface: `http://127.0.0.1:18123`.
    pub url: String,
    /// The native interface: `127.0.0.1:19000`.
    pub native: String,
    /// Full rights on every database whose name starts with `echolot`.
    pub application: Login,
    /// Reads those databases, within bounds on memory and time.
    pub analyst: Login,
}

/// A user of the embedded ClickHouse.
#[derive(Debug, Clone)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The generated password, also in the home's `secrets/` folder.
    pub password: SecretString,
}
