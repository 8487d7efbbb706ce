//! Random logs, delivered with random deaths, against a model that reads the log once.

use std::collections::BTreeMap;

use echolot_pipeline::stage::{Item, Stage};
use echolot_schemas::{
    EnrichedEvent, MentionId, Timestamp,
    enriched::{Enriched, Polarity},
};
use proptest::{prelude::*, test_runner::TestRunner};

use crate::{
    lab::{Counts, Lab, Settle},
    log::{NOON, brand, enriched, erased, live, log_of, sentiment, unmatched},
    proxy::{Break, Proxy},
};

const BRANDS: [&str; 3] = ["Lumo", "Ferra", "Nordau"];

/// How the delivery of a batch ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// Offsets are committed.
    Commit,
    /// The writer goes on with the next batch, and counts both later.
    Later,
    /// The writer lives on, the batch comes again.
    Again,
    /// The writer dies after it, before the commit.
    Death,
    /// The writer dies before it recomputed anything.
    DeathUncounted,
    /// The writer dies between insert and recomputation.
    DeathInTheMiddle,
}

#[derive(Clone, Debug)]
struct Delivery {
    length: usize,
    end: End,
}

fn event() -> impl Strategy<Value = EnrichedEvent> {
    let native_id = (0..6_u8).prop_map(|n| format!("m{n}"));
    let observed = (
        native_id.clone(),
        // Within a bucket, over its edge, into another month.
        prop::sample::select(vec![0, 4_000, 11_000, 2_700_000_000_i64]),
        prop::sample::subsequence(BRANDS.to_vec(), 0..=2),
        prop::sample::select(Polarity::ALL.to_vec()),
        prop::sample::select(vec!["de", "en"]),
        prop::option::of(0..100_u64),
    )
        .prop_map(|(native_id, later, brands, polarity, language, likes)| {
            let mut mention = enriched(&native_id);
            mention.mention.published_at = Timestamp::from_millis(NOON + later);
            mention.mention.engagement.likes = likes;
            mention.brands = brands.into_iter().map(brand).collect();
            mention.sentiment = sentiment(polarity);
            language.clone_into(&mut mention.language.code);
            live(mention)
        });
    prop_oneof![
        8 => observed,
        2 => native_id.clone().prop_map(|id| unmatched(&id)),
        1 => native_id.prop_map(|id| erased(&id)),
    ]
}

fn delivery() -> impl Strategy<Value = Delivery> {
    let end = prop_oneof![
        4 => Just(End::Commit),
        2 => Just(End::Later),
        1 => Just(End::Again),
        1 => Just(End::Death),
        1 => Just(End::DeathUncounted),
        1 => Just(End::DeathInTheMiddle),
    ];
    (1..9_usize, end).prop_map(|(length, end)| Delivery { length, end })
}

/// The log's meaning: mentions by id with their sort time, and their counts.
fn model(log: &[Item<EnrichedEvent>]) -> BTreeMap<MentionId, (i64, Enriched)> {
    let mut first = BTreeMap::new();
    let mut dead = std::collections::BTreeSet::new();
    let mut states = BTreeMap::new();
    for item in log {
        let id = item.event.mention_id();
        match &item.event {
            EnrichedEvent::Erased(_) => {
                dead.insert(id);
                states.remove(&id);
            }
            EnrichedEvent::Unmatched(_) => {
                states.remove(&id);
            }
            EnrichedEvent::Enriched(_) if dead.contains(&id) => {}
            EnrichedEvent::Enriched(enriched) => {
                let published_at = enriched.mention.published_at.as_millis();
                let published_at = *first.entry(id).or_insert(published_at);
                states.insert(id, (published_at, (**enriched).clone()));
            }
        }
    }
    states
}

fn counts(states: &BTreeMap<MentionId, (i64, Enriched)>) -> Counts {
    let mut counts = Counts::new();
    for (published_at, mention) in states.values() {
        let bucket = u32::try_from(published_at / 10_000 * 10).unwrap();
        let mut brands: Vec<&str> = mention.brands.iter().map(|b| b.brand.as_str()).collect();
        if brands.is_empty() {
            brands.push("");
        }
        brands.push("*");
        for brand in brands {
            let key = (bucket, brand.to_owned(), mention.language.code.clone());
            let count = counts.entry(key).or_default();
            count.0 += 1;
            count.1 += u64::from(mention.sentiment.polarity == Polarity::Positive);
            count.2 += mention.mention.engagement.likes.unwrap_or(0);
        }
    }
    counts
}

async fn deliver(lab: &Lab, log: &[Item<EnrichedEvent>], deliveries: &[Delivery]) {
    // Up to here offsets are committed, and up to there batches are stored.
    let (mut committed, mut stored) = (0, 0);
    let mut writer = lab.writer([0]).await;
    let last = Delivery { length: log.len(), end: End::Commit };
    for Delivery { length, end } in deliveries.iter().chain([&last]) {
        let upto = (stored + length).min(log.len());
        let batch = &log[stored..upto];
        match end {
            End::Commit => {
                writer.settle(batch).await.unwrap();
                (committed, stored) = (upto, upto);
            }
            End::Later => {
                writer.judge(batch).await.unwrap();
                stored = upto;
            }
            End::Again => {
                writer.settle(batch).await.unwrap();
                committed = stored;
            }
            End::Death => {
                writer.settle(batch).await.unwrap();
                writer = lab.writer([0]).await;
                stored = committed;
            }
            End::DeathUncounted => {
                writer.judge(batch).await.unwrap();
                writer = lab.writer([0]).await;
                stored = committed;
            }
            End::DeathInTheMiddle => {
                let needle = b"sentiment_10s (bucket";
                let proxy = Proxy::start(&lab.settings, needle, Break::Before).await;
                let mut dying = lab.writer_through(&proxy.store, [0]).await;
                // Fails unless the batch touches no bucket at all.
                assert_eq!(dying.settle(&log[committed..upto]).await.is_err(), proxy.broke());
                writer = lab.writer([0]).await;
                stored = committed;
            }
        }
    }
    assert_eq!(committed, log.len());
}

#[test]
fn any_delivery_of_any_log_gives_what_the_log_says() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() };
    let schedules =
        (prop::collection::vec(event(), 1..40), prop::collection::vec(delivery(), 0..12));
    TestRunner::new(config)
        .run(&schedules, |(events, deliveries)| {
            runtime.block_on(async {
                let log = log_of(0, events);
                let lab = Lab::new().await;
                deliver(&lab, &log, &deliveries).await;
                let expected = model(&log);
                let times: BTreeMap<MentionId, i64> =
                    expected.iter().map(|(id, (published_at, _))| (*id, *published_at)).collect();
                let stored: BTreeMap<MentionId, i64> = lab
                    .mentions()
                    .await
                    .iter()
                    .map(|(id, seen)| (*id, seen.published_at))
                    .collect();
                assert_eq!(stored, times);
                assert_eq!(lab.counts().await, counts(&expected));
                lab.assert_sound().await;
            });
            Ok(())
        })
        .unwrap();
}
