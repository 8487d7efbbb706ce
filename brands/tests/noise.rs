//! Copies, reposts and spam on small streams, and the same answers after a restart.

use echolot_brands::Post;
use echolot_brands::noise::{Judgement, Noise, Role, Settings, SpamReason};
use echolot_brands::text::tokens::Tokens;
use proptest::prelude::*;

fn judge(noise: &mut Noise, id: u128, author: &str, text: &str) -> Judgement {
    let post = Post { author: Some(author), ..Post::text(text) };
    let mut tokens = Tokens::default();
    tokens.read(None, text);
    noise.judge(id, false, &post, &tokens)
}

#[test]
fn reposts_and_copies_collapse_into_the_original() {
    let mut noise = Noise::new(Settings::default());
    let original = judge(
        &mut noise,
        1,
        "anna",
        "Die Bahn streikt ab Montag in ganz Bayern, sagt die Gewerkschaft heute",
    );
    let group = original.placement.text;
    assert_eq!((original.placement.role, original.placement.group), (Role::Original, group));
    let repost = judge(
        &mut noise,
        2,
        "ben",
        "RT @anna: Die Bahn streikt ab Montag in ganz Bayern, sagt die Gewerkschaft heute",
    );
    assert_eq!(
        (repost.placement.role, repost.placement.group, repost.placement.reposts),
        (Role::Repost, group, 1)
    );
    let copy = judge(
        &mut noise,
        3,
        "cem",
        "DIE BAHN streikt ab Montag in ganz Bayern - sagt die Gewerkschaft heute https://t.co/x",
    );
    assert_eq!(
        (copy.placement.role, copy.placement.group, copy.placement.members),
        (Role::Copy, group, 3)
    );
    let near = judge(
        &mut noise,
        4,
        "dora",
        "Die Bahn streikt ab Montag in ganz Bayern, sagt die Gewerkschaft heute früh",
    );
    assert_eq!((near.placement.role, near.placement.group), (Role::NearCopy, group));
    let other = judge(&mut noise, 5, "emil", "Heute war der Zug nach Hamburg leer und pünktlich");
    assert_eq!(other.placement.role, Role::Original);
    assert_eq!(other.placement.group, other.placement.text);
}

#[test]
fn mentions_of_links_only_are_not_one_group() {
    let mut noise = Noise::new(Settings::default());
    let first = judge(&mut noise, 1, "a", "https://example.org/1");
    let second = judge(&mut noise, 2, "b", "https://example.org/2");
    assert_ne!(first.placement.group, second.placement.group);
}

#[test]
fn spam_is_scored_with_its_reasons() {
    let mut noise = Noise::new(Settings::default());
    let calm = judge(&mut noise, 1, "a", "Der Zug war heute pünktlich, danke dafür!");
    assert!(calm.spam.reasons.is_empty() && calm.spam.score == 0.0);
    let farm = judge(&mut noise, 2, "b", "Buy http://a.example http://b.example http://c.example");
    assert!(farm.spam.reasons.contains(&SpamReason::LinkFarm { links: 3 }));
    let tags = judge(&mut noise, 3, "c", "wow #a1 #b2 #c3 #d4 #e5 #f6");
    assert!(tags.spam.reasons.contains(&SpamReason::Hashtags { count: 6 }));
    let hidden = judge(&mut noise, 4, "d", "free ph\u{200B}one for you");
    assert!(hidden.spam.reasons.contains(&SpamReason::Hidden { characters: 1 }));
    let shout = judge(&mut noise, 5, "e", "THIS IS THE BEST OFFER OF THE YEAR");
    assert!(shout.spam.reasons.contains(&SpamReason::Shouting));
    let emoji = judge(&mut noise, 6, "f", "Familie 👨‍👩‍👧 می‌خواهم");
    assert!(emoji.spam.reasons.is_empty());
    for score in [farm, tags, hidden, shout].map(|judgement| judgement.spam.score) {
        assert!(score > 0.0 && score < 1.0);
    }
}

#[test]
fn an_author_who_repeats_himself_is_told_by_the_third_time() {
    let mut noise = Noise::new(Settings::default());
    let text = "Jetzt neu: das beste Angebot der Woche nur hier";
    for (id, repeated) in [(1, false), (2, false), (3, true), (4, true)] {
        let judgement = judge(&mut noise, id, "seller", text);
        let told = judgement
            .spam
            .reasons
            .iter()
            .any(|reason| matches!(reason, SpamReason::RepeatedByAuthor { .. }));
        assert_eq!(told, repeated, "{id}");
    }
    let other = judge(&mut noise, 5, "buyer", text);
    assert!(other.spam.reasons.is_empty());
}

#[test]
fn memory_is_bounded_whatever_the_stream_holds() {
    let settings = Settings { texts: 100, authors: 50, ..Settings::default() };
    let mut noise = Noise::new(settings);
    let mut after_warm_up = 0;
    for id in 0..20_000_u128 {
        let text = format!("unique words number {id} about {} and {} today", id * 7, id * 13);
        judge(&mut noise, id, &format!("author{id}"), &text);
        if id == 2_000 {
            after_warm_up = noise.memory_bytes();
        }
    }
    assert!(
        noise.memory_bytes() <= after_warm_up * 2,
        "{} then {}",
        after_warm_up,
        noise.memory_bytes()
    );
}

const TEXTS: [&str; 9] = [
    "win a free phone now just follow the link and enter your name",
    "win a free phone now just follow the link and enter your mail",
    "RT @x: win a free phone now just follow the link and enter your name",
    "the train was late again and nobody said a word about it",
    "the train was late again and nobody said one word about it",
    "short text",
    "ok",
    "",
    "http://example.org",
];

proptest! {
    #[test]
    fn a_restart_changes_no_answer(
        stream in prop::collection::vec((0..TEXTS.len(), 0_u8..4), 1..60),
        restart in 0_usize..60,
        texts in 1_usize..6,
        authors in 1_usize..4,
    ) {
        let settings = Settings { texts, authors, ..Settings::default() };
        let mut steady = Noise::new(settings);
        let mut restarted = Noise::new(settings);
        let mut stored: Vec<(u128, String, &str, u64)> = Vec::new();
        for (index, (text, author)) in stream.iter().enumerate() {
            if index == restart {
                restarted = Noise::new(settings);
                for (id, author, text, group) in &stored {
                    recall(&mut restarted, *id, author, text, *group);
                }
            }
            let author = format!("author{author}");
            let id = u128::MAX - index as u128;
            let judged = judge(&mut steady, id, &author, TEXTS[*text]);
            let group = judged.placement.group;
            prop_assert_eq!(judged, judge(&mut restarted, id, &author, TEXTS[*text]));
            stored.push((id, author, TEXTS[*text], group));
        }
    }
}

fn recall(noise: &mut Noise, id: u128, author: &str, text: &str, group: u64) {
    let post = Post { author: Some(author), ..Post::text(text) };
    let mut tokens = Tokens::default();
    tokens.read(None, text);
    noise.recall(id, group, &post, &tokens);
}

#[test]
fn a_mention_that_comes_again_for_new_likes_is_no_copy_of_itself_and_no_spam() {
    let mut noise = Noise::new(Settings::default());
    let text = "Jetzt neu: das beste Angebot der Woche https://example.org";
    let first = judge(&mut noise, 1, "shop", text);
    for _ in 0..20 {
        let post = Post { author: Some("shop"), ..Post::text(text) };
        let mut tokens = Tokens::default();
        tokens.read(None, text);
        assert_eq!(noise.judge(1, true, &post, &tokens), first);
    }
}
