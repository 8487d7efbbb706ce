//! Killing engines and killing their parent.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use echolot_engines::{
    EngineError, EngineHome, EngineKind, EngineOptions, RestartPolicy, Supervisor,
};
use tempfile::TempDir;

use crate::setup::{
    application, eventually, is_running, kafka_api_count, kill_9, only_clickhouse, only_kafka,
    options, serve_example, start,
};

#[tokio::test]
async fn a_killed_clickhouse_comes_back_on_its_port_with_its_data() {
    let folder = tempfile::tempdir().unwrap();
    let supervisor = start(&folder, only_clickhouse()).await;
    application(&supervisor, "CREATE DATABASE echolot").await;
    application(&supervisor, "CREATE TABLE echolot.m (x UInt64) ENGINE MergeTree ORDER BY x").await;
    application(&supervisor, "INSERT INTO echolot.m SELECT number FROM numbers(1000)").await;

    replaced_after_kill(&supervisor, EngineKind::ClickHouse).await;

    assert_eq!(application(&supervisor, "SELECT count() FROM echolot.m").await, "1000");
    supervisor.stop(Duration::from_secs(9)).await;
}

#[tokio::test]
async fn a_killed_kafka_comes_back_on_its_port() {
    let folder = tempfile::tempdir().unwrap();
    let supervisor = start(&folder, only_kafka()).await;
    let brokers = supervisor.endpoints().kafka.as_ref().unwrap().brokers.clone();
    assert!(kafka_api_count(&brokers).await.unwrap() > 10);

    let took = replaced_after_kill(&supervisor, EngineKind::Kafka).await;
    eprintln!("Kafka was back {took:?} after kill -9");

    assert!(kafka_api_count(&brokers).await.unwrap() > 10);
    supervisor.stop(Duration::from_secs(9)).await;
}

#[tokio::test]
async fn a_restart_on_request_gives_a_new_process_on_the_same_port() {
    let folder = tempfile::tempdir().unwrap();
    let supervisor = start(&folder, only_clickhouse()).await;
    let before = supervisor.pid(EngineKind::ClickHouse).unwrap();
    supervisor.restart(EngineKind::ClickHouse).await.unwrap();
    assert_ne!(supervisor.pid(EngineKind::ClickHouse).unwrap(), before);
    assert_eq!(application(&supervisor, "SELECT 1").await, "1");

    let error = supervisor.restart(EngineKind::Kafka).await.unwrap_err();
    assert!(matches!(*error, EngineError::NotSupervised { .. }), "{error}");
    supervisor.stop(Duration::from_secs(9)).await;
}

#[tokio::test]
async fn an_engine_that_fails_too_often_is_given_up_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let restart = RestartPolicy { failures_in_a_row: 1, ..RestartPolicy::default() };
    let supervisor = start(&folder, EngineOptions { restart, ..only_clickhouse() }).await;
    kill_9(supervisor.pid(EngineKind::ClickHouse).unwrap());

    let error = tokio::time::timeout(Duration::from_secs(10), supervisor.failed()).await.unwrap();

    assert!(matches!(*error, EngineError::GaveUp { failures: 1, .. }), "{error}");
    assert!(error.to_string().contains("signal: 9"), "{error}");
    assert_eq!(supervisor.pid(EngineKind::ClickHouse), None);
    supervisor.stop(Duration::from_secs(9)).await;
}

#[tokio::test]
async fn no_engine_outlives_a_killed_parent_and_the_next_start_takes_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut parent = Parent::start(&folder);

    let refused = EngineHome::open(folder.path()).unwrap_err();
    assert!(matches!(refused, EngineError::HomeLocked { .. }), "{refused}");
    assert!(refused.to_string().contains(&parent.child.id().to_string()), "{refused}");

    kill_9(parent.child.id());
    parent.child.wait().unwrap();
    // At once, while the engines are still closing: they are waited for.
    let supervisor = start(&folder, options()).await;
    assert!(parent.engines.iter().all(|pid| !is_running(*pid)));
    assert_eq!(application(&supervisor, "SELECT 1").await, "1");
    supervisor.stop(Duration::from_secs(9)).await;
}

#[tokio::test]
async fn the_engines_of_a_killed_parent_end_by_themselves_within_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let mut parent = Parent::start(&folder);
    kill_9(parent.child.id());
    parent.child.wait().unwrap();
    eventually("both engines end with their parent", Duration::from_secs(10), || {
        parent.engines.iter().all(|pid| !is_running(*pid))
    })
    .await;
}

/// Kills an engine and waits until it is ready again; returns how long that took.
async fn replaced_after_kill(supervisor: &Supervisor, engine: EngineKind) -> Duration {
    let pid = supervisor.pid(engine).unwrap();
    let before = Instant::now();
    kill_9(pid);
    eventually("the killed engine is replaced", Duration::from_secs(40), || {
        supervisor.pid(engine).is_some_and(|now| now != pid)
    })
    .await;
    before.elapsed()
}

/// The example as a process of its own, with both engines ready.
struct Parent {
    child: Child,
    engines: Vec<u32>,
}

impl Parent {
    fn start(folder: &TempDir) -> Self {
        let mut child = Command::new(serve_example())
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut engines = Vec::new();
        let output = BufReader::new(child.stdout.take().unwrap());
        for line in output.lines().map(Result::unwrap) {
            if let Some(pid) = line.strip_prefix("pid ") {
                engines.push(pid.split(' ').nth(1).unwrap().parse().unwrap());
            }
            if engines.len() == 2 {
                break;
            }
        }
        assert_eq!(engines.len(), 2, "the example did not start, see its messages above");
        Self { child, engines }
    }
}

impl Drop for Parent {
    fn drop(&mut self) {
        // A failed test must not leave servers behind; killing twice does no harm.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
