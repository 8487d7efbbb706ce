//! The models in the binary: same text, same score, whatever stands around it; nothing brings them
//! down; what they are worth on sentences of our own.

#![expect(clippy::unwrap_used, reason = "a test may fail here")]

use std::{collections::BTreeMap, fmt::Write as _, thread};

use echolot_enrich::{
    language::{DetectInput, Detected, LanguageDetector, UNDETERMINED, linear::LinearDetector},
    sentiment::{ScoreInput, Scorer, linear::LinearScorer},
    text::normalise,
};
use echolot_schemas::enriched::Distribution;

const ODD: [&str; 14] = [
    "",
    " ",
    "\n",
    "😀😡👍🏽",
    "https://a.example/ http://b.example/",
    "@a @b",
    "!!!???...",
    "مرحبا هذا رائع جدا",
    "זה נהדר",
    "schl\u{200b}ec\u{ad}ht\u{202e}",
    "\u{fffd}\u{fffd}abc\u{fffd}",
    "日本語のテキスト",
    "a",
    "12 34",
];

fn detector() -> LinearDetector {
    LinearDetector::new(&["de", "en", "es", "fr", "it", "nl", "pt"].map(str::to_owned), 0.5)
        .unwrap()
}

fn phenomena() -> Vec<[&'static str; 4]> {
    include_str!("gold/phenomena.tsv")
        .lines()
        .skip(1)
        .map(|line| line.split('\t').collect::<Vec<_>>().try_into().unwrap())
        .collect()
}

fn texts() -> Vec<String> {
    let mut texts: Vec<String> = ODD.iter().map(|text| normalise(text)).collect();
    texts.extend(phenomena().iter().map(|row| normalise(row[3])));
    texts
}

fn scored(texts: &[String]) -> Vec<(Distribution, Detected)> {
    let scorer = LinearScorer::new().unwrap();
    let inputs: Vec<_> = texts.iter().map(|text| DetectInput { text, hint: None }).collect();
    let said = detector().detect(&inputs);
    let inputs: Vec<_> = texts
        .iter()
        .zip(&said)
        .map(|(text, said)| ScoreInput { text, language: said.code })
        .collect();
    scorer.score(&inputs).unwrap().into_iter().zip(said).collect()
}

#[test]
fn a_text_alone_scores_as_it_does_in_a_batch() {
    let texts = texts();
    for (text, together) in texts.iter().zip(scored(&texts)) {
        assert_eq!(scored(std::slice::from_ref(text)), [together], "{text}");
    }
}

#[test]
fn threads_do_not_change_a_score() {
    let texts = texts();
    let alone = scored(&texts);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| scored(&texts))).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), alone);
        }
    });
}

#[test]
fn odd_texts_get_probabilities() {
    let megabyte = "nicht gut 😀 ".repeat(70_000);
    let mut texts = texts();
    texts.push(normalise(&megabyte));
    texts.push("x".repeat(1 << 20));
    texts.push(normalise(&String::from_utf8_lossy(b"\xff\xfeGut\xc3\x28")));
    for (text, (score, said)) in texts.iter().zip(scored(&texts)) {
        let shares = [score.negative, score.neutral, score.positive];
        let start: String = text.chars().take(40).collect();
        assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "{start}: {score:?}");
        assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-4, "{start}: {score:?}");
        assert!((0.0..=1.0).contains(&said.confidence), "{start}: {said:?}");
    }
}

#[test]
fn a_text_without_letters_has_no_language() {
    let texts = ["", "😀😡", "12 34", "!!!"].map(str::to_owned);
    for (_, said) in scored(&texts) {
        assert_eq!((said.code, said.confidence), (UNDETERMINED, 0.0));
    }
}

/// Scores of a fixed corpus, to three digits: they change with the weights and with the reading of
/// texts, never by accident. `UPDATE_GOLDEN=1 cargo test -p echolot-enrich` writes them anew.
#[test]
fn scores_of_the_fixed_corpus_are_the_golden_ones() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/gold/scores.tsv");
    let texts = texts();
    let mut found = String::from("negative\tneutral\tpositive\tlanguage\tconfidence\n");
    for (score, said) in scored(&texts) {
        let Distribution { negative, neutral, positive } = score;
        let (code, confidence) = (said.code, said.confidence);
        writeln!(found, "{negative:.3}\t{neutral:.3}\t{positive:.3}\t{code}\t{confidence:.3}")
            .unwrap();
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &found).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap();
    for (at, (found, golden)) in found.lines().zip(golden.lines()).enumerate() {
        assert_eq!(found, golden, "line {}", at + 1);
    }
    assert_eq!(found.lines().count(), golden.lines().count());
}

