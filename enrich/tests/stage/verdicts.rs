use echolot_pipeline::stage::{Item, Stage, Verdict};
use echolot_schemas::{
    EnrichedEvent, RawEvent, RawPosition, dead_letter::Reason, enriched::Polarity, raw::Deleted,
};
use proptest::prelude::*;

use super::{NOW, OBSERVED, batch, built_in, mention, observed, settings};

#[tokio::test]
async fn an_observed_mention_gets_language_sentiment_and_brands_with_their_models() {
    let mut stage = built_in(&settings());
    let items = batch(&["Die Tramio-App ist wirklich sehr gut, vielen Dank dafür!"]);
    let verdicts = stage.judge(&items).await.unwrap();
    let [Verdict::Emit(EnrichedEvent::Enriched(enriched))] = &verdicts[..] else {
        panic!("{verdicts:?}")
    };
    assert_eq!(enriched.raw, RawPosition { partition: 3, offset: 0 });
    assert_eq!((enriched.observed_at, enriched.enriched_at), (OBSERVED, NOW));
    assert_eq!(enriched.language.code, "de");
    assert_eq!(enriched.language.model.id, "whichlang-hinted");
    assert_eq!(enriched.sentiment.polarity, Polarity::Positive);
    assert_eq!(enriched.sentiment.model.id, "lexicon-de-en");
    assert_eq!(enriched.sentiment.model.hash.len(), 12);
    assert_eq!(enriched.brands[0].brand, "Tramio");
    assert_eq!(enriched.brands[0].version.len(), 12);
    assert_eq!(enriched.mention.text, "Die Tramio-App ist wirklich sehr gut, vielen Dank dafür!");
}

#[tokio::test]
async fn of_a_long_text_the_one_brand_gets_the_sentiment_of_what_surrounds_its_name() {
    let bad = "Der Urlaub war furchtbar schlecht und das Hotel schrecklich laut. ".repeat(20);
    let praise = "Die Tramio war sehr gut und wunderbar pünktlich. ";
    let neutral = "Wir fuhren um neun Uhr los. ".repeat(3);
    let long = format!("{bad}{neutral}{praise}{neutral}{bad}");
    let verdicts = built_in(&settings()).judge(&batch(&[&long, praise])).await.unwrap();
    let [
        Verdict::Emit(EnrichedEvent::Enriched(long)),
        Verdict::Emit(EnrichedEvent::Enriched(short)),
    ] = &verdicts[..]
    else {
        panic!("{verdicts:?}")
    };
    let brand = &long.brands[0];
    let target = &long.mention.text[brand.target[0].start as usize..brand.target[0].end as usize];
    assert!(target.contains(praise) && !target.contains("Hotel"), "{target}");
    assert_eq!(long.sentiment.polarity, Polarity::Negative);
    assert_eq!(long.sentiment_about(brand).polarity, Polarity::Positive);
    // A post is about its brand from end to end.
    assert!(short.brands[0].target.is_empty() && short.brands[0].sentiment.is_none());
}

#[tokio::test]
async fn a_deleted_mention_is_erased() {
    let gone = mention("p1", "x");
    let deleted = Deleted { id: gone.id, source: gone.source.clone(), observed_at: OBSERVED };
    let position = RawPosition { partition: 0, offset: 9 };
    let items = [Item { event: RawEvent::Deleted(deleted), position }];
    let verdicts = built_in(&settings()).judge(&items).await.unwrap();
    let [Verdict::Emit(EnrichedEvent::Erased(retracted))] = &verdicts[..] else {
        panic!("{verdicts:?}")
    };
    assert_eq!((retracted.id, retracted.raw), (gone.id, position));
}

#[tokio::test]
async fn a_mention_of_no_brand_is_unmatched_only_where_such_are_not_kept() {
    let items = batch(&["Wir warten auf die Tram", "tramio kommt"]);
    let mut wanted = settings();
    let kept = built_in(&wanted).judge(&items).await.unwrap();
    assert!(kept.iter().all(|v| matches!(v, Verdict::Emit(EnrichedEvent::Enriched(_)))));
    wanted.keep_unmatched = false;
    let verdicts = built_in(&wanted).judge(&items).await.unwrap();
    assert!(matches!(&verdicts[0], Verdict::Emit(EnrichedEvent::Unmatched(_))));
    assert!(matches!(&verdicts[1], Verdict::Emit(EnrichedEvent::Enriched(_))));
}

#[tokio::test]
async fn what_is_wrong_is_rejected_by_field_and_its_neighbours_go_on() {
    let mut forged = mention("p1", "schön");
    forged.native_id = "p2".to_owned();
    let items = [
        observed(mention("p0", "schön"), 0),
        observed(forged, 1),
        observed(mention("p2", "  "), 2),
        observed(mention("p3", &"x".repeat(70_000)), 3),
        observed(mention("p4", "a\0b"), 4),
        observed(mention("p5", "schön"), 5),
    ];
    let verdicts = built_in(&settings()).judge(&items).await.unwrap();
    let details: Vec<&str> = verdicts
        .iter()
        .map(|verdict| match verdict {
            Verdict::Reject(rejection) => {
                assert_eq!(rejection.reason, Reason::Invalid);
                rejection.detail.split(':').next().unwrap()
            }
            _ => "ok",
        })
        .collect();
    assert_eq!(details, ["ok", "id", "text", "text", "text", "ok"]);
}

#[tokio::test]
async fn an_empty_batch_is_no_fault() {
    assert_eq!(built_in(&settings()).judge(&[]).await.unwrap(), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_texts_judged_together_on_any_threads_are_judged_as_alone_and_in_order(
        texts in prop::collection::vec(".{0,80}", 1..40),
        threads in 1_usize..4,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let mut wanted = settings();
        wanted.threads = threads;
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let items = batch(&texts);
        runtime.block_on(async {
            let mut stage = built_in(&wanted);
            let together = stage.judge(&items).await.unwrap();
            prop_assert_eq!(together.len(), items.len());
            for (item, verdict) in items.iter().zip(&together) {
                let alone = stage.judge(std::slice::from_ref(item)).await.unwrap();
                prop_assert_eq!(&alone[0], verdict);
            }
            Ok(())
        })?;
    }
}
