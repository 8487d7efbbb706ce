//! Starting and stopping.

use std::{
    net::{Ipv4Addr, TcpListener},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use echolot_engines::{
    EngineError, EngineHome, EngineKind, EngineOptions, EnginePhase, Installation, Supervisor,
};

use crate::setup::{application, is_running, kafka_api_count, only_clickhouse, options, start};

#[tokio::test]
async fn both_engines_start_answer_and_stop_within_ten_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let phases = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&phases);
    let home = EngineHome::open(folder.path()).unwrap();
    let supervisor = Supervisor::start(home, options(), move |event| {
        seen.lock().unwrap().push((event.engine, event.phase));
    })
    .await
    .unwrap_or_else(|error| panic!("{error}"));

    let brokers = supervisor.endpoints().kafka.as_ref().unwrap().brokers.clone();
    assert!(kafka_api_count(&brokers).await.unwrap() > 10);
    assert_eq!(application(&supervisor, "SELECT 40 + 2").await, "42");
    for engine in [EngineKind::Kafka, EngineKind::ClickHouse] {
        let phases = phases.lock().unwrap();
        let ready = phases
            .iter()
            .any(|(of, phase)| *of == engine && matches!(phase, EnginePhase::Ready { .. }));
        assert!(ready, "{engine}: {phases:?}");
    }

    let pids = [EngineKind::Kafka, EngineKind::ClickHouse].map(|of| supervisor.pid(of).unwrap());
    let before = Instant::now();
    supervisor.stop(Duration::from_secs(9)).await;
    assert!(before.elapsed() < Duration::from_secs(10), "{:?}", before.elapsed());
    assert!(pids.into_iter().all(|pid| !is_running(pid)));
}

#[tokio::test]
async fn a_restart_of_the_home_keeps_ports_and_data_and_dodges_ports_taken_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let first = start(&folder, options()).await;
    application(&first, "CREATE DATABASE echolot_it").await;
    application(&first, "CREATE TABLE echolot_it.t (x Int32) ENGINE MergeTree ORDER BY x").await;
    application(&first, "INSERT INTO echolot_it.t VALUES (7)").await;
    let endpoints = first.endpoints().clone();
    first.stop(Duration::from_secs(9)).await;

    let second = start(&folder, options()).await;
    let again = second.endpoints().clone();
    assert_eq!(again.kafka.unwrap().brokers, endpoints.kafka.as_ref().unwrap().brokers);
    let clickhouse = again.clickhouse.unwrap();
    assert_eq!(clickhouse.url, endpoints.clickhouse.as_ref().unwrap().url);
    assert_eq!(application(&second, "SELECT sum(x) FROM echolot_it.t").await, "7");
    second.stop(Duration::from_secs(9)).await;

    // All four of them, the controller's too: its port is part of Kafka's quorum.
    let text = std::fs::read(folder.path().join("ports.json")).unwrap();
    let ports: std::collections::BTreeMap<String, u16> = serde_json::from_slice(&text).unwrap();
    assert_eq!(ports.len(), 4);
    let squatters: Vec<_> = ports
        .values()
        .map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).unwrap())
        .collect();
    let third = start(&folder, options()).await;
    let moved = third.endpoints().kafka.as_ref().unwrap().brokers.clone();
    assert_ne!(moved, endpoints.kafka.unwrap().brokers);
    assert!(kafka_api_count(&moved).await.unwrap() > 10);
    assert_eq!(application(&third, "SELECT sum(x) FROM echolot_it.t").await, "7");
    third.stop(Duration::from_secs(9)).await;
    drop(squatters);
}

#[tokio::test]
async fn two_homes_run_side_by_side() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (first, second) =
        tokio::join!(start(&folders[0], only_clickhouse()), start(&folders[1], only_clickhouse()));
    application(&first, "CREATE DATABASE echolot_first").await;
    let count = "SELECT count() FROM system.databases WHERE name = 'echolot_first'";
    assert_eq!(application(&first, count).await, "1");
    assert_eq!(application(&second, count).await, "0");
    first.stop(Duration::from_secs(9)).await;
    second.stop(Duration::from_secs(9)).await;
}

#[tokio::test]
async fn a_missing_engine_is_refused_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let home = EngineHome::open(folder.path()).unwrap();
    let installation = Installation::at(folder.path().join("nothing"));
    let error = Supervisor::start(home, EngineOptions { installation, ..options() }, |_| {})
        .await
        .unwrap_err();
    assert!(matches!(*error, EngineError::NotInstalled { .. }), "{error}");
}

#[tokio::test]
async fn a_start_that_takes_too_long_says_so_and_leaves_nothing_running() {
    let folder = tempfile::tempdir().unwrap();
    let home = EngineHome::open(folder.path()).unwrap();
    let start_within = Duration::from_millis(1);
    let error =
        Supervisor::start(home, EngineOptions { start_within, ..only_clickhouse() }, |_| {})
            .await
            .unwrap_err();
    assert!(matches!(*error, EngineError::StartTimeout { .. }), "{error}");
    // The same home serves at once: nothing holds its data any more.
    let supervisor = start(&folder, only_clickhouse()).await;
    assert_eq!(application(&supervisor, "SELECT 1").await, "1");
    supervisor.stop(Duration::from_secs(9)).await;
}