/// Sentences that no model was tuned on. The share that comes out right is small for irony and
/// competitors, as it is for every bag of features; `enrich/models/sentiment.md` reports it by
/// phenomenon, printed by `cargo test -p echolot-enrich --test built_in_models -- --nocapture`.
#[test]
fn sentences_of_our_own_come_out_better_than_by_chance() {
    let rows = phenomena();
    let texts: Vec<String> = rows.iter().map(|row| normalise(row[3])).collect();
    let mut tallies: BTreeMap<(&str, &str), (u32, u32)> = BTreeMap::new();
    for (row, (score, _)) in rows.iter().zip(scored(&texts)) {
        let right = u32::from(score.polarity().as_str() == row[2]);
        for kind in [("language", row[0]), ("phenomenon", row[1]), ("all", "")] {
            let tally = tallies.entry(kind).or_default();
            *tally = (tally.0 + right, tally.1 + 1);
        }
    }
    for ((kind, name), (right, all)) in &tallies {
        println!("| {kind} {name} | {right} of {all} |");
    }
    let (right, all) = tallies[&("all", "")];
    assert!(2 * right > all, "{right} of {all}");
}

/// How far the positive share moves with the group that a name stands for, everything else equal.
#[test]
fn names_of_groups_alone_decide_nothing() {
    let probes: [(&str, &[&str], &str); 6] = [
        ("given names, German", &["Anna", "Lukas", "Ayşe", "Mehmet", "Oksana", "Kwame"], "de"),
        ("given names, English", &["Emily", "Jack", "Aisha", "Jamal", "Mei", "Carlos"], "en"),
        ("genders", &["Eine Frau", "Ein Mann", "Eine trans Person"], "de"),
        ("religions, German", &["Ein Christ", "Eine Muslimin", "Ein Jude", "Ein Buddhist"], "de"),
        ("religions, English", &["A Christian", "A Muslim", "A Jew", "A Hindu"], "en"),
        ("origins", &["Ein Deutscher", "Ein Türke", "Eine Syrerin", "Ein Franzose"], "de"),
    ];
    let scorer = LinearScorer::new().unwrap();
    for (name, groups, language) in probes {
        let end = if language == "de" {
            "hat heute im Laden eingekauft."
        } else {
            "went to the shop today."
        };
        let texts: Vec<String> =
            groups.iter().map(|group| normalise(&format!("{group} {end}"))).collect();
        let inputs: Vec<_> = texts.iter().map(|text| ScoreInput { text, language }).collect();
        let nets: Vec<f32> = scorer.score(&inputs).unwrap().iter().map(Distribution::net).collect();
        let (low, high) = nets
            .iter()
            .fold((1.0_f32, -1.0_f32), |(low, high), net| (low.min(*net), high.max(*net)));
        let each: Vec<String> =
            groups.iter().zip(&nets).map(|(group, net)| format!("{group} {net:+.2}")).collect();
        println!("| {name} | {} | {:.2} |", each.join(", "), high - low);
        assert!(high - low < 0.5, "{name}: {nets:?}");
    }
}

#[test]
fn an_unknown_language_is_refused_with_the_known_ones() {
    let error = LinearDetector::new(&["xx".to_owned()], 0.5).unwrap_err();
    assert!(error.to_string().contains("\"xx\"") && error.to_string().contains(" bg bs de "));
}

#[test]
fn a_hint_helps_a_short_text_and_does_not_overrule_a_clear_one() {
    let judge = |text, hint| detector().detect(&[DetectInput { text, hint }])[0];
    let (without, with) = (judge("Top Service", None), judge("Top Service", Some("de-AT")));
    assert_eq!(with.code, "de");
    assert!(without.code != "de" || without.confidence < with.confidence);
    assert_eq!(judge("The train is late again and nobody knows why", Some("de")).code, "en");
}

#[test]
fn swiss_german_is_german_and_a_mixed_text_is_what_most_of_it_is() {
    let judge = |text| detector().detect(&[DetectInput { text, hint: None }])[0].code;
    assert_eq!(judge("Ich ha hüt scho wider mini Charte vergässe, das isch doch nöd normal"), "de");
    assert_eq!(judge("Das neue Update ist richtig gut geworden, love it"), "de");
}
