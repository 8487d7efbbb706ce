use clickhouse::Row;
use echolot_pipeline::{clock::Clock, stage::Stage};
use echolot_sink::{
    GenerationChoice, Writer,
    generations::{self, GenerationState},
};
use echolot_store::{ClickHouseSettings, StoreError};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::{
    lab::{Lab, Settle, client, sink_settings},
    log::{at, enriched, live},
    server,
};

#[derive(Row, Deserialize)]
struct Count {
    count: u64,
}

#[tokio::test]
async fn migrating_again_changes_nothing() {
    let lab = Lab::new().await;
    let number = generations::migrate(&lab.store, GenerationChoice::Promoted).await.unwrap();
    assert_eq!(number, 1);
    let noted: Vec<Count> = lab
        .query(&format!(
            "SELECT count() AS count FROM {}_g1.schema_migrations",
            lab.settings.database
        ))
        .await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/clickhouse/generation");
    assert_eq!(noted[0].count, std::fs::read_dir(folder).unwrap().count() as u64);
}

#[tokio::test]
async fn a_changed_migration_is_refused_with_its_number() {
    let lab = Lab::new().await;
    lab.execute(&format!(
        "INSERT INTO {}_g1.schema_migrations (number, name, sha256, applied_at) \
         VALUES (1, 'x', repeat('0', 64), now64(3) + 10)",
        lab.settings.database
    ))
    .await;
    let error = generations::migrate(&lab.store, GenerationChoice::Promoted).await.unwrap_err();
    assert!(matches!(error, StoreError::Altered { number: 1, .. }), "{error}");
}

#[tokio::test]
async fn a_rebuilt_generation_is_shown_only_once_it_is_promoted() {
    let lab = Lab::new().await;
    lab.writer([0]).await.settle(&[at(0, 1, live(enriched("old")))]).await.unwrap();
    let next = generations::create_next(&lab.store).await.unwrap();
    assert_eq!(next, 2);
    let metrics = echolot_sink::SinkMetrics::new(&prometheus::Registry::new()).unwrap();
    let clock = Clock::stopped_at(echolot_schemas::Timestamp::from_millis(0));
    let mut writer = Writer::new(lab.store.clone(), next, &sink_settings(), metrics, clock);
    writer.assigned(&[0]).await.unwrap();
    let rebuilt = [at(0, 1, live(enriched("old"))), at(0, 2, live(enriched("new")))];
    writer.settle(&rebuilt).await.unwrap();

    assert_eq!(lab.mentions().await.len(), 1);
    generations::promote(&lab.store, next).await.unwrap();
    assert_eq!(lab.mentions().await.len(), 2);
    assert_eq!(generations::promoted(&lab.store).await.unwrap(), Some(2));

    let refused = generations::drop(&lab.store, 2).await.unwrap_err();
    assert_eq!(refused, StoreError::Promoted(2));
    generations::drop(&lab.store, 1).await.unwrap();
    let states: Vec<_> =
        generations::list(&lab.store).await.unwrap().into_iter().map(|g| g.state).collect();
    assert_eq!(states, [GenerationState::Dropped, GenerationState::Promoted]);
    assert_eq!(generations::promote(&lab.store, 1).await, Err(StoreError::NoGeneration(1)));
    assert_eq!(generations::create_next(&lab.store).await.unwrap(), 3, "no number comes twice");
}

#[tokio::test]
async fn an_analyst_reads_the_views_and_writes_nothing() {
    let lab = Lab::named("echolot").await;
    lab.writer([0]).await.settle(&[at(0, 1, live(enriched("m")))]).await.unwrap();
    let analyst = &server::shared().await.analyst;
    let settings = ClickHouseSettings {
        user: analyst.user.clone(),
        password: SecretString::from(analyst.password.expose_secret()).into(),
        ..lab.settings.clone()
    };
    let analyst = client(&settings);
    let database = &lab.settings.database;
    for view in [
        "mentions",
        "sentiment_by_minute",
        "sentiment_by_hour",
        "sentiment_by_day",
        "score_provenance",
    ] {
        let rows: u64 = analyst
            .query_raw(&format!("SELECT count() FROM (SELECT * FROM {database}.{view})"))
            .fetch_one()
            .await
            .unwrap();
        assert!(rows > 0, "{view}");
    }
    for forbidden in [
        format!("INSERT INTO {database}.generations (generation) VALUES (9)"),
        format!("DROP VIEW {database}.mentions"),
        format!("TRUNCATE TABLE {database}_g1.mentions"),
    ] {
        analyst.query_raw(&forbidden).execute().await.unwrap_err();
    }
    assert_eq!(lab.mentions().await.len(), 1);
}

#[tokio::test]
async fn every_table_view_and_column_is_described() {
    let lab = Lab::new().await;
    let database = &lab.settings.database;
    for (what, table) in [("name", "tables"), ("concat(table, '.', name)", "columns")] {
        let bare: Vec<String> = lab
            .query(&format!(
                "SELECT {what} FROM system.{table} \
                 WHERE database IN ('{database}', '{database}_g1') AND comment = ''"
            ))
            .await;
        assert!(bare.is_empty(), "{bare:?}");
    }
}
