//! Mentions that change, and mentions that are older or newer than they should be.

use std::time::{SystemTime, UNIX_EPOCH};

use echolot_harness::{Pipeline, posts};
use echolot_schemas::{Timestamp, submission::Submission};
use serde::Deserialize;

use crate::setup::pipeline;

#[derive(Debug, PartialEq, Deserialize)]
struct Count {
    hour: String,
    brand: String,
    language: String,
    mentions: u64,
    negative: u64,
    positive: u64,
}

/// The published counts of brands.
async fn hours(pipeline: &Pipeline) -> anyhow::Result<Vec<Count>> {
    let sql = format!(
        "SELECT toString(hour) AS hour, brand, language, mentions, negative, positive \
         FROM {}.sentiment_by_hour WHERE brand NOT IN ('', '*') ORDER BY hour, brand",
        pipeline.database()
    );
    pipeline.store.rows(&sql).await
}

fn hour(brand: &str, language: &str, negative: u64, positive: u64) -> Count {
    Count {
        hour: "2026-06-01 10:00:00".to_owned(),
        brand: brand.to_owned(),
        language: language.to_owned(),
        mentions: 1,
        negative,
        positive,
    }
}

#[tokio::test]
async fn an_edit_moves_a_mention_from_its_old_counts_to_its_new_ones() -> anyhow::Result<()> {
    let pipeline = pipeline("edits").await?;
    let _roles = pipeline.start().await?;
    let push = pipeline.push()?;
    let at = "2026-06-01T10:15:00Z".parse::<Timestamp>()?;
    let german =
        "Die Tramio ist schon wieder ausgefallen, das ist wirklich schlecht und ärgerlich.";
    push.mentions(&[posts::said("e", german, at)]).await?;
    pipeline.assert_law().await?;
    assert_eq!(hours(&pipeline).await?, [hour("tramio", "de", 1, 0)]);

    // The time of a mention is that of its first observation, whatever an edit says.
    let english = "Nordwerk fixed it within minutes, excellent support and very friendly people!";
    let edited = Submission {
        published_at: Some("2026-06-01T12:00:00Z".parse()?),
        edited_at: Some("2026-06-01T12:00:00Z".parse()?),
        ..posts::said("e", english, at)
    };
    push.mentions(&[edited]).await?;
    let account = pipeline.assert_law().await?;
    assert_eq!((account.stored, account.audit.superseded), (1, 1));
    assert_eq!(hours(&pipeline).await?, [hour("nordwerk", "en", 0, 1)]);
    let generation = pipeline.generation().await?;
    let old = format!(
        "SELECT sum(c.mentions) FROM {generation}.sentiment_10s AS c FINAL WHERE brand = 'tramio'"
    );
    assert_eq!(pipeline.store.number(&old).await?, 0, "the old key is written down to zero");
    Ok(())
}

#[tokio::test]
async fn late_and_future_mentions_count_in_their_own_time_and_impossible_ones_are_refused()
-> anyhow::Result<()> {
    const DAY: i64 = 86_400_000;
    let pipeline = pipeline("times").await?;
    let _roles = pipeline.start().await?;
    let push = pipeline.push()?;
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let at = |millis: i64| Timestamp::from_millis(millis);
    let early = "2000-01-01T00:00:00Z".parse::<Timestamp>()?;
    let fitting = [early, at(now - 1100 * DAY), at(now - DAY), at(now), at(now + DAY - 60_000)];
    let posts: Vec<_> = fitting
        .iter()
        .enumerate()
        .map(|(number, at)| posts::said(&format!("t-{number}"), "Tramio fährt.", *at))
        .collect();
    push.mentions(&posts).await?;

    let impossible = [at(early.as_millis() - 1), at(now + DAY + 600_000)];
    let refused: Vec<_> =
        impossible.iter().map(|at| posts::said(&format!("u-{at}"), "Tramio fährt.", *at)).collect();
    let answer = push.send("application/x-ndjson", posts::lines(&refused)?).await?;
    assert_eq!((answer.status, answer.accepted(), answer.rejected().len()), (400, 0, 2));
    for rejected in answer.rejected() {
        let detail = rejected["detail"].as_str().unwrap_or_default();
        assert!(detail.starts_with("published_at:"), "{rejected}");
    }

    assert_eq!(pipeline.assert_law().await?.stored, fitting.len());
    for at in fitting {
        let sql = format!(
            "SELECT sum(mentions) FROM {}.sentiment_by_minute WHERE brand = 'tramio' \
             AND minute = toStartOfMinute(fromUnixTimestamp64Milli({}, 'UTC'))",
            pipeline.database(),
            at.as_millis()
        );
        assert_eq!(pipeline.store.number(&sql).await?, 1, "{at}");
    }
    Ok(())
}
