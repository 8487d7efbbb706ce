//! What each brand's part of a mention says, who wrote it, and the group it is compared in.

use clickhouse::Row;
use echolot_schemas::enriched::{BrandMatch, Enriched, Polarity, TargetSentiment, TextSpan};
use serde::Deserialize;

use crate::{
    lab::{Lab, Settle},
    log::{at, brand, enriched, live, sentiment},
};

/// `Lumo ist gut, Ferra nicht`, one brand a clause.
fn praise_and_blame() -> Enriched {
    let mut mention = enriched("m");
    "Lumo ist gut, Ferra nicht".clone_into(&mut mention.mention.text);
    let about = |name: &str, polarity, start, end| {
        let distribution = sentiment(polarity).distribution;
        BrandMatch {
            group: Some("Licht".to_owned()),
            target: vec![TextSpan { start, end }],
            sentiment: Some(TargetSentiment { polarity, distribution }),
            ..brand(name)
        }
    };
    mention.brands =
        vec![about("Lumo", Polarity::Positive, 0, 13), about("Ferra", Polarity::Negative, 13, 25)];
    mention
}

#[derive(Debug, PartialEq, Row, Deserialize)]
struct Told {
    brand: String,
    brand_group: String,
    owned: bool,
    polarity: String,
    target: String,
}

#[derive(Debug, PartialEq, Row, Deserialize)]
struct Counted {
    brand: String,
    negative: u64,
    neutral: u64,
    positive: u64,
}

async fn counted(lab: &Lab) -> Vec<Counted> {
    lab.query(&format!(
        "SELECT brand, sum(v.negative) AS negative, sum(v.neutral) AS neutral, \
         sum(v.positive) AS positive FROM {}.sentiment_by_day AS v GROUP BY brand ORDER BY brand",
        lab.settings.database
    ))
    .await
}

#[tokio::test]
async fn a_brand_is_counted_with_the_sentiment_of_its_own_part() {
    let lab = Lab::new().await;
    lab.writer([0]).await.settle(&[at(0, 1, live(praise_and_blame()))]).await.unwrap();
    let row = |brand: &str, negative, neutral, positive| Counted {
        brand: brand.to_owned(),
        negative,
        neutral,
        positive,
    };
    assert_eq!(
        counted(&lab).await,
        [row("*", 0, 1, 0), row("Ferra", 1, 0, 0), row("Lumo", 0, 0, 1)]
    );
    let told: Vec<Told> = lab
        .query(&format!(
            "SELECT brand, brand_group, owned, toString(v.polarity) AS polarity, target \
             FROM {}.mentions_by_brand AS v ORDER BY brand",
            lab.settings.database
        ))
        .await;
    let row = |brand: &str, polarity: &str, target: &str| Told {
        brand: brand.to_owned(),
        brand_group: "Licht".to_owned(),
        owned: false,
        polarity: polarity.to_owned(),
        target: target.to_owned(),
    };
    assert_eq!(
        told,
        [row("Ferra", "negative", " Ferra nicht"), row("Lumo", "positive", "Lumo ist gut,")]
    );
    lab.assert_sound().await;
}

#[tokio::test]
async fn a_row_from_before_brands_were_told_apart_counts_with_the_whole_sentiment() {
    let lab = Lab::new().await;
    let generation = format!("{}_g1", lab.settings.database);
    lab.execute(&format!(
        "INSERT INTO {generation}.mentions (id, published_at, source, language, polarity, positive, \
         brands, brand_versions, raw_partition, raw_offset) VALUES (generateUUIDv4(), \
         '2026-06-01 12:00:00', 'forum', 'de', 'positive', 1, ['Lumo'], ['c0ffee'], 0, 1)"
    ))
    .await;
    // Another mention of these ten seconds has them recomputed.
    lab.writer([0]).await.settle(&[at(0, 2, live(enriched("m")))]).await.unwrap();
    let counts = counted(&lab).await;
    assert!(counts.iter().any(|row| row.brand == "Lumo" && row.positive == 1), "{counts:?}");
    lab.assert_sound().await;
}

#[derive(Debug, PartialEq, Row, Deserialize)]
struct Voice {
    brand: String,
    mentions: u64,
    share: f64,
    group_share: f64,
}

#[tokio::test]
async fn share_of_voice_leaves_out_what_brands_say_of_themselves_and_compares_inside_a_group() {
    let lab = Lab::new().await;
    let mention = |native_id: &str, brands: &[(&str, &str, bool)]| {
        let mut mention = enriched(native_id);
        mention.brands = brands
            .iter()
            .map(|(name, group, owned)| BrandMatch {
                group: Some((*group).to_owned()),
                owned: *owned,
                ..brand(name)
            })
            .collect();
        live(mention)
    };
    let batch = [
        at(0, 1, mention("a", &[("Lumo", "Licht", false), ("Ferra", "Licht", false)])),
        at(0, 2, mention("b", &[("Lumo", "Licht", false)])),
        at(0, 3, mention("c", &[("Ferra", "Licht", true)])),
        at(0, 4, mention("d", &[("Tramio", "Bahn", false)])),
    ];
    lab.writer([0]).await.settle(&batch).await.unwrap();
    let shares: Vec<Voice> = lab
        .query(&format!(
            "SELECT brand, mentions, share, group_share FROM {}.share_of_voice ORDER BY brand",
            lab.settings.database
        ))
        .await;
    let share = |brand: &str, mentions, share, group_share| Voice {
        brand: brand.to_owned(),
        mentions,
        share,
        group_share,
    };
    assert_eq!(
        shares,
        [
            share("Ferra", 1, 0.25, 1.0 / 3.0),
            share("Lumo", 2, 0.5, 2.0 / 3.0),
            share("Tramio", 1, 0.25, 1.0)
        ]
    );
    lab.assert_sound().await;
}
