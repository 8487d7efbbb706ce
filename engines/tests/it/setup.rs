//! A supervisor in a temporary home, and questions to its engines.

use std::{env, io, net::SocketAddr, path::PathBuf, time::Duration};

use echolot_engines::{
    ClickHouseOptions, EngineHome, EngineOptions, KafkaOptions, Launcher, Login, Supervisor,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use secrecy::ExposeSecret;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep},
};

/// The example that has the hidden subcommand: `cargo test` builds it first.
pub(crate) fn serve_example() -> PathBuf {
    let test = env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join("examples/serve");
    assert!(
        path.exists(),
        "{} is missing: run `cargo build -p echolot-engines --examples`",
        path.display()
    );
    path
}

pub(crate) fn options() -> EngineOptions {
    EngineOptions {
        kafka: Some(KafkaOptions { heap_mib: 256, ..KafkaOptions::default() }),
        launcher: Launcher::at(serve_example()),
        ..EngineOptions::default()
    }
}

pub(crate) fn only_clickhouse() -> EngineOptions {
    EngineOptions { kafka: None, ..options() }
}

pub(crate) fn only_kafka() -> EngineOptions {
    EngineOptions { clickhouse: None, ..options() }
}

pub(crate) fn with_clickhouse(clickhouse: ClickHouseOptions) -> EngineOptions {
    EngineOptions { clickhouse: Some(clickhouse), ..only_clickhouse() }
}

pub(crate) async fn start(folder: &TempDir, options: EngineOptions) -> Supervisor {
    let home = EngineHome::open(folder.path()).unwrap();
    Supervisor::start(home, options, |_| {}).await.unwrap_or_else(|error| panic!("{error}"))
}

/// The answer's text, or the server's error.
pub(crate) async fn query(url: &str, login: &Login, sql: &str) -> Result<String, String> {
    let answer = reqwest::Client::new()
        .post(url)
        .header("X-ClickHouse-User", &login.user)
        .header("X-ClickHouse-Key", login.password.expose_secret())
        .body(sql.to_owned())
        .send()
        .await
        .map_err(|error| error.to_string())?;
    let ok = answer.status().is_success();
    let text = answer.text().await.map_err(|error| error.to_string())?;
    if ok { Ok(text.trim().to_owned()) } else { Err(text) }
}

/// The application's query to a supervisor's ClickHouse, which must succeed.
pub(crate) async fn application(supervisor: &Supervisor, sql: &str) -> String {
    let endpoint = supervisor.endpoints().clickhouse.as_ref().unwrap();
    query(&endpoint.url, &endpoint.application, sql)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// How many requests the broker says it knows: `ApiVersions` v0 of the Kafka
/// protocol guide, which any broker since 0.10 answers.
pub(crate) async fn kafka_api_count(brokers: &str) -> io::Result<i32> {
    let mut stream = TcpStream::connect(brokers.parse::<SocketAddr>().unwrap()).await?;
    let mut request = Vec::new();
    request.extend(10_i32.to_be_bytes());
    request.extend(18_i16.to_be_bytes());
    request.extend(0_i16.to_be_bytes());
    request.extend(1_i32.to_be_bytes());
    request.extend((-1_i16).to_be_bytes());
    stream.write_all(&request).await?;
    let _length = stream.read_i32().await?;
    assert_eq!(stream.read_i32().await?, 1, "correlation id");
    assert_eq!(stream.read_i16().await?, 0, "error code");
    stream.read_i32().await
}

pub(crate) fn kill_9(pid: u32) {
    kill(Pid::from_raw(pid.try_into().unwrap()), Signal::SIGKILL).unwrap();
}

pub(crate) fn is_running(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Polls until `condition` holds; panics with `what` when it does not in time.
pub(crate) async fn eventually(what: &str, within: Duration, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + within;
    while !condition() {
        assert!(Instant::now() < deadline, "not within {within:?}: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}
