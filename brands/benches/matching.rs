//! Speed and memory of matching, beside a naive evaluation with one regular expression per word.
//!
//! `cargo bench -p echolot-brands` prints a table; `-- quick` measures for a shorter time, `-- alone`
//! leaves the naive evaluation out, for a profiler.
//!
//! Brands and posts are generated from a fixed seed. A brand's query is one of five shapes that
//! brand teams write: names, hashtags and accounts, phrases, wildcards, `NEAR`, exclusions. Posts
//! are 140 characters of running words; one in five names a brand.

#![expect(clippy::print_stdout, reason = "a bench reports on standard output")]
#![expect(clippy::unwrap_used, reason = "a bench stops at the first surprise")]
#![expect(clippy::cast_possible_truncation, reason = "the generator's numbers are small")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use echolot_brands::query::{Expr, Gap};
use echolot_brands::{Matcher, Post, Query, Scratch};
use regex::Regex;

const POSTS: usize = 20_000;

fn main() {
    let alone = std::env::args().any(|arg| arg == "alone");
    let quick = std::env::args().any(|arg| arg == "quick");
    let span = if quick { Duration::from_millis(500) } else { Duration::from_secs(3) };
    println!(
        "{:>7} {:>9} {:>10} {:>9} {:>11} {:>9} {:>12} {:>8}",
        "brands", "words", "compile ms", "MiB", "posts/s", "hits/post", "naive posts/s", "factor"
    );
    for brands in [1_000, 10_000] {
        let mut random = Random(brands as u64);
        let lexicon = Lexicon::new(&mut random);
        let texts: Vec<String> =
            (0..brands).map(|brand| lexicon.query(brand, &mut random)).collect();
        let posts: Vec<String> = (0..POSTS).map(|_| lexicon.post(brands, &mut random)).collect();

        let started = Instant::now();
        let queries: Vec<Query> = texts.iter().map(|text| text.parse().unwrap()).collect();
        let matcher =
            Matcher::from_queries(queries.iter().map(|query| (query, [].as_slice()))).unwrap();
        let compile = started.elapsed();

        let (rate, hits) = automaton(&matcher, &posts, span);
        print!(
            "{brands:>7} {:>9} {:>10.0} {:>9.1} {rate:>11.0} {hits:>9.2}",
            matcher.distinct_terms(),
            compile.as_secs_f64() * 1e3,
            matcher.memory_bytes() as f64 / f64::from(1 << 20),
        );
        if !alone {
            let (naive_rate, checked) = naive(&queries, &matcher, &posts, span);
            print!(
                " {naive_rate:>13.1} {:>7.0}x   ({checked} posts judged alike)",
                rate / naive_rate
            );
        }
        println!();
    }
}

fn automaton(matcher: &Matcher, posts: &[String], span: Duration) -> (f64, f64) {
    let mut scratch = Scratch::default();
    let mut found = 0;
    for post in posts {
        found += matcher.matches(&Post::text(post), &mut scratch).len();
    }
    let hits = found as f64 / posts.len() as f64;
    let started = Instant::now();
    let mut judged = 0;
    while started.elapsed() < span {
        for post in posts {
            found += matcher.matches(&Post::text(post), &mut scratch).len();
        }
        judged += posts.len();
    }
    assert!(found > 0);
    (judged as f64 / started.elapsed().as_secs_f64(), hits)
}

/// Judges each post by each query on its own, one regular expression for each word or phrase, and
/// checks that the verdicts are the matcher's.
fn naive(queries: &[Query], matcher: &Matcher, posts: &[String], span: Duration) -> (f64, usize) {
    let compiled: Vec<Naive> = queries.iter().map(|query| Naive::new(query.expr())).collect();
    // Expressions build their tables when first used: that is not counted.
    assert!(posts.first().is_some_and(|post| {
        compiled.iter().filter(|query| query.holds(post)).count() < queries.len()
    }));
    let mut verdicts = Vec::new();
    let started = Instant::now();
    for post in posts {
        verdicts.push(
            (0_u32..)
                .zip(&compiled)
                .filter(|(_, query)| query.holds(post))
                .map(|(index, _)| index)
                .collect(),
        );
        if started.elapsed() > span {
            break;
        }
    }
    let rate = verdicts.len() as f64 / started.elapsed().as_secs_f64();
    let mut scratch = Scratch::default();
    for (post, verdict) in posts.iter().zip(&verdicts) {
        let verdict: &Vec<u32> = verdict;
        assert_eq!(matcher.matches(&Post::text(post), &mut scratch), verdict, "{post}");
    }
    (rate, verdicts.len())
}

enum Naive {
    Word(Regex),
    Not(Box<Naive>),
    And(Vec<Naive>),
    Or(Vec<Naive>),
}

