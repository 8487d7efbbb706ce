use std::collections::BTreeMap;

use echolot_sink::{State, audit::StoreAudit};

use crate::{
    lab::{Lab, Settle},
    log::{at, enriched, erased, id, live, unmatched},
};

#[tokio::test]
async fn every_mention_is_told_with_its_latest_state_and_event() {
    let lab = Lab::new().await;
    let mut writer = lab.writer([0, 1]).await;
    for batch in [
        vec![at(0, 1, live(enriched("a"))), at(0, 2, live(enriched("b")))],
        vec![at(0, 3, live(enriched("c"))), at(0, 4, erased("b")), at(1, 9, live(enriched("d")))],
        vec![at(0, 5, live(enriched("a"))), at(0, 6, unmatched("c")), at(0, 7, erased("e"))],
    ] {
        writer.settle(&batch).await.unwrap();
    }
    let mut told = BTreeMap::new();
    let mut mentions = StoreAudit::new(&lab.store, 1).mentions(0).unwrap();
    while let Some(mention) = mentions.next().await.unwrap() {
        assert!(told.insert(mention.id, (mention.raw_offset, mention.state)).is_none());
    }
    let expected = BTreeMap::from([
        (id("a"), (5, State::Live)),
        (id("b"), (4, State::Erased)),
        (id("c"), (6, State::Unmatched)),
        (id("e"), (7, State::Erased)),
    ]);
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_mention_under_two_times_and_a_wrong_count_are_found() {
    let lab = Lab::new().await;
    let batch = [at(0, 1, live(enriched("m"))), at(0, 2, live(enriched("other")))];
    lab.writer([0]).await.settle(&batch).await.unwrap();
    lab.assert_sound().await;
    let database = format!("{}_g1", lab.settings.database);
    lab.execute(&format!(
        "INSERT INTO {database}.mentions (id, published_at, source, language, raw_partition, \
         raw_offset) SELECT id, published_at + 60, source, language, 0, 3 \
         FROM {database}.mentions WHERE native_id = 'm'"
    ))
    .await;
    let audit = StoreAudit::new(&lab.store, 1);
    let doubled = audit.doubled(0, 5).await.unwrap();
    assert_eq!((doubled.count, doubled.examples), (1, vec![id("m")]));
    // Counted nowhere: once under all mentions, once under no brand.
    let differing = audit.differing(0, 1).await.unwrap();
    assert_eq!((differing.count, differing.examples.len()), (2, 1));
    assert_eq!((differing.examples[0].aggregated, differing.examples[0].recounted), (0, 1));
    assert_eq!(audit.differing(1, 5).await.unwrap().count, 0);
}
