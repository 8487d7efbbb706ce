use echolot_pipeline::stage::{Dropped, Verdict};
use echolot_schemas::{Timestamp, enriched::Polarity};

use crate::{
    lab::{Lab, Settle},
    log::{NOON, at, brand, enriched, id, live, sentiment, unmatched},
};

fn bucket(millis: i64) -> u32 {
    u32::try_from(millis / 10_000 * 10).unwrap()
}

#[tokio::test]
async fn an_edit_of_everything_moves_the_counts_and_keeps_one_row() {
    let lab = Lab::new().await;
    let mut before = enriched("m");
    before.brands = vec![brand("Lumo")];
    before.sentiment = sentiment(Polarity::Negative);
    lab.writer([0]).await.settle(&[at(0, 1, live(before))]).await.unwrap();

    let mut after = enriched("m");
    after.brands = vec![brand("Ferra")];
    after.sentiment = sentiment(Polarity::Positive);
    "en".clone_into(&mut after.language.code);
    after.mention.published_at = Timestamp::from_millis(NOON + 86_400_000 * 40);
    // Another writer, which knows the mention from the store only.
    lab.writer([0]).await.settle(&[at(0, 2, live(after))]).await.unwrap();

    let mentions = lab.mentions().await;
    assert_eq!(mentions.len(), 1);
    let mention = &mentions[&id("m")];
    assert_eq!((mention.published_at, mention.language.as_str()), (NOON, "en"));
    let key = |brand: &str, language: &str| (bucket(NOON), brand.to_owned(), language.to_owned());
    let counts = lab.counts().await;
    assert_eq!(counts.len(), 2, "{counts:?}");
    assert_eq!(counts[&key("Ferra", "en")], (1, 1, 3));
    assert_eq!(counts[&key("*", "en")], (1, 1, 3));
    lab.assert_sound().await;
}

#[tokio::test]
async fn a_mention_that_lost_its_brand_goes_and_may_come_back() {
    let lab = Lab::new().await;
    let mut writer = lab.writer([0]).await;
    let unknown = writer.settle(&[at(0, 0, unmatched("never seen"))]).await.unwrap();
    assert_eq!(unknown, [Verdict::Drop(Dropped::Unmatched)]);

    writer.settle(&[at(0, 1, live(enriched("m")))]).await.unwrap();
    assert_eq!(writer.settle(&[at(0, 2, unmatched("m"))]).await.unwrap(), [Verdict::Emit(())]);
    assert!(lab.mentions().await.is_empty());
    assert!(lab.counts().await.is_empty());
    lab.assert_sound().await;

    let mut back = enriched("m");
    back.mention.published_at = Timestamp::from_millis(NOON + 120_000);
    writer.settle(&[at(0, 3, live(back))]).await.unwrap();
    assert_eq!(lab.mentions().await[&id("m")].published_at, NOON);
    assert_eq!(lab.counts().await.len(), 2);
    lab.assert_sound().await;
}

#[tokio::test]
async fn ids_are_found_after_merges_too() {
    let lab = Lab::new().await;
    let mut writer = lab.writer([0]).await;
    for round in 0..4_i64 {
        let batch: Vec<_> =
            (0..300).map(|n| at(0, round * 300 + n, live(enriched(&format!("m{n}"))))).collect();
        writer.settle(&batch).await.unwrap();
    }
    lab.execute(&format!("OPTIMIZE TABLE {}_g1.mentions FINAL", lab.settings.database)).await;
    let mut moved = enriched("m7");
    moved.mention.published_at = Timestamp::from_millis(NOON + 3_600_000);
    lab.writer([0]).await.settle(&[at(0, 5000, live(moved))]).await.unwrap();
    assert_eq!(lab.mentions().await.len(), 300);
    lab.assert_sound().await;
}
