use echolot_pipeline::stage::{Dropped, Verdict};
use echolot_schemas::enriched::Polarity;

use crate::{
    lab::{Lab, Settle},
    log::{NOON, at, brand, enriched, live, log_of, sentiment},
};

#[tokio::test]
async fn the_same_batch_again_changes_nothing() {
    let lab = Lab::new().await;
    let batch = log_of(
        0,
        (0..500).map(|n| {
            let mut mention = enriched(&format!("m{n}"));
            mention.mention.published_at = echolot_schemas::Timestamp::from_millis(NOON + n * 137);
            mention.brands = if n % 2 == 0 { vec![brand("Lumo"), brand("Ferra")] } else { vec![] };
            mention.sentiment = sentiment(Polarity::ALL[usize::try_from(n % 3).unwrap()]);
            live(mention)
        }),
    );
    let mut writer = lab.writer([0]).await;
    assert!(writer.settle(&batch).await.unwrap().iter().all(|v| *v == Verdict::Emit(())));
    let (mentions, counts) = (lab.mentions().await, lab.counts().await);
    assert_eq!(mentions.len(), 500);
    let total: u64 = counts.iter().filter(|(k, _)| k.1 == "*").map(|(_, c)| c.0).sum();
    assert_eq!(total, 500, "a mention of two brands is one mention");
    let lumo: u64 = counts.iter().filter(|(k, _)| k.1 == "Lumo").map(|(_, c)| c.0).sum();
    assert_eq!(lumo, 250);

    // To the same writer, to a new one, and in other cuts.
    writer.settle(&batch).await.unwrap();
    let mut successor = lab.writer([0]).await;
    for cut in batch.chunks(73) {
        successor.settle(cut).await.unwrap();
    }
    assert_eq!(lab.mentions().await, mentions);
    assert_eq!(lab.counts().await, counts);
    lab.assert_sound().await;
}

#[tokio::test]
async fn an_older_state_delivered_again_does_not_come_back() {
    let lab = Lab::new().await;
    let mut newer = enriched("m");
    "neuer Text".clone_into(&mut newer.mention.text);
    let batch = [at(0, 1, live(enriched("m"))), at(0, 2, live(newer))];
    let mut writer = lab.writer([0]).await;
    let verdicts = writer.settle(&batch).await.unwrap();
    assert_eq!(verdicts, [Verdict::Drop(Dropped::Superseded), Verdict::Emit(())]);
    let again = writer.settle(&batch[..1]).await.unwrap();
    assert_eq!(again, [Verdict::Drop(Dropped::Superseded)]);
    let mentions = lab.mentions().await;
    assert_eq!(mentions.values().map(|m| m.text.as_str()).collect::<Vec<_>>(), ["neuer Text"]);
    lab.assert_sound().await;
}

#[tokio::test]
async fn an_old_event_put_back_after_newer_ones_is_counted() {
    let lab = Lab::new().await;
    let mut writer = lab.writer([0]).await;
    let others = (0..50).map(|n| at(0, 500 + n, live(enriched(&format!("m{n}")))));
    writer.settle(&others.collect::<Vec<_>>()).await.unwrap();
    // A dead letter that was retried: same bucket, much older offset.
    let late = [at(0, 7, live(enriched("late")))];
    lab.writer([0]).await.settle(&late).await.unwrap();
    let bucket = u32::try_from(NOON / 1000).unwrap();
    let counts = lab.counts().await;
    assert_eq!(counts[&(bucket, "*".to_owned(), "de".to_owned())].0, 51);
    lab.assert_sound().await;
}

#[tokio::test]
async fn scoring_the_same_raw_event_again_replaces_its_scores() {
    let lab = Lab::new().await;
    let mut writer = lab.writer([0]).await;
    writer.settle(&[at(0, 4, live(enriched("m")))]).await.unwrap();
    let mut rescored = enriched("m");
    rescored.sentiment = sentiment(Polarity::Positive);
    writer.settle(&[at(0, 4, live(rescored))]).await.unwrap();
    assert_eq!(lab.mentions().await.values().map(|m| m.polarity).collect::<Vec<_>>(), [1]);
    assert_eq!(lab.counts().await.values().map(|c| c.1).collect::<Vec<_>>(), [1, 1]);
    lab.assert_sound().await;
}
