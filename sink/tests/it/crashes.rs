use std::time::Duration;

use echolot_pipeline::stage::Fault;

use crate::{
    lab::{Lab, Settle},
    log::{enriched, live, log_of},
    proxy::{Break, Proxy},
};

/// The statement stands in the address, the rows in the body.
const INSERT: &[u8] = b"INSERT+INTO";
const RECOMPUTE: &[u8] = b"sentiment_10s (bucket";

async fn a_connection_that_breaks(needle: &'static [u8], how: Break) {
    let lab = Lab::new().await;
    let proxy = Proxy::start(&lab.settings, needle, how).await;
    let batch = log_of(0, (0..200).map(|n| live(enriched(&format!("m{n}")))));
    let mut writer = lab.writer_through(&proxy.store, [0]).await;
    let fault = writer.settle(&batch).await.unwrap_err();
    assert!(proxy.broke(), "the needle never passed");
    assert!(matches!(fault, Fault::Transient(_)), "{fault:?}");
    // The process dies with it; another one gets the batch again, cut differently.
    drop(writer);
    let mut successor = lab.writer([0]).await;
    for cut in batch.chunks(64) {
        successor.settle(cut).await.unwrap();
    }
    assert_eq!(lab.mentions().await.len(), 200);
    lab.assert_sound().await;
}

#[tokio::test]
async fn dying_before_the_insert_loses_nothing() {
    a_connection_that_breaks(INSERT, Break::Before).await;
}

#[tokio::test]
async fn dying_after_the_server_took_the_insert_doubles_nothing() {
    a_connection_that_breaks(INSERT, Break::After).await;
}

#[tokio::test]
async fn dying_between_insert_and_recomputation_heals_on_redelivery() {
    a_connection_that_breaks(RECOMPUTE, Break::Before).await;
}

#[tokio::test]
async fn dying_after_the_recomputation_changes_nothing() {
    a_connection_that_breaks(RECOMPUTE, Break::After).await;
}

#[tokio::test]
async fn a_writer_that_tries_again_itself_heals_too() {
    let lab = Lab::new().await;
    let proxy = Proxy::start(&lab.settings, RECOMPUTE, Break::Before).await;
    let batch = log_of(0, (0..50).map(|n| live(enriched(&format!("m{n}")))));
    let mut writer = lab.writer_through(&proxy.store, [0]).await;
    writer.settle(&batch).await.unwrap_err();
    assert!(lab.counts().await.is_empty());
    writer.settle(&batch).await.unwrap();
    assert_eq!(lab.counts().await.len(), 2);
    lab.assert_sound().await;
}

#[tokio::test]
async fn dying_at_any_moment_leaves_nothing_lost_and_nothing_doubled() {
    let lab = Lab::new().await;
    let log = log_of(0, (0..600).map(|n| live(enriched(&format!("m{}", n % 400)))));
    let mut committed = 0;
    let mut tried = 0_u64;
    while committed < log.len() {
        let mut writer = lab.writer([0]).await;
        let end = (committed + 120).min(log.len());
        // Longer every time: deaths fall into each phase, and the end is reached on any machine.
        let life = Duration::from_millis(tried * 5);
        tried += 1;
        assert!(tried < 1000, "it never got on");
        let judged = tokio::time::timeout(life, writer.settle(&log[committed..end])).await;
        if judged.is_ok_and(|verdicts| verdicts.is_ok()) {
            committed = end;
        }
    }
    assert!(tried > 5, "nobody died");
    assert_eq!(lab.mentions().await.len(), 400);
    lab.assert_sound().await;
}
