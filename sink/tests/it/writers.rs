use echolot_pipeline::stage::{Fault, Stage, Verdict};
use echolot_schemas::dead_letter::Reason;

use crate::{
    lab::{Lab, Settle},
    log::{at, enriched, live, log_of},
};

#[tokio::test]
async fn two_writers_on_different_partitions_count_apart_into_the_same_buckets() {
    let lab = Lab::new().await;
    let log = |partition| {
        log_of(partition, (0..300).map(|n| live(enriched(&format!("p{partition}m{n}")))))
    };
    let (first_log, second_log) = (log(0), log(1));
    let (mut first, mut second) = (lab.writer([0, 2]).await, lab.writer([1]).await);
    for (a, b) in first_log.chunks(40).zip(second_log.chunks(40)) {
        let (a, b) = tokio::join!(first.settle(a), second.settle(b));
        a.unwrap();
        b.unwrap();
    }
    assert_eq!(lab.mentions().await.len(), 600);
    let totals: Vec<u64> =
        lab.counts().await.into_iter().filter(|(k, _)| k.1 == "*").map(|(_, c)| c.0).collect();
    assert_eq!(totals, [600]);
    lab.assert_sound().await;
}

#[tokio::test]
async fn a_partition_that_moves_in_mid_batch_is_counted_once() {
    let lab = Lab::new().await;
    let log = log_of(0, (0..400).map(|n| live(enriched(&format!("m{}", n % 250)))));
    let mut loser = lab.writer([0]).await;
    loser.settle(&log[..100]).await.unwrap();
    // The successor starts at the last commit while the loser still writes what it had read.
    let mut successor = lab.writer([0]).await;
    let (late, first) =
        tokio::join!(loser.settle(&log[100..300]), successor.settle(&log[100..180]));
    late.unwrap();
    first.unwrap();
    successor.settle(&log[180..]).await.unwrap();
    assert_eq!(lab.mentions().await.len(), 250);
    lab.assert_sound().await;
}

#[tokio::test]
async fn a_partition_that_was_lost_and_came_back_is_known_again() {
    let lab = Lab::new().await;
    let mut writer = lab.writer([0, 1]).await;
    writer.assigned(&[1]).await.unwrap();
    lab.writer([0]).await.settle(&[at(0, 1, live(enriched("m")))]).await.unwrap();
    writer.assigned(&[0, 1]).await.unwrap();
    let mut moved = enriched("m");
    moved.mention.published_at = echolot_schemas::Timestamp::from_millis(crate::log::NOON + 90_000);
    writer.settle(&[at(0, 2, live(moved))]).await.unwrap();
    assert_eq!(lab.mentions().await.len(), 1);
    lab.assert_sound().await;
}

#[tokio::test]
async fn an_item_of_a_partition_never_assigned_stops_the_stage() {
    let lab = Lab::new().await;
    let fault = lab.writer([0]).await.settle(&[at(1, 1, live(enriched("m")))]).await.unwrap_err();
    assert!(matches!(fault, Fault::Fatal(_)));
    assert!(lab.mentions().await.is_empty());
}

#[tokio::test]
async fn an_item_on_the_wrong_partition_is_rejected_alone() {
    let lab = Lab::new().await;
    let mut stray = at(1, 2, live(enriched("stray")));
    stray.position.partition = 0;
    let verdicts =
        lab.writer([0]).await.settle(&[at(0, 1, live(enriched("m"))), stray]).await.unwrap();
    assert!(
        matches!(&verdicts[..], [Verdict::Emit(()), Verdict::Reject(r)] if r.reason == Reason::Invalid)
    );
    assert_eq!(lab.mentions().await.len(), 1);
    lab.assert_sound().await;
}
