use clickhouse::Row;
use echolot_pipeline::stage::{Dropped, Verdict};
use serde::Deserialize;

use crate::{
    lab::{Lab, Settle},
    log::{at, enriched, erased, live},
};

#[derive(Row, Deserialize)]
struct Left {
    rows: u64,
    personal: u64,
}

#[tokio::test]
async fn a_deleted_mention_is_gone_from_counts_and_after_a_merge_from_the_disk() {
    let lab = Lab::new().await;
    let mut writer = lab.writer([0]).await;
    let mentions = [at(0, 1, live(enriched("m"))), at(0, 2, live(enriched("other")))];
    writer.settle(&mentions).await.unwrap();
    assert_eq!(writer.settle(&[at(0, 3, erased("m"))]).await.unwrap(), [Verdict::Emit(())]);
    assert_eq!(lab.mentions().await.len(), 1);
    lab.assert_sound().await;

    let table = format!("{}_g1.mentions", lab.settings.database);
    lab.execute(&format!("OPTIMIZE TABLE {table} FINAL")).await;
    let left: Vec<Left> = lab
        .query(&format!(
            "SELECT count() AS rows, countIf(text != '' OR author != '' OR native_id != '') AS personal \
             FROM {table}"
        ))
        .await;
    assert_eq!((left[0].rows, left[0].personal), (2, 1), "the tombstone stays, the text does not");
}

#[tokio::test]
async fn nothing_follows_a_deletion() {
    const DELETED: Verdict<()> = Verdict::Drop(Dropped::Deleted);
    let lab = Lab::new().await;
    let mut writer = lab.writer([0]).await;
    // In one batch, in the next one, and for another writer.
    let batch =
        [at(0, 1, live(enriched("m"))), at(0, 2, erased("m")), at(0, 3, live(enriched("m")))];
    let verdicts = writer.settle(&batch).await.unwrap();
    assert_eq!(verdicts, [Verdict::Drop(Dropped::Superseded), Verdict::Emit(()), DELETED]);
    let later = writer.settle(&[at(0, 4, live(enriched("m")))]).await.unwrap();
    assert_eq!(later, [DELETED]);
    let elsewhere = lab.writer([0]).await.settle(&[at(0, 5, live(enriched("m")))]).await.unwrap();
    assert_eq!(elsewhere, [DELETED]);
    assert!(lab.mentions().await.is_empty());
    assert!(lab.counts().await.is_empty());
    lab.assert_sound().await;
}

#[tokio::test]
async fn a_deletion_before_its_mention_keeps_it_out() {
    let lab = Lab::new().await;
    assert_eq!(
        lab.writer([0]).await.settle(&[at(0, 1, erased("m"))]).await.unwrap(),
        [Verdict::Emit(())]
    );
    let late = lab.writer([0]).await.settle(&[at(0, 2, live(enriched("m")))]).await.unwrap();
    assert_eq!(late, [Verdict::Drop(Dropped::Deleted)]);
    assert!(lab.mentions().await.is_empty());
    lab.assert_sound().await;
}

#[tokio::test]
async fn a_replay_after_a_deletion_does_not_resurrect() {
    let lab = Lab::new().await;
    let log = [at(0, 1, live(enriched("m"))), at(0, 2, erased("m"))];
    lab.writer([0]).await.settle(&log).await.unwrap();
    for _ in 0..2 {
        let mut writer = lab.writer([0]).await;
        for item in &log {
            writer.settle(std::slice::from_ref(item)).await.unwrap();
        }
    }
    assert!(lab.mentions().await.is_empty());
    assert!(lab.counts().await.is_empty());
    lab.assert_sound().await;
}

#[tokio::test]
async fn a_deletion_that_comes_late_still_wins() {
    let lab = Lab::new().await;
    let mut writer = lab.writer([0]).await;
    writer.settle(&[at(0, 9, live(enriched("m")))]).await.unwrap();
    // A dead letter put back: its offset is below that of the stored state.
    assert_eq!(writer.settle(&[at(0, 3, erased("m"))]).await.unwrap(), [Verdict::Emit(())]);
    assert!(lab.mentions().await.is_empty());
    let again = writer.settle(&[at(0, 9, live(enriched("m")))]).await.unwrap();
    assert_eq!(again, [Verdict::Drop(Dropped::Deleted)]);
    assert!(lab.counts().await.is_empty());
    lab.assert_sound().await;
}
