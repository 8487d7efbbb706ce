//! Files into the log, once and again.

use std::{fmt::Write, fs};

use echolot_harness::posts;
use echolot_schemas::submission::Submission;

use crate::setup::pipeline;

/// With the columns that [`posts::post`] fills. None of its texts holds a quotation mark.
fn table(posts: &[Submission]) -> anyhow::Result<String> {
    let mut table = "id,body,created_at,likes\n".to_owned();
    for Submission { id, text, published_at, engagement, .. } in posts {
        let text = text.as_deref().unwrap_or_default();
        let published_at = published_at.unwrap_or_default();
        let likes = engagement.as_ref().and_then(|counts| counts.likes).unwrap_or_default();
        writeln!(table, "{id},\"{text}\",{published_at},{likes}")?;
    }
    Ok(table)
}

#[tokio::test]
async fn files_of_every_format_are_counted_once_however_often_they_are_read() -> anyhow::Result<()>
{
    let pipeline = pipeline("backfill").await?;
    let _roles = pipeline.start().await?;
    let posts: Vec<_> = (0..300).map(|number| posts::post("b", number)).collect();
    let [lines, packed, rows] =
        ["a.ndjson", "b.ndjson.zst", "c.csv"].map(|name| pipeline.folder().join(name));
    fs::write(&lines, posts::lines(&posts[..100])?)?;
    fs::write(&packed, zstd::encode_all(&posts::lines(&posts[100..200])?[..], 3)?)?;
    fs::write(&rows, table(&posts[200..])?)?;
    let pattern = pipeline.folder().join("[ab].*").display().to_string();
    let rows = rows.display().to_string();

    let told = pipeline.backfill(&[&pattern, &rows]).await?.well()?;
    assert_eq!(told.matches("100 accepted, 0 rejected").count(), 3, "{told}");
    pipeline.acknowledged("files", posts.iter().map(|post| post.id.clone()))?;
    let once = pipeline.assert_law().await?;
    assert_eq!((once.stored, once.audit.superseded), (300, 0));

    let told = pipeline.backfill(&[&pattern, &rows]).await?.well()?;
    assert_eq!(
        told.matches("nothing to do, its 100 records were read before").count(),
        3,
        "{told}"
    );
    let told = pipeline.backfill(&["--again", &pattern, &rows]).await?.well()?;
    assert_eq!(told.matches("100 accepted, 0 rejected").count(), 3, "{told}");
    let again = pipeline.assert_law().await?;
    assert_eq!((again.stored, again.audit.superseded), (300, 300));
    Ok(())
}
