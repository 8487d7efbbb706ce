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

#[tokio::test]
async fn mentions_of_no_brand_are_not_kept_and_come_back_with_one() -> anyhow::Result<()> {
    let pipeline = pipeline("unmatched").await?.set("enrich.keep_unmatched=false");
    let _roles = pipeline.start().await?;
    let posts: Vec<_> = (0..80).map(|number| posts::post("n", number)).collect();
    let push = pipeline.push()?;
    push.mentions(&posts).await?;
    // One text in eight names no brand.
    let first = pipeline.assert_law().await?;
    assert_eq!((first.stored, first.unmatched), (70, 10));

    // The sixth post gets the words of the seventh, and the seventh those of the eighth.
    push.mentions(&[posts::edit("n", 5), posts::edit("n", 6)]).await?;
    let edited = pipeline.assert_law().await?;
    assert_eq!((edited.stored, edited.unmatched), (70, 10));
    let shown = format!("SELECT count() FROM {}.mentions WHERE native_id = ", pipeline.database());
    assert_eq!(pipeline.store.number(&format!("{shown}'n-5'")).await?, 0);
    assert_eq!(pipeline.store.number(&format!("{shown}'n-6'")).await?, 1);
    Ok(())
}
