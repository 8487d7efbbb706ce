//! Hostile queries, texts and brand files: clear errors, bounded cost, no panic.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::{Duration, Instant};

use echolot_brands::query::{ErrorKind, limits};
use echolot_brands::text::tokens::MAX_TEXT_BYTES;
use echolot_brands::{BrandBook, Matcher, Post, Query, Scratch, targets};
use proptest::prelude::*;

fn fault(query: &str) -> (String, std::ops::Range<usize>) {
    let error = Query::parse(query).unwrap_err();
    assert!(!error.kind.help().is_empty() && !error.kind.expected().is_empty());
    (error.kind.code().to_owned(), error.span.start..error.span.end)
}

#[test]
fn every_broken_query_names_its_place() {
    for (query, code, place) in [
        ("", "empty", 0..0),
        ("   ", "empty", 0..3),
        ("(a OR b", "unclosed-parenthesis", 0..1),
        ("a)", "unopened-parenthesis", 1..2),
        ("a () b", "empty-group", 3..4),
        ("\"abc", "unclosed-quote", 0..1),
        ("\"\"", "empty-group", 0..2),
        ("a AND", "missing-operand", 2..5),
        ("OR a", "missing-operand", 0..2),
        ("a OR OR b", "missing-operand", 2..4),
        ("a NOT", "missing-operand", 2..5),
        ("NEAR/3 a", "missing-operand", 0..6),
        ("a && b", "foreign-operator", 2..4),
        ("a || b", "foreign-operator", 2..4),
        ("a NEAR b", "near-distance", 2..6),
        ("a NEAR/0 b", "near-distance", 2..8),
        ("a NEAR/101 b", "near-distance", 2..10),
        ("a near/3 b", "near-distance", 2..8),
        ("a NEAR/3 lang:de", "near-operand", 9..16),
        ("a NEAR/3 (b AND c)", "near-operand", 10..17),
        ("(a NEAR/3 b) NEAR/3 c", "near-operand", 1..11),
        ("autor:x", "unknown-field", 0..7),
        ("https://example.org", "pasted-link", 0..19),
        ("rating:good", "field-value", 0..11),
        ("rating:5..1", "field-value", 0..11),
        ("date:2026-13-01", "field-value", 0..15),
        ("lang:german", "field-value", 0..11),
        ("lang:(de OR", "unclosed-parenthesis", 5..6),
        ("lang:()", "empty-group", 5..7),
        ("is:happy", "field-value", 0..8),
        ("ba\u{200B}hn", "invisible-character", 2..5),
        ("bahn \u{202E}x", "invisible-character", 5..8),
        ("+++", "no-letters", 0..3),
        ("€", "no-letters", 0..3),
        ("*", "lone-wildcard", 0..1),
        ("\"a * b\"", "lone-wildcard", 0..7),
        ("三星*", "wildcard-beside-character", 0..7),
        ("a*", "wildcard-too-short", 0..2),
        ("*ab", "wildcard-too-short", 0..3),
        ("a*b*c*d*e*f*ghij*", "too-many-wildcards", 0..17),
    ] {
        assert_eq!(fault(query), (code.to_owned(), place), "{query:?}");
    }
}

#[test]
fn limits_are_kept_and_named() {
    let deep = |levels: usize| format!("{}a{}", "(".repeat(levels), ")".repeat(levels));
    assert!(Query::parse(&deep(limits::MAX_DEPTH)).is_ok());
    assert_eq!(fault(&deep(limits::MAX_DEPTH + 1)).0, "too-deep");
    assert_eq!(fault(&"(".repeat(60_000)).0, "too-deep");
    assert_eq!(fault(&"x".repeat(1 << 20)).0, "too-long");
    assert_eq!(fault(&"x".repeat(limits::MAX_WORD_CHARS + 1)).0, "word-too-long");
    assert_eq!(fault(&vec!["word"; limits::MAX_TERMS + 1].join(" OR ")).0, "too-many-terms");
    assert_eq!(
        fault(&format!("\"{}\"", vec!["w"; limits::MAX_PHRASE_WORDS + 1].join(" "))).0,
        "phrase-too-long"
    );
    assert_eq!(
        fault(&vec!["*stern"; limits::MAX_INFIX_TERMS + 1].join(" OR ")).0,
        "too-many-infix-terms"
    );
    assert!(Query::parse(&format!("{}a", "-(".repeat(40) + &"NOT ".repeat(1_000))).is_err());
    assert!(Query::parse(&format!("{}a", "NOT ".repeat(10_000))).is_ok());
}

