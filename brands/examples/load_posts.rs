//! Twenty brand queries over a file of posts: counts, and a match of each brand explained.
//!
//! `cargo run --release -p echolot-brands --example load_posts -- posts.jsonl.zst`
//!
//! The file holds one JSON object per line with `id`, `text`, `lang`, `source` and `created_at`. Rows
//! are counted from 1. Of a text what surrounds the first place is shown.

#![expect(clippy::print_stdout, reason = "an example reports on standard output")]

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use anyhow::Context;
use echolot_brands::explain::{marked, plain};
use echolot_brands::{BrandBook, Matcher, Post, Scratch, targets};
use serde_json::Value;

const BRANDS: &str = include_str!("load_posts.toml");

fn main() -> anyhow::Result<()> {
    let path = std::env::args().nth(1).context("give the path of posts.jsonl.zst")?;
    let book = BrandBook::from_files([("load_posts.toml", BRANDS)])?;
    for (brand, warning) in book.warnings() {
        println!("warning: {}: {}", brand.name, warning.kind);
    }
    let matcher = Matcher::compile(&book)?;
    let file = File::open(&path).with_context(|| format!("cannot open {path}"))?;
    let lines = BufReader::new(zstd::Decoder::new(file)?).lines();

    let mut scratch = Scratch::default();
    let mut counts = vec![0_u64; book.brands().len()];
    let (mut posts, mut about, mut several) = (0_u64, 0_u64, 0_u64);
    let mut spent = Duration::ZERO;
    let mut samples = Vec::new();
    for line in lines {
        let record: Value = serde_json::from_str(&line?)?;
        let field = |name: &str| record.get(name).and_then(Value::as_str);
        let created = field("created_at")
            .and_then(|time| time.parse::<jiff::Timestamp>().ok())
            .map(jiff::Timestamp::as_second);
        let post = Post {
            text: field("text").unwrap_or_default(),
            lang: field("lang"),
            source: field("source").unwrap_or_default(),
            created,
            ..Post::default()
        };
        let started = Instant::now();
        let brands = matcher.matches(&post, &mut scratch).to_vec();
        spent += started.elapsed();
        posts += 1;
        about += u64::from(!brands.is_empty());
        several += u64::from(brands.len() > 1);
        for &brand in &brands {
            counts[brand as usize] += 1;
            // Every brand's 17th mention, so that samples do not depend on chance.
            if counts[brand as usize] == 17 {
                samples.push((brand, posts, record.clone()));
            }
        }
        if several == 3 && brands.len() > 1 {
            for target in targets(&matcher, &post, &scratch) {
                let name = book.get(target.brand).map_or("", |brand| &brand.name);
                println!("target of {name}: {:?}", target.text(post.text));
            }
        }
    }

    println!("{posts} posts, {about} about a brand, {several} about several");
    println!(
        "{:.0} posts/s in the matcher, {} KiB",
        posts as f64 / spent.as_secs_f64(),
        matcher.memory_bytes() / 1024
    );
    println!("{:<18} {:<12} {:>8}  version", "brand", "group", "posts");
    for (brand, count) in book.brands().iter().zip(&counts) {
        println!("{:<18} {:<12} {count:>8}  {}", brand.name, brand.group, brand.version);
    }
    samples.sort_by_key(|(brand, ..)| *brand);
    for (brand, row, record) in samples {
        let Some(brand) = book.get(brand) else { continue };
        let field = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
        let (id, source, lang) = (field("id"), field("source"), field("lang"));
        let post = Post { text: field("text"), lang: Some(lang), source, ..Post::default() };
        println!("\n{}: row {row}, id {id}, {source}, {lang}", brand.name);
        println!("  rule: {}", brand.query);
        let explained = brand.query.explain(&post)?;
        println!("  text: {}", around(&plain(&marked(post.text, explained.spans().iter()))));
        for term in explained.terms.iter().filter(|term| term.counts && term.found) {
            let places = term.spans.iter().map(|span| format!("{:?}", span.bytes));
            println!("  because of {} at {}", term.term, places.collect::<Vec<_>>().join(", "));
        }
    }
    Ok(())
}

/// The first mark and up to forty characters on either side.
fn around(marked: &str) -> String {
    let at = marked.find("[[").unwrap_or(0);
    let (before, rest) = marked.split_at(at);
    let skipped = before.chars().count().saturating_sub(40);
    let before: String = before.chars().skip(skipped).collect();
    let behind = rest.find("]]").map_or(0, |end| end + 2);
    let behind = rest[..behind].chars().count() + 40;
    let cut = if rest.chars().count() > behind { "…" } else { "" };
    let from = if skipped > 0 { "…" } else { "" };
    format!("{from}{before}{}{cut}", rest.chars().take(behind).collect::<String>())
}
