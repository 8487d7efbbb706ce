use echolot_pipeline::{
    clock::Clock,
    stage::{Fault, Stage},
};
use echolot_store::{ClickHouseSettings, Store};
use secrecy::SecretString;

use crate::{
    lab::{Lab, Settle},
    log::{at, brand, enriched, live},
};

#[tokio::test]
async fn the_row_that_the_store_refuses_is_found_by_halving() {
    let lab = Lab::new().await;
    let mut batch: Vec<_> = (0..64).map(|n| at(0, n, live(enriched(&format!("m{n}"))))).collect();
    let mut bad = enriched("m41");
    bad.brands = vec![brand("*")];
    batch[41] = at(0, 41, live(bad));
    let mut writer = lab.writer([0]).await;
    // As the runtime does it.
    let mut refused = Vec::new();
    let mut parts = vec![&batch[..]];
    while let Some(part) = parts.pop() {
        match writer.settle(part).await {
            Ok(_) => {}
            Err(Fault::Refused(reason)) if part.len() == 1 => {
                refused.push((part[0].position.offset, reason));
            }
            Err(Fault::Refused(_)) => {
                let (left, right) = part.split_at(part.len() / 2);
                parts.extend([right, left]);
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].0, 41);
    assert!(refused[0].1.contains("brands_are_names"), "{}", refused[0].1);
    assert_eq!(lab.mentions().await.len(), 63);
    lab.assert_sound().await;
}

#[tokio::test]
async fn what_cannot_be_counted_rightly_is_refused() {
    let lab = Lab::new().await;
    let mut writer = lab.writer([0]).await;
    let cases: [fn(&mut echolot_schemas::enriched::Enriched); 4] = [
        |m| m.brands = vec![brand("Lumo"), brand("Lumo")],
        |m| m.mention.engagement.likes = Some(u64::MAX),
        |m| m.mention.published_at = echolot_schemas::Timestamp::from_millis(5_000_000_000_000),
        |m| m.sentiment.distribution.positive = f32::NAN,
    ];
    for (n, spoil) in (0..).zip(cases) {
        let mut bad = enriched(&format!("m{n}"));
        spoil(&mut bad);
        let fault = writer.settle(&[at(0, n, live(bad))]).await.unwrap_err();
        assert!(matches!(fault, Fault::Refused(_)), "case {n}: {fault:?}");
    }
    assert!(lab.mentions().await.is_empty());
}

#[tokio::test]
async fn an_unreachable_store_is_waited_for_and_a_wrong_password_is_not() {
    let lab = Lab::new().await;
    let nobody =
        ClickHouseSettings { url: "http://127.0.0.1:9".to_owned(), ..lab.settings.clone() };
    let fault = Fault::from(Store::new(&nobody).unwrap().ping().await.unwrap_err());
    assert!(matches!(fault, Fault::Transient(_)), "{fault:?}");
    let wrong =
        ClickHouseSettings { password: SecretString::from("wrong").into(), ..lab.settings.clone() };
    let fault = Fault::from(Store::new(&wrong).unwrap().ping().await.unwrap_err());
    assert!(
        matches!(&fault, Fault::Fatal(text) if text.contains("clickhouse.password")),
        "{fault:?}"
    );
}

#[tokio::test]
async fn a_store_without_tables_says_how_to_make_them() {
    let lab = Lab::new().await;
    lab.execute(&format!("DROP DATABASE {}_g1 SYNC", lab.settings.database)).await;
    let metrics = echolot_sink::SinkMetrics::new(&prometheus::Registry::new()).unwrap();
    let clock = Clock::stopped_at(echolot_schemas::Timestamp::from_millis(0));
    let settings = crate::lab::sink_settings();
    let mut writer = echolot_sink::Writer::new(lab.store.clone(), 1, &settings, metrics, clock);
    let fault = writer.assigned(&[0]).await.unwrap_err();
    assert!(matches!(&fault, Fault::Fatal(text) if text.contains("echolot migrate")), "{fault:?}");
}