/// A terminal has some rows and no wish to be steered.
#[test]
fn whatever_the_query_its_error_is_a_few_short_lines_that_say_what_to_do() {
    let deep = "(".repeat(60_000);
    let long = "bahn ".repeat(200_000);
    let terms = vec!["word"; limits::MAX_TERMS + 1].join(" OR ");
    for (query, expected, help) in [
        ("", "the query is empty", "write the brand's name"),
        ("(bahn AND bus", "expected `)`", "add `)` where the group ends"),
        ("bahn) bus", "expected an operator", "remove it"),
        ("\"deutsche bahn", "expected a closing `\"`", "where the phrase ends"),
        (deep.as_str(), "at most 48 open parentheses", "instead of nesting"),
        (long.as_str(), "the end within 65536 bytes", "split the list"),
        (terms.as_str(), "the end after 2000 terms", "several brands"),
        ("bahn \u{202E}sub", "U+202E", "delete it"),
        ("قطار AND ba\u{200B}hn", "U+200B", "delete it"),
        ("bahn \u{1b}[2Jbus", "U+001B", "delete it"),
        ("foo:bar bahn", "expected author, country", "in quotes"),
        ("*", "letters beside the wildcard", "NEAR/2f"),
        ("*ab*", "at least 3 letters in a row", "write more of the word"),
        ("bahn OR\nbus OR\n(tram", "3 │ (tram", "add `)`"),
    ] {
        let told = Query::parse(query).unwrap_err().render();
        let shown: String = query.chars().take(30).collect();
        // Help may be broken between words.
        let words = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(expected) && words.contains(help), "{shown:?}:\n{told}");
        assert!(told.lines().count() <= 14, "{shown:?}:\n{told}");
        assert!(told.lines().all(|line| line.chars().count() <= 140), "{shown:?}:\n{told}");
        let steers = |c: char| (c.is_control() && c != '\n') || "\u{202E}\u{200B}".contains(c);
        assert!(!told.contains(steers), "{shown:?}:\n{told:?}");
        let json = serde_json::to_value(Query::parse(query).unwrap_err()).unwrap();
        for key in ["code", "message", "expected", "help"] {
            assert!(json[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {json}");
        }
        let (from, to) = (json["bytes"]["start"].as_u64(), json["bytes"]["end"].as_u64());
        assert!(from <= to && to.unwrap() <= query.len() as u64, "{shown:?}: {json}");
    }
}

#[test]
fn a_misspelt_field_is_recognised() {
    let error = Query::parse("bahn AND autor:müller").unwrap_err();
    assert_eq!(
        error.kind,
        ErrorKind::UnknownField { name: "autor".into(), resembles: Some("author") }
    );
    let rendered = error.render();
    assert!(
        rendered.contains("bahn AND autor:müller") && rendered.contains("did you mean `author:`?"),
        "{rendered}"
    );
    let json = serde_json::to_value(&error).unwrap();
    assert_eq!(json["code"], "unknown-field");
    assert_eq!(json["bytes"], serde_json::json!({ "start": 9, "end": 22 }));
    assert_eq!(json["utf16"], serde_json::json!({ "start": 9, "end": 21 }));
}

#[test]
fn doubtful_queries_are_warned_about() {
    let warned = |query: &str| -> Vec<String> {
        let (_, warnings) = Query::parse(query).unwrap();
        warnings.iter().map(|warning| warning.kind.to_string()).collect()
    };
    for (query, part) in [
        ("NOT bahn", "none of its words"),
        ("bahn OR NOT bus", "none of its words"),
        ("lang:de", "none of its words"),
        ("bahn -bahn", "demanded and excluded"),
        ("bahn lang:de lang:en", "both of these values"),
        ("rating:1..2 bahn rating:4..5", "both of these values"),
        ("die", "alone is enough"),
        ("bahn OR the", "alone is enough"),
        ("und lang:de", "alone is enough"),
        ("bahn oder bus", "the operator is OR"),
        ("bahn AND bus OR tram", "binds closer"),
        ("C++ tutorial", "raw:\"C++\""),
        ("\"the nike+ app\"", "raw:\"nike+\""),
        ("bahn?", "exactly one letter"),
    ] {
        assert!(
            warned(query).iter().any(|warning| warning.contains(part)),
            "{query}: {:?}",
            warned(query)
        );
    }
    for query in [
        "bahn",
        "\"die bahn\"",
        "(bahn AND bus) OR tram",
        "bahn -bus",
        "die NEAR/2 bahn",
        "bahn lang:(de OR en)",
    ] {
        assert_eq!(warned(query), Vec::<String>::new(), "{query}");
    }
}

/// Texts and queries that make backtracking or position joins explode elsewhere.
#[test]
fn worst_cases_stay_linear() {
    let nested_stars =
        "(aaa*aaa*b OR *aaa*aaa* OR aa?a*aa?ab) OR (a NEAR/100 a NEAR/100 a NEAR/100 a NEAR/100 b)";
    let overlapping: Vec<String> = (3..60).map(|n| format!("*{}*", "a".repeat(n))).collect();
    let phrase = format!("\"{} b\"", ["a"; 30].join(" "));
    let joined = format!("\"{} b\"", ["a-a"; 15].join(" "));
    let url = format!("aaa url:\"*{0}*{0}*{0}b\"", "a".repeat(100));
    let raw: Vec<String> = (1..100).map(|n| format!("raw:{}", "+".repeat(n))).collect();
    let raw = raw.join(" OR ");
    let queries: Vec<Query> =
        [nested_stars, &overlapping.join(" OR "), &phrase, &joined, &raw, &url]
            .iter()
            .map(|query| query.parse().unwrap())
            .collect();
    let matcher =
        Matcher::from_queries(queries.iter().map(|query| (query, [].as_slice()))).unwrap();
    let mut scratch = Scratch::default();
    for (name, text) in [
        ("one endless word", "a".repeat(MAX_TEXT_BYTES)),
        ("words of the longest length", ("a".repeat(255) + " ").repeat(MAX_TEXT_BYTES / 256)),
        ("one word over and over", "a ".repeat(MAX_TEXT_BYTES / 2)),
        ("joined all over", "a-".repeat(MAX_TEXT_BYTES / 2)),
        ("umlauts", "ä".repeat(MAX_TEXT_BYTES / 2)),
        ("tags", "#ä_".repeat(MAX_TEXT_BYTES / 4)),
        ("accounts", "@a.a.a.a ".repeat(MAX_TEXT_BYTES / 9)),
        ("links", "http://a ".repeat(MAX_TEXT_BYTES / 9)),
        ("marks", "u\u{308}".repeat(MAX_TEXT_BYTES / 3)),
        ("far over the limit", "a ".repeat(4 * MAX_TEXT_BYTES)),
        ("signs", "+".repeat(MAX_TEXT_BYTES)),
        ("one endless link", format!("aaa b http://{}", "a".repeat(MAX_TEXT_BYTES))),
        ("two brands and a word without end", format!("aaa a b {}", "a".repeat(MAX_TEXT_BYTES))),
        ("two brands and blanks without end", format!("aaa a b{}", "\n".repeat(MAX_TEXT_BYTES))),
        ("two brands and sentences", "aaa a b.\n\n".repeat(MAX_TEXT_BYTES / 10)),
    ] {
        let started = Instant::now();
        let post = Post::text(&text);
        matcher.matches(&post, &mut scratch);
        targets(&matcher, &post, &scratch);
        let took = started.elapsed();
        assert!(took < Duration::from_secs(5), "{name}: {took:?}");
    }
}

#[test]
fn broken_brand_files_report_every_error_at_once() {
    let errors = BrandBook::from_files([
        ("a.toml", "name = \"A\"\nquery = \"(x\"\n"),
        ("b.toml", "name = \"B\"\nqueri = \"x\"\n"),
        ("c.toml", "name = \"\"\nquery = \"x\"\nlanguages = [\"Deutsch\"]\n"),
        ("d.toml", "name = \"D\nquery"),
        ("e.toml", &"#".repeat(2 << 20)),
    ])
    .unwrap_err();
    let text = errors.to_string();
    for part in [
        "a.toml:2: A: this parenthesis",
        "queri",
        "c.toml: a brand without a name: `name` is empty",
        "`Deutsch`",
        "d.toml",
        "e.toml",
    ] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
    assert_eq!(errors.0.len(), 6, "{text}");
    assert!(errors.render().contains("expected `)`"));
    assert!(serde_json::to_string(&errors).unwrap().contains("unclosed-parenthesis"));
}

#[test]
fn a_broken_file_of_a_megabyte_is_told_in_a_few_short_lines() {
    let line = "bahn ".repeat(200_000);
    for (content, part) in [
        (format!("name = \"A\"\nquery = \"{line}"), "line 2, column"),
        (format!("name = \"A\"\nquery = \"{line}\""), "at most 65536 are read"),
        (format!("{} = 1", line.replace(' ', "")), "line 1, column 1: unknown field `bahn"),
        (format!("name = \"A\"\nquery = \"x\"\n[alerts]\nsensitivity = \"{line}\""), "line 4"),
        (format!("{}name = 1", "\n".repeat(1_000_000)), "line 1000001, column 8"),
        ("name = \"A\"\nque\u{1b}[2Jry".to_owned(), "line 2, column"),
        (String::new(), "missing field `name`"),
    ] {
        let told = BrandBook::from_files([("a.toml", content)]).unwrap_err().render();
        assert!(told.contains(part), "{part} is missing in:\n{told}");
        assert!(told.lines().count() <= 12 && told.len() < 2_000, "{told}");
        assert!(!told.contains(|c: char| c.is_control() && c != '\n'), "{told:?}");
    }
}

const PIECES: [&str; 34] = [
    "a",
    "bahn",
    "AND",
    "OR",
    "NOT",
    "NEAR/3",
    "NEAR/3f",
    "NEAR",
    "(",
    ")",
    "\"",
    "„",
    "“",
    "-",
    "*",
    "?",
    "#",
    "@",
    "$",
    "lang:",
    "raw:",
    "rating:",
    "date:2026-01-01..",
    "url:",
    "\\",
    " ",
    "  ",
    "三",
    "👍🏽",
    "ü",
    "u\u{308}",
    "\u{200B}",
    "'",
    ":",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    /// Whatever is typed: an error inside the query, or a query that formats and matches.
    #[test]
    fn no_query_panics_and_every_error_points_into_it(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..24), text in "\\PC{0,40}") {
        check(&pieces.concat(), &text)?;
    }

    /// The same from valid queries with bytes changed, inserted and removed.
    #[test]
    fn mutated_queries_do_not_panic(
        row in 0_usize..300,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<char>(), 0_u8..3), 1..6),
    ) {
        let table = include_str!("conformance.tsv");
        let line = table.lines().filter(|line| !line.starts_with('#')).nth(row).unwrap();
        let mut columns = line.split('\t').skip(1);
        let mut query: Vec<char> = columns.next().unwrap().chars().collect();
        for (index, c, kind) in edits {
            let at = index.index(query.len() + 1);
            match kind {
                0 => query.insert(at, c),
                1 if at < query.len() => { query.remove(at); }
                _ if at < query.len() => query[at] = c,
                _ => {}
            }
        }
        check(&query.into_iter().collect::<String>(), columns.next().unwrap())?;
    }

    #[test]
    fn no_text_panics(text in any::<String>(), title in any::<Option<String>>()) {
        let query: Query = "bahn* OR \"a b\" OR *bcd* OR #x OR @y OR raw:Z OR (c NEAR/3 d)".parse().unwrap();
        let matcher = Matcher::from_queries([(&query, [].as_slice())]).unwrap();
        let mut scratch = Scratch::default();
        let post = Post { title: title.as_deref(), text: &text, ..Post::default() };
        matcher.matches(&post, &mut scratch);
        for form in scratch.tokens().forms() {
            let source = if form.start < 1_000 && title.is_some() { title.as_deref().unwrap() } else { &text };
            prop_assert!(source.get(form.byte_from as usize..form.byte_to as usize).is_some());
        }
    }

    #[test]
    fn no_brand_file_panics(content in "(name|query|group|brand|=|\"|'|\\[|\\]|\n| |x|:|\\{|,){0,40}") {
        let _ = BrandBook::from_files([("x.toml", &content)]).map_err(|errors| errors.render());
    }
}

fn check(query: &str, text: &str) -> Result<(), TestCaseError> {
    match Query::parse(query) {
        Err(error) => {
            prop_assert!(
                query.get(error.span.start..error.span.end).is_some(),
                "{:?} in {:?}",
                error.span,
                query
            );
            error.render();
        }
        Ok((parsed, _)) => {
            let canonical = parsed.format();
            let (again, _) = Query::parse(&canonical).map_err(|error| {
                TestCaseError::fail(format!("{query:?} -> {canonical:?}\n{}", error.render()))
            })?;
            prop_assert_eq!(&again, &parsed, "{:?} -> {:?}", query, canonical);
            parsed
                .explain(&Post::text(text))
                .map_err(|error| TestCaseError::fail(error.to_string()))?;
        }
    }
    Ok(())
}
