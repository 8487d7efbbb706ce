//! What the users of the embedded ClickHouse may do, and its bounds.

use std::time::Duration;

use echolot_engines::{ClickHouseOptions, Login};

use crate::setup::{application, only_clickhouse, query, start, with_clickhouse};

#[tokio::test]
async fn analysts_read_the_projections_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let supervisor = start(&folder, only_clickhouse()).await;
    application(&supervisor, "CREATE DATABASE echolot_g1").await;
    application(&supervisor, "CREATE TABLE echolot_g1.m (x Int32) ENGINE MergeTree ORDER BY x")
        .await;
    application(&supervisor, "INSERT INTO echolot_g1.m VALUES (1), (2)").await;
    application(&supervisor, "CREATE DATABASE echolot").await;
    let view = "CREATE VIEW echolot.m DEFINER = CURRENT_USER SQL SECURITY DEFINER \
                AS SELECT * FROM echolot_g1.m";
    application(&supervisor, view).await;

    let endpoint = supervisor.endpoints().clickhouse.clone().unwrap();
    let analyst = |sql: &'static str| {
        let endpoint = endpoint.clone();
        async move { query(&endpoint.url, &endpoint.analyst, sql).await }
    };
    assert_eq!(analyst("SELECT sum(x) FROM echolot.m").await.unwrap(), "3");
    let bounded = "SELECT sum(x) FROM echolot.m SETTINGS max_execution_time = 120";
    assert_eq!(analyst(bounded).await.unwrap(), "3");

    for (sql, reason) in [
        ("SELECT * FROM echolot_g1.m", "ACCESS_DENIED"),
        ("INSERT INTO echolot_g1.m VALUES (3)", "ACCESS_DENIED"),
        ("CREATE TABLE echolot.z (x Int32) ENGINE Memory", "ACCESS_DENIED"),
        ("DROP TABLE echolot_g1.m", "ACCESS_DENIED"),
        ("SELECT * FROM system.users", "ACCESS_DENIED"),
        ("SELECT * FROM file('/etc/passwd', 'LineAsString')", "ACCESS_DENIED"),
        ("SET readonly = 0", "READONLY"),
        ("SELECT 1 SETTINGS max_execution_time = 3600", "SETTING_CONSTRAINT_VIOLATION"),
        ("SELECT 1 SETTINGS max_memory_usage = 0", "SETTING_CONSTRAINT_VIOLATION"),
    ] {
        let error = analyst(sql).await.unwrap_err();
        assert!(error.contains(reason), "{sql}: {error}");
    }
    supervisor.stop(Duration::from_secs(9)).await;
}

#[tokio::test]
async fn the_user_without_a_password_reads_neither_tables_nor_files() {
    let folder = tempfile::tempdir().unwrap();
    let supervisor = start(&folder, only_clickhouse()).await;
    application(&supervisor, "CREATE DATABASE echolot").await;
    application(&supervisor, "CREATE TABLE echolot.m (x Int32) ENGINE MergeTree ORDER BY x").await;
    let url = supervisor.endpoints().clickhouse.as_ref().unwrap().url.clone();
    let nobody = Login { user: "default".to_owned(), password: String::new().into() };
    for sql in [
        "SELECT * FROM echolot.m",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SYSTEM SHUTDOWN",
    ] {
        let error = query(&url, &nobody, sql).await.unwrap_err();
        assert!(error.contains("ACCESS_DENIED"), "{sql}: {error}");
    }
    let wrong = Login { user: "echolot".to_owned(), password: "guess".to_owned().into() };
    let error = query(&url, &wrong, "SELECT 1").await.unwrap_err();
    assert!(error.contains("AUTHENTICATION_FAILED"), "{error}");
    supervisor.stop(Duration::from_secs(9)).await;
}

#[tokio::test]
async fn inserts_are_refused_while_the_disk_has_too_little_left() {
    let folder = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    let data_dir = Some(data.path().to_owned());
    let roomy = ClickHouseOptions { data_dir, ..ClickHouseOptions::default() };
    let full = ClickHouseOptions { keep_free_bytes: 1 << 60, ..roomy.clone() };

    let supervisor = start(&folder, with_clickhouse(roomy.clone())).await;
    application(&supervisor, "CREATE DATABASE echolot").await;
    application(&supervisor, "CREATE TABLE echolot.m (x Int32) ENGINE MergeTree ORDER BY x").await;
    application(&supervisor, "INSERT INTO echolot.m VALUES (1)").await;
    supervisor.stop(Duration::from_secs(9)).await;
    assert!(data.path().read_dir().unwrap().next().is_some(), "the given folder is used");

    let supervisor = start(&folder, with_clickhouse(full)).await;
    let endpoint = supervisor.endpoints().clickhouse.clone().unwrap();
    let insert = "INSERT INTO echolot.m VALUES (2)";
    let error = query(&endpoint.url, &endpoint.application, insert).await.unwrap_err();
    assert!(error.contains("NOT_ENOUGH_SPACE"), "{error}");
    supervisor.stop(Duration::from_secs(9)).await;

    let supervisor = start(&folder, with_clickhouse(roomy)).await;
    application(&supervisor, insert).await;
    assert_eq!(application(&supervisor, "SELECT sum(x) FROM echolot.m").await, "3");
    supervisor.stop(Duration::from_secs(9)).await;
}
