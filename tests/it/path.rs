//! The way from a push to a count.

use echolot_harness::posts;

use crate::setup::pipeline;

#[tokio::test]
async fn a_pushed_mention_is_stored_scored_and_counted() -> anyhow::Result<()> {
    let pipeline = pipeline("push").await?;
    let _roles = pipeline.start().await?;
    let posts: Vec<_> = (0..400).map(|number| posts::post("p", number)).collect();
    pipeline.push()?.mentions(&posts).await?;
    let account = pipeline.assert_law().await?;
    assert_eq!((account.stored, account.audit.stored), (400, 400));

    let database = pipeline.database();
    let count = async |what: &str, filter: &str| {
        let sql = format!("SELECT {what} FROM {database}.sentiment_by_day WHERE {filter}");
        pipeline.store.number(&sql).await
    };
    assert_eq!(count("sum(mentions)", "brand = '*'").await?, 400);
    // Of eight texts, four name Tramio, four Nordwerk, one both, one neither.
    assert_eq!(count("sum(mentions)", "brand = 'tramio'").await?, 200);
    assert_eq!(count("sum(mentions)", "brand = 'nordwerk'").await?, 200);
    assert_eq!(count("sum(mentions)", "brand = ''").await?, 50);
    assert_eq!(count("sum(mentions)", "brand = '*' AND language = 'de'").await?, 250);
    assert_eq!(count("sum(positive)", "brand = 'nordwerk' AND language = 'de'").await?, 50);
    assert_eq!(count("sum(negative)", "brand = 'tramio' AND language = 'en'").await?, 50);
    Ok(())
}
