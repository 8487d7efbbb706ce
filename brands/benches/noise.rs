//! What it costs to tell copies and spam, as a sink does of every mention it stores.
//!
//! `cargo bench -p echolot-brands --bench noise`
//!
//! Posts of about 140 characters are generated from a fixed seed: of twenty, one repeats another
//! word for word, one with a word changed, one is a repost. Both parts see the same posts, more than
//! are remembered, so that tables are full and forgetting is paid for.

#![expect(clippy::print_stdout, reason = "a bench reports on standard output")]

use std::hint::black_box;
use std::time::Instant;

use echolot_brands::Post;
use echolot_brands::noise::{Noise, Settings};
use echolot_brands::text::tokens::Tokens;

const POSTS: usize = 200_000;
const WORDS: usize = 20_000;

fn main() {
    let mut random = Random(1);
    let posts: Vec<(String, String)> = posts(&mut random);
    let mut tokens = Tokens::default();

    let started = Instant::now();
    for (_, text) in &posts {
        tokens.read(None, text);
        black_box(&tokens);
    }
    let cut = started.elapsed();

    let mut noise = Noise::new(Settings::default());
    let (mut copies, mut spam) = (0, 0);
    let started = Instant::now();
    for (id, (author, text)) in (0_u128..).zip(&posts) {
        let post = Post { author: Some(author), ..Post::text(text) };
        tokens.read(None, text);
        let judgement = noise.judge(id, false, &post, &tokens);
        copies += usize::from(judgement.placement.text != judgement.placement.group);
        spam += usize::from(judgement.spam.score > 0.5);
    }
    let whole = started.elapsed();

    let micros = |time: std::time::Duration| time.as_secs_f64() * 1e6 / POSTS as f64;
    println!("cutting into words   {:>7.2} µs a post", micros(cut));
    println!("copies and spam      {:>7.2} µs a post", micros(whole.saturating_sub(cut)));
    println!("together             {:>7.2} µs a post", micros(whole));
    println!(
        "{copies} of {POSTS} near copies, {spam} likely spam, {:.0} MiB remembered",
        noise.memory_bytes() as f64 / f64::from(1 << 20)
    );
}

/// Author and text.
fn posts(random: &mut Random) -> Vec<(String, String)> {
    let mut posts: Vec<(String, String)> = Vec::with_capacity(POSTS);
    for index in 0..POSTS {
        let author = format!("author{}", random.below(POSTS / 4));
        let earlier = posts.get(random.below(index.max(1))).map(|(_, text)| text.clone());
        let text = match (random.below(20), earlier) {
            (0, Some(text)) => text,
            (1, Some(text)) => {
                let (head, _) = text.rsplit_once(' ').unwrap_or((&text, ""));
                format!("{head} w{}", random.below(WORDS))
            }
            (2, Some(text)) => format!("RT @someone: {text}"),
            _ => {
                let words = (0..22).map(|_| format!("w{}", random.below(WORDS)));
                words.collect::<Vec<_>>().join(" ")
            }
        };
        posts.push((author, text));
    }
    posts
}

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap_or(0)
    }
}
