//! The lexicon scorer on sentences written for it: what a person would say at once, in German and
//! English. A word list cannot know everything, so a share must be right, not all; what it says
//! on public test sets stands in the crate's README.

#![expect(clippy::unwrap_used, reason = "a test may fail here")]

use echolot_enrich::{
    sentiment::{ScoreInput, Scorer, lexicon::LexiconScorer},
    text::normalise,
};

/// Share of the gold sentences that must come out right.
const PASS: f64 = 0.9;

fn wrong(language: &str, table: &str) -> (usize, Vec<String>) {
    let lexicon = LexiconScorer::new().unwrap();
    let mut count = 0;
    let mut wrong = Vec::new();
    for line in table.lines().skip(1) {
        let (label, text) = line.split_once('\t').unwrap();
        let text = normalise(text);
        let scores = lexicon.score(&[ScoreInput { text: &text, language }]).unwrap();
        let said = scores[0].polarity().as_str();
        count += 1;
        if said != label {
            wrong.push(format!("{said} instead of {label} ({:+.2}): {text}", scores[0].net()));
        }
    }
    (count, wrong)
}

fn assert_passes(language: &str, table: &str, least: usize) {
    let (count, wrong) = wrong(language, table);
    assert!(count >= least, "only {count} sentences");
    let share = 1.0 - wrong.len() as f64 / count as f64;
    assert!(share >= PASS, "{share:.3} right:\n{}", wrong.join("\n"));
}

#[test]
fn german_gold_sentences_come_out_right() {
    assert_passes("de", include_str!("gold/de.tsv"), 60);
}

#[test]
fn english_gold_sentences_come_out_right() {
    assert_passes("en", include_str!("gold/en.tsv"), 40);
}

#[test]
fn negation_in_german_is_never_missed_where_it_is_an_idiom() {
    let lexicon = LexiconScorer::new().unwrap();
    for (text, label) in [
        ("nicht schlecht", "positive"),
        ("alles andere als gut", "negative"),
        ("gar nicht übel", "positive"),
        ("gefällt mir nicht", "negative"),
    ] {
        let score = lexicon.score(&[ScoreInput { text, language: "de" }]).unwrap()[0];
        assert_eq!(score.polarity().as_str(), label, "{text}");
    }
}

#[test]
fn a_language_without_a_list_gets_emoji_and_otherwise_neutral() {
    let lexicon = LexiconScorer::new().unwrap();
    for language in ["pl", "und"] {
        let inputs = [
            ScoreInput { text: "świetny great toll", language },
            ScoreInput { text: "świetny 😍", language },
        ];
        let scores = lexicon.score(&inputs).unwrap();
        assert_eq!(scores[0].polarity().as_str(), "neutral");
        assert_eq!(scores[1].polarity().as_str(), "positive");
    }
}
