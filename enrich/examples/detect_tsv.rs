//! How good is the language detector, and is it as sure as it says? Reads lines of
//! `language<TAB>text` (no header) from standard input, gives no hint, and prints the share of
//! right and undecided answers by language and the share of right ones by confidence.
//!
//! ```sh
//! zstdcat ../shared/data/langid_lingua/sentences.tsv.zst |
//!     cargo run --release -p echolot-enrich --example detect_tsv -- de en es fr it nl pt
//! ```
//!
//! The arguments are the allow-list; rows of other languages should come out as `und`.

#![expect(clippy::print_stdout, reason = "a report is the purpose of this program")]

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use echolot_enrich::{
    language::{DetectInput, HintedWhichlang, LanguageDetector, UNDETERMINED},
    text::normalise,
};

#[derive(Default)]
struct Tally {
    texts: u32,
    right: u32,
    undecided: u32,
}

fn main() -> Result<()> {
    let allowed: Vec<String> = std::env::args().skip(1).collect();
    let detector = HintedWhichlang::new(&allowed, 0.5)?;
    let mut languages: BTreeMap<String, Tally> = BTreeMap::new();
    let mut bins: BTreeMap<u32, Tally> = BTreeMap::new();
    for line in std::io::stdin().lines() {
        let line = line?;
        let (label, text) = line.split_once('\t').context("a line is language, tab, text")?;
        let is_allowed = allowed.iter().any(|code| code == label);
        let text = normalise(text);
        let said = detector.detect(&[DetectInput { text: &text, hint: None }])[0];
        let name = if is_allowed { label } else { "others" };
        let tally = languages.entry(name.to_owned()).or_default();
        let right = said.code == if is_allowed { label } else { UNDETERMINED };
        tally.texts += 1;
        tally.right += u32::from(right);
        tally.undecided += u32::from(said.code == UNDETERMINED);
        if said.code != UNDETERMINED {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 10")]
            let bin = bins.entry(((said.confidence * 10.0) as u32).min(9)).or_default();
            bin.texts += 1;
            bin.right += u32::from(right);
        }
    }
    let share = |part: u32, of: u32| f64::from(part) / f64::from(of.max(1));
    println!("language   texts  right  undecided");
    for (name, tally) in &languages {
        println!(
            "{name:8} {:7}  {:.3}      {:.3}",
            tally.texts,
            share(tally.right, tally.texts),
            share(tally.undecided, tally.texts)
        );
    }
    println!("confidence   texts  right");
    for (bin, tally) in &bins {
        let (from, to) = (f64::from(*bin) / 10.0, f64::from(bin + 1) / 10.0);
        println!("{from:.1} to {to:.1} {:7}  {:.3}", tally.texts, share(tally.right, tally.texts));
    }
    Ok(())
}