impl Naive {
    fn new(expr: &Expr) -> Self {
        match expr {
            Expr::Text(leaf) => {
                Self::Word(Regex::new(&format!("(?i){}", bounded(&words(&leaf.value)))).unwrap())
            }
            Expr::Not(inner) => Self::Not(Box::new(Self::new(inner))),
            Expr::And(children) => Self::And(children.iter().map(Self::new).collect()),
            Expr::Or(children) => Self::Or(children.iter().map(Self::new).collect()),
            Expr::Near(near) => {
                Self::Word(Regex::new(&near_pattern(&near.operands, near.gaps[0])).unwrap())
            }
            Expr::Raw(_) | Expr::Field(_) => unreachable!("the bench writes neither"),
        }
    }

    fn holds(&self, text: &str) -> bool {
        match self {
            Self::Word(regex) => regex.is_match(text),
            Self::Not(inner) => !inner.holds(text),
            Self::And(children) => children.iter().all(|child| child.holds(text)),
            Self::Or(children) => children.iter().any(|child| child.holds(text)),
        }
    }
}

/// A phrase as a pattern: `deutsch* bahn` -> `deutsch\w*\W+bahn`.
fn words(phrase: &str) -> String {
    phrase
        .split(' ')
        .map(|word| regex::escape(word).replace("\\*", "\\w*").replace("\\#", "#"))
        .collect::<Vec<_>>()
        .join("\\W+")
}

fn bounded(pattern: &str) -> String {
    let open = if pattern.starts_with(['#', '@']) { "" } else { "\\b" };
    format!("{open}{pattern}\\b")
}

fn near_pattern(operands: &[Expr], gap: Gap) -> String {
    let operand = |expr: &Expr| match expr {
        Expr::Text(leaf) => bounded(&words(&leaf.value)),
        Expr::Or(children) => format!(
            "(?:{})",
            children
                .iter()
                .map(|child| bounded(&words(&child.to_string())))
                .collect::<Vec<_>>()
                .join("|")
        ),
        other => unreachable!("the bench writes no {other}"),
    };
    let (left, right) = (operand(&operands[0]), operand(&operands[1]));
    let between = format!("\\W+(?:\\w+\\W+){{0,{}}}", gap.words - 1);
    format!("(?i){left}{between}{right}|{right}{between}{left}")
}

/// `SplitMix64`, for the same data in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}

/// Running words by frequency, and a name for each brand.
struct Lexicon {
    words: Vec<String>,
}

impl Lexicon {
    fn new(random: &mut Random) -> Self {
        let words = (0..8_000)
            .map(|rank| syllables(if rank < 200 { 1 } else { 2 + random.below(2) }, random))
            .collect();
        Self { words }
    }

    /// Words are drawn as in running text: half of them from the two hundred commonest.
    fn word(&self, random: &mut Random) -> &str {
        let rank =
            if random.below(2) == 0 { random.below(200) } else { random.below(self.words.len()) };
        &self.words[rank]
    }

    fn name(brand: usize) -> String {
        let mut random = Random(77 + brand as u64);
        format!("{}{}", syllables(3, &mut random), ["ix", "on", "ag", "er", "um"][brand % 5])
    }

    fn query(&self, brand: usize, random: &mut Random) -> String {
        let name = Self::name(brand);
        let word =
            |random: &mut Random| self.words[200 + random.below(self.words.len() - 200)].clone();
        match brand % 5 {
            0 => format!("{name} OR #{name} OR @{name}_help"),
            1 => format!(
                "(\"{name} {}\" OR #{name}) NOT ({} OR {})",
                word(random),
                word(random),
                word(random)
            ),
            2 => format!("{name}* AND ({} OR {} OR {})", word(random), word(random), word(random)),
            3 => format!(
                "{name} NEAR/5 ({} OR {}) OR \"{name} service\"",
                word(random),
                word(random)
            ),
            _ => format!(
                "({name} OR \"{} {}\" OR {name}{}*) -\"{name} {}\"",
                word(random),
                word(random),
                word(random),
                word(random)
            ),
        }
    }

    fn post(&self, brands: usize, random: &mut Random) -> String {
        let mut post = String::new();
        let named = random.below(5) == 0;
        while post.chars().count() < 140 {
            if named && post.len() > 40 && !post.contains('!') {
                write!(post, "{}! ", Self::name(random.below(brands))).unwrap();
            }
            let word = self.word(random);
            let gap = [" ", " ", " ", " ", " ", ", ", ". "][random.below(7)];
            post.push_str(word);
            post.push_str(gap);
        }
        post.chars().take(140).collect()
    }
}

fn syllables(count: usize, random: &mut Random) -> String {
    const ONSETS: [&str; 16] =
        ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "w", "z", "st", "sch"];
    const CORES: [&str; 12] = ["a", "e", "i", "o", "u", "ei", "au", "en", "er", "an", "al", "it"];
    (0..count).flat_map(|_| [ONSETS[random.below(16)], CORES[random.below(12)]]).collect()
}
