//! Texts a second on one core, for each part of enrichment and for all of it together.
//!
//! `cargo bench -p echolot-enrich [-- FILE]`; with a file its lines take the place of the built-in
//! posts, which are few and alike, so that their weights stay in the near caches.

#![expect(clippy::print_stdout, reason = "a report is the purpose of this program")]

use std::{hint::black_box, sync::Arc, time::Instant};

use anyhow::{Context, Result};
use echolot_brands::{BrandBook, Scratch};
use echolot_enrich::{
    EnrichMetrics, EnrichSettings, Enricher, Models,
    language::{self, DetectInput, HintedWhichlang, LanguageDetector},
    sentiment::{ScoreInput, Scorer, lexicon::LexiconScorer, linear::LinearScorer},
    text::normalise,
};
use echolot_pipeline::{
    brands::{BrandSet, LiveBrands, Pseudonymise, seen},
    clock::Clock,
    stage::{Item, Stage},
};
use echolot_schemas::{
    Mention, MentionId, RawEvent, RawPosition, SourceName, Timestamp, mention::Engagement,
    raw::Observed,
};
use prometheus::Registry;

const AT: Timestamp = Timestamp::from_millis(1_780_000_000_000);
const BATCH: usize = 2000;
/// Seconds for each figure.
const SECONDS: f64 = 2.0;

/// Posts of 140 characters, as the figure asks for; each is made different by a number.
const POSTS: [(&str, &str); 4] = [
    (
        "de",
        "@tramio Die Verspätung nervt langsam wirklich, schon wieder 20 Minuten am Bahnhof gewartet! Der Kundenservice war aber sehr freundlich 🙂 Nr.",
    ),
    (
        "de",
        "Gestern im neuen Café am Markt gewesen: der Kuchen war lecker, die Bedienung nett, nur die Preise sind leider etwas zu hoch für uns #kaffee Nr.",
    ),
    (
        "en",
        "Just tried the new update of the app and honestly it's not bad at all, but the login still keeps failing twice a day https://example.org/ No.",
    ),
    (
        "de",
        "Weiß jemand, ob die Ladesäulen an der Hauptstraße am Wochenende frei sind? Wir kommen am Samstag gegen 11 Uhr mit zwei Autos dort vorbei Nr.",
    ),
];

fn main() -> Result<()> {
    let texts: Vec<(&str, String)> = match std::env::args().nth(1).filter(|arg| arg != "--bench") {
        Some(file) => {
            let lines = std::fs::read_to_string(&file).with_context(|| file.clone())?;
            lines.lines().map(|line| ("de", line.to_owned())).take(BATCH).collect()
        }
        None => (0..BATCH)
            .map(|at| (POSTS[at % POSTS.len()].0, format!("{} {at}", POSTS[at % POSTS.len()].1)))
            .collect(),
    };
    let characters: usize = texts.iter().map(|(_, text)| text.chars().count()).sum();
    let count = texts.len();
    anyhow::ensure!(count == BATCH, "needs {BATCH} lines, one for each post, and found {count}");
    println!("{BATCH} posts of {} characters on average", characters / BATCH);

    let normal: Vec<String> = texts.iter().map(|(_, text)| normalise(text)).collect();
    measure("normalise", || {
        for (_, text) in &texts {
            black_box(normalise(text));
        }
    });

    let settings = toml::from_str::<toml::Table>(include_str!("../default.toml"))?;
    let settings: EnrichSettings =
        settings.get("enrich").context("default.toml lacks [enrich]")?.clone().try_into()?;
    let detector = HintedWhichlang::new(&settings.languages, settings.language_confidence)?;
    let inputs: Vec<_> = normal.iter().map(|text| DetectInput { text, hint: None }).collect();
    measure("whichlang", || drop(black_box(detector.detect(&inputs))));
    let linear_detector = language::detector(&settings)?;
    measure("linear language", || drop(black_box(linear_detector.detect(&inputs))));

    let scorer = LexiconScorer::new()?;
    let inputs: Vec<_> = texts
        .iter()
        .zip(&normal)
        .map(|((language, _), text)| ScoreInput { text, language })
        .collect();
    measure("lexicon", || drop(black_box(scorer.score(&inputs))));

    let linear = LinearScorer::new()?;
    measure("linear", || drop(black_box(linear.score(&inputs))));

    let items: Vec<Item<RawEvent>> =
        texts.iter().zip(0_i64..).map(|((_, text), at)| item(text, at)).collect::<Result<_>>()?;
    for count in [10, 10_000] {
        let set = brands(count)?;
        let mut scratch = Scratch::default();
        measure(&format!("brands ({count})"), || {
            for item in &items {
                if let RawEvent::Observed(observed) = &item.event {
                    black_box(set.find(&seen(&observed.mention, "de"), &[], &mut scratch));
                }
            }
        });
    }

    let metrics = EnrichMetrics::new(&Registry::new())?;
    let mut enricher = Enricher::new(
        &settings,
        Models { detector: linear_detector, scorer: Arc::new(linear), second: None },
        LiveBrands::new(brands(10)?),
        Pseudonymise::new(|_, handle| handle.to_owned()),
        metrics,
        Clock::stopped_at(AT),
    )?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    measure("whole Enricher", || drop(black_box(runtime.block_on(enricher.judge(&items)))));
    Ok(())
}

fn measure(name: &str, mut batch: impl FnMut()) {
    batch();
    let start = Instant::now();
    let mut batches = 0_u32;
    while start.elapsed().as_secs_f64() < SECONDS {
        batch();
        batches += 1;
    }
    let each = start.elapsed().as_secs_f64() / f64::from(batches) / BATCH as f64;
    println!("{name:18} {:8.2} µs a post {:10.0} posts/s", each * 1e6, each.recip());
}

fn brands(count: usize) -> Result<BrandSet> {
    let brand =
        |name: &str, query: &str| format!("[[brand]]\nname = '{name}'\nquery = '{query}'\n");
    let others =
        (1..count).map(|at| brand(&format!("b{at}"), &format!("marke{at} OR \"label {at}\"")));
    let file: String = std::iter::once(brand("tramio", "tramio")).chain(others).collect();
    Ok(BrandSet::compile(BrandBook::from_files([("brands.toml", file)])?)?)
}

fn item(text: &str, offset: i64) -> Result<Item<RawEvent>> {
    let source = SourceName::new("bench")?;
    let native_id = offset.to_string();
    let mention = Mention {
        id: MentionId::derive(&source, &native_id),
        source,
        native_id,
        text: text.to_owned(),
        title: None,
        url: Some(format!("https://bench.example/{offset}")),
        published_at: AT,
        edited_at: None,
        declared_language: None,
        author: None,
        parent_id: None,
        thread_id: None,
        engagement: Engagement::default(),
        tags: Vec::new(),
        country: None,
        rating: None,
        internal: false,
    };
    let observed = Observed { observed_at: AT, mention };
    Ok(Item {
        event: RawEvent::Observed(Box::new(observed)),
        position: RawPosition { partition: 0, offset },
    })
}
