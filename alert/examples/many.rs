//! Ten thousand brands: seconds of a tick, memory, and how long it takes to read history.
//!
//! ```text
//! cargo run --release -p echolot-alert --example many
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{fs, time::Instant};

use echolot_alert::{AlertSettings, Brands, Minute, Rule};
use serde::Deserialize;

/// How many brands.
const BRANDS: usize = 10_000;
/// Minutes of history that are read at once.
const HISTORY: i64 = 1440;
/// Minutes that are judged one after the other, as a watcher does.
const TICKS: i64 = 30;
/// 2026-03-02T00:00Z in minutes.
const START: i64 = 29_540_160;

#[derive(Deserialize)]
struct Sections {
    alert: AlertSettings,
}

/// Resident memory in bytes, as Linux tells it.
fn memory() -> usize {
    let pages = fs::read_to_string("/proc/self/statm").ok();
    let resident = pages.and_then(|pages| pages.split(' ').nth(1)?.parse::<usize>().ok());
    resident.unwrap_or_default() * 4096
}

/// Of a tenth of the brands something is said in each minute.
fn said(at: i64) -> Vec<(String, Minute)> {
    let now = usize::try_from(at).unwrap_or_default();
    let spoken_of = (0..BRANDS).filter(|brand| (brand + now).is_multiple_of(10));
    let minute = Minute { mentions: 3, negative: 1, voices: 1, ..Minute::quiet(at) };
    spoken_of.map(|brand| (format!("brand-{brand}"), minute)).collect()
}

fn main() -> Result<(), toml::de::Error> {
    let settings = toml::from_str::<Sections>(include_str!("../default.toml"))?.alert;
    let before = memory();
    // Judged from the first hour on: what a tick costs when nothing is left to learn.
    let rule = Rule { warmup_hours: 1, ..Rule::default() };
    let rules = (0..BRANDS).map(|brand| (format!("brand-{brand}"), rule.clone()));
    let mut brands = Brands::new(rules, &settings);
    let mut minutes: Vec<_> = (START..START + HISTORY).flat_map(said).collect();
    minutes.sort_by_key(|(_, minute)| minute.at);
    let began = Instant::now();
    brands.feed(&minutes, START + HISTORY - 1);
    let history = began.elapsed().as_secs_f64();
    drop(minutes);
    let began = Instant::now();
    for at in START + HISTORY..START + HISTORY + TICKS {
        brands.feed(&said(at), at);
    }
    let tick = began.elapsed().as_secs_f64() / TICKS as f64;
    println!("{BRANDS} brands");
    println!("a tick                 {:8.1} ms", 1000.0 * tick);
    println!("a day of history       {history:8.1} s");
    println!("memory of the brands   {:8.1} MB", (memory() - before) as f64 / 1e6);
    Ok(())
}
