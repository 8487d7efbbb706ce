//! Copies, near copies, reposts and spam in the store.

use clickhouse::Row;
use echolot_pipeline::stage::Item;
use echolot_schemas::{EnrichedEvent, Timestamp, mention::Author};
use serde::Deserialize;

use crate::{
    lab::{Lab, Settle},
    log::{NOON, at, enriched, live},
};

const FIRST: &str =
    "Die Lampe von Lumo flackert seit dem letzten Update jeden Abend im ganzen Haus";
const NEAR: &str =
    "Die Lampe von Lumo flackert seit dem letzten Update jeden Morgen im ganzen Haus";

fn said(offset: i64, native_id: &str, author: &str, text: &str) -> Item<EnrichedEvent> {
    said_on(0, offset, native_id, author, text)
}

fn said_on(
    partition: i32,
    offset: i64,
    native_id: &str,
    author: &str,
    text: &str,
) -> Item<EnrichedEvent> {
    let mut mention = enriched(native_id);
    text.clone_into(&mut mention.mention.text);
    mention.mention.author = Some(Author { pseudonym: author.to_owned(), handle: None });
    mention.mention.published_at = Timestamp::from_millis(NOON + offset * 1000);
    mention.observed_at = Timestamp::from_millis(NOON + offset * 1000);
    at(partition, offset, live(mention))
}

#[derive(Debug, PartialEq, Row, Deserialize)]
struct Collapsed {
    text: String,
    mentions: u64,
    reposts: u64,
    copies: u64,
    wordings: u64,
    authors: u64,
}

async fn collapsed(lab: &Lab) -> Vec<Collapsed> {
    lab.query(&format!(
        "SELECT text, mentions, reposts, copies, wordings, authors FROM {}.mentions_collapsed \
         ORDER BY published_at",
        lab.settings.database
    ))
    .await
}

#[tokio::test]
async fn copies_and_reposts_are_one_text_with_a_counter_and_none_is_left_out() {
    let lab = Lab::new().await;
    let batch = [
        said(1, "original", "ada", FIRST),
        said(2, "repost", "ben", &format!("RT @ada: {FIRST}")),
        said(3, "copy", "cem", &format!("{} https://t.example/x", FIRST.to_uppercase())),
        said(4, "near", "dora", NEAR),
        said(5, "other", "emil", "Ferra leuchtet einfach und das seit vielen Jahren ohne Ausfall"),
    ];
    lab.writer([0]).await.settle(&batch).await.unwrap();
    let groups = collapsed(&lab).await;
    let first = Collapsed {
        text: FIRST.to_owned(),
        mentions: 4,
        reposts: 1,
        copies: 2,
        wordings: 2,
        authors: 4,
    };
    assert_eq!((groups.len(), &groups[0]), (2, &first));
    assert_eq!(lab.mentions().await.len(), 5);
    lab.assert_sound().await;
}

#[tokio::test]
async fn a_restart_and_a_redelivery_change_no_group() {
    let lab = Lab::new().await;
    lab.writer([0]).await.settle(&[said(1, "original", "ada", FIRST)]).await.unwrap();
    // A writer that has the first text from the store only, and is given it once more.
    let again = [said(1, "original", "ada", FIRST), said(2, "near", "ben", NEAR)];
    lab.writer([0]).await.settle(&again).await.unwrap();
    let groups = collapsed(&lab).await;
    assert_eq!(groups.len(), 1, "{groups:?}");
    assert_eq!((groups[0].mentions, groups[0].copies), (2, 1));
}

/// Each writer remembers what it stored itself since its partitions were assigned.
#[tokio::test]
async fn two_writers_agree_on_every_wording_and_on_near_copies_that_either_has_seen_both_of() {
    let lab = Lab::new().await;
    let (mut one, mut other) = (lab.writer([0]).await, lab.writer([1]).await);
    let copy = FIRST.to_uppercase();
    one.settle(&[said_on(0, 1, "first", "ada", FIRST)]).await.unwrap();
    other.settle(&[said_on(1, 2, "near", "ben", NEAR)]).await.unwrap();
    other.settle(&[said_on(1, 3, "repost", "cem", &format!("RT @ada: {NEAR}"))]).await.unwrap();
    one.settle(&[said_on(0, 4, "copy", "dora", &copy)]).await.unwrap();
    // Neither has seen both wordings: each is one text.
    let groups = collapsed(&lab).await;
    let counts: Vec<_> = groups.iter().map(|group| (group.mentions, group.wordings)).collect();
    assert_eq!(counts, [(2, 1), (2, 1)], "{groups:?}");

    // One of them sees both: all four are one, whoever stored them and whatever comes after.
    one.settle(&[said_on(0, 5, "near again", "emil", NEAR)]).await.unwrap();
    other.settle(&[said_on(1, 6, "first again", "fay", FIRST)]).await.unwrap();
    let groups = collapsed(&lab).await;
    let all = Collapsed {
        text: FIRST.to_owned(),
        mentions: 6,
        reposts: 1,
        copies: 4,
        wordings: 2,
        authors: 6,
    };
    assert_eq!(groups, [all]);
    lab.assert_sound().await;
}

#[derive(Row, Deserialize)]
struct Spam {
    spam: f32,
    spam_reasons: Vec<String>,
}

#[tokio::test]
async fn an_author_who_repeats_is_told_and_one_whose_likes_are_counted_again_is_not() {
    let lab = Lab::new().await;
    let mut writer = lab.writer([0]).await;
    for offset in 1..=3 {
        let liked_again = [said(offset, "liked", "ada", NEAR)];
        writer.settle(&liked_again).await.unwrap();
    }
    let offer = "Jetzt das beste Angebot der Woche sichern, nur hier und nur heute";
    for offset in 4..=6 {
        let native_id = format!("offer-{offset}");
        writer.settle(&[said(offset, &native_id, "shop", offer)]).await.unwrap();
    }
    let spam: Vec<Spam> = lab
        .query(&format!(
            "SELECT spam, spam_reasons FROM {}.mentions ORDER BY published_at",
            lab.settings.database
        ))
        .await;
    let reasons: Vec<_> = spam.iter().map(|row| row.spam_reasons.join(",")).collect();
    assert_eq!(reasons, ["", "", "", "repeated_by_author"]);
    assert!(spam[0].spam == 0.0 && spam[3].spam > 0.5);
}
