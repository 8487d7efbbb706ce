//! A deletion is the last word, whenever it comes.

use echolot_harness::posts;

use crate::setup::pipeline;

#[tokio::test]
async fn a_deleted_mention_stays_deleted_whatever_comes_before_or_after() -> anyhow::Result<()> {
    let pipeline = pipeline("deletions").await?;
    let mut roles = pipeline.start().await?;
    let push = pipeline.push()?;
    let posts: Vec<_> = (0..20).map(|number| posts::post("x", number)).collect();

    // x-0 is deleted before it is seen, x-1 afterwards, x-2 before the same batch is over.
    push.mentions(&[posts::deletion("x-0")]).await?;
    push.mentions(&posts).await?;
    push.mentions(&[posts[2].clone(), posts::deletion("x-2")]).await?;
    pipeline.until_shown(18).await?;
    push.mentions(&[posts::deletion("x-1")]).await?;
    push.mentions(&[posts::edit("x", 1)]).await?;
    let before = pipeline.assert_law().await?;
    assert_eq!((before.stored, before.deleted), (17, 3));

    let told = pipeline.tool(&["replay"]).await?.well()?;
    assert!(told.contains("generation 2: promoted"), "{told}");
    let replayed = pipeline.assert_law().await?;
    assert!(pipeline.generation().await?.ends_with("_g2"));
    assert_eq!((replayed.stored, replayed.deleted), (17, 3));

    // The running sink goes on in the new generation, also after a crash.
    roles.sink.until_said("another generation was promoted").await?;
    push.mentions(&[posts::edit("x", 0), posts::edit("x", 1), posts::post("x", 20)]).await?;
    pipeline.until_shown(18).await?;
    roles.sink.crash().await?;
    push.mentions(&[posts::edit("x", 2)]).await?;
    let after = pipeline.assert_law().await?;
    assert_eq!((after.stored, after.deleted), (18, 3));
    Ok(())
}
