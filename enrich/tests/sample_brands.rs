//! The queries of the shipped sample against its gold labels, with the table that sample/README.md
//! shows.

use std::fmt::Write as _;

use echolot_brands::{BrandBook, Post, Scratch};
use echolot_pipeline::brands::BrandSet;
use serde::Deserialize;

const BRANDS: &str = include_str!("../../sample/brands.toml");
const POSTS: &str = include_str!("../../sample/posts.ndjson");
const GOLD: &str = include_str!("../../sample/gold.tsv");
const README: &str = include_str!("../../sample/README.md");

#[derive(Deserialize)]
struct Shown {
    text: String,
    title: Option<String>,
    tags: Vec<String>,
    source: String,
    language: String,
}

#[derive(Default)]
struct Count {
    gold: u32,
    found: u32,
    not_meant: u32,
}

#[test]
fn the_queries_find_what_the_readme_of_the_sample_says() {
    let set = BrandSet::compile(BrandBook::from_files([("brands.toml", BRANDS)]).unwrap()).unwrap();
    let names: Vec<&str> = set.book().brands().iter().map(|brand| brand.name.as_str()).collect();
    let mut counts: Vec<Count> = names.iter().map(|_| Count::default()).collect();
    let mut scratch = Scratch::default();
    let rows = GOLD.lines().skip(1);
    assert_eq!(rows.clone().count(), POSTS.lines().count());
    for (post, row) in POSTS.lines().zip(rows) {
        let shown: Shown = serde_json::from_str(post).unwrap();
        let post = Post {
            title: shown.title.as_deref(),
            tags: &shown.tags,
            source: &shown.source,
            lang: Some(&shown.language),
            ..Post::text(&shown.text)
        };
        let found = set.find(&post, &[], &mut scratch);
        let meant: Vec<&str> = row.split('\t').nth(3).unwrap().split(',').collect();
        for (name, count) in names.iter().zip(&mut counts) {
            let is_meant = meant.contains(name);
            let is_found = found.iter().any(|brand| brand.brand == *name);
            count.gold += u32::from(is_meant);
            count.found += u32::from(is_found && is_meant);
            count.not_meant += u32::from(is_found && !is_meant);
        }
    }
    let mut table = String::from(
        "| brand | gold | found | not found | found, not meant |\n|---|---:|---:|---:|---:|\n",
    );
    for (name, Count { gold, found, not_meant }) in names.iter().zip(&counts) {
        writeln!(table, "| {name} | {gold} | {found} | {} | {not_meant} |", gold - found).unwrap();
    }
    assert!(README.contains(&table), "sample/README.md should hold:\n{table}");
}
