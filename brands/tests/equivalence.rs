//! The automaton says what the slow reference says, on random queries and texts.
//!
//! Both are drawn from few words, so that phrases, `NEAR` and wildcards meet often.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod reference;

use echolot_brands::{Matcher, Post, Query, Scratch};
use proptest::prelude::*;

const WORDS: [&str; 22] = [
    "bahn",
    "Bahn",
    "bahnhof",
    "eisenbahn",
    "müller",
    "mueller",
    "muller",
    "e-mail",
    "email",
    "mail",
    "l'oréal",
    "straße",
    "#bahn",
    "@bahn.example",
    "$bahn",
    "三星",
    "三",
    "👍🏽",
    "a",
    "b",
    "a-b",
    "ab",
];

const PATTERNS: [&str; 12] = [
    "bahn*", "*bahn", "*bahn*", "b?hn*", "m?ller", "stra*", "#ba*", "*rasse*", "e-ma*", "m*ll*r",
    "#*ahn", "@ba*",
];

fn text() -> impl Strategy<Value = String> {
    let word = prop::sample::select(&WORDS[..]);
    let gap = prop::sample::select(
        &[" ", " ", " ", " ", "-", ". ", "", " https://x.example/bahn ", "\u{200B}", "\n"][..],
    );
    prop::collection::vec((word, gap), 0..14)
        .prop_map(|parts| parts.into_iter().flat_map(|(word, gap)| [word, gap]).collect())
}

fn leaf() -> impl Strategy<Value = String> {
    let word = || prop::sample::select(&WORDS[..]).prop_map(str::to_owned);
    let pattern = prop::sample::select(&PATTERNS[..]).prop_map(str::to_owned);
    let phrase = prop::collection::vec(
        prop_oneof![word(), prop::sample::select(&PATTERNS[..]).prop_map(str::to_owned)],
        2..4,
    )
    .prop_map(|words| format!("\"{}\"", words.join(" ")));
    prop_oneof![4 => word(), 2 => pattern, 2 => phrase]
}

fn near() -> impl Strategy<Value = String> {
    let operand = prop_oneof![
        3 => leaf(),
        1 => (leaf(), leaf()).prop_map(|(a, b)| format!("({a} OR {b})")),
    ];
    let gap = (1_u32..5, any::<bool>())
        .prop_map(|(words, ordered)| format!("NEAR/{words}{}", if ordered { "f" } else { "" }));
    (operand.clone(), prop::collection::vec((gap, operand), 1..4)).prop_map(|(first, rest)| {
        rest.into_iter().fold(first, |chain, (gap, operand)| format!("{chain} {gap} {operand}"))
    })
}

fn query() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        5 => leaf(),
        3 => near().prop_map(|near| format!("({near})")),
        1 => prop::sample::select(&["raw:Bahn", "raw:\"E-Mail\"", "raw:\"👍\"", "has:link", "is:reply"][..]).prop_map(str::to_owned),
    ];
    atom.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("({})", parts.join(" AND "))),
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("({})", parts.join(" OR "))),
            inner.prop_map(|part| format!("(NOT {part})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn the_automaton_equals_the_reference(
        queries in prop::collection::vec(query(), 1..5),
        texts in prop::collection::vec((prop::option::weighted(0.2, text()), text(), any::<bool>()), 1..5),
    ) {
        let queries: Vec<Query> = queries.iter().map(|query| Query::parse(query).unwrap().0).collect();
        let matcher = Matcher::from_queries(queries.iter().map(|query| (query, [].as_slice()))).unwrap();
        // One scratch for all texts: nothing of a text may reach the next.
        let mut scratch = Scratch::default();
        for (title, text, is_reply) in &texts {
            let post = Post { title: title.as_deref(), text, is_reply: *is_reply, ..Post::default() };
            let matched = matcher.matches(&post, &mut scratch).to_vec();
            for (index, query) in (0_u32..).zip(&queries) {
                let expected = reference::matches(query, &post);
                prop_assert_eq!(matched.contains(&index), expected, "{} on {:?} / {:?}", query, title, text);
            }
        }
    }

    #[test]
    fn explanations_agree_with_the_verdict_and_point_into_the_text(query in query(), text in text()) {
        let query: Query = query.parse().unwrap();
        let post = Post::text(&text);
        let explanation = query.explain(&post).unwrap();
        prop_assert_eq!(explanation.matched, reference::matches(&query, &post));
        prop_assert_eq!(explanation.terms.iter().any(|term| term.counts), explanation.matched);
        for span in explanation.terms.iter().flat_map(|term| &term.spans) {
            prop_assert!(text.get(span.bytes.clone()).is_some_and(|written| !written.is_empty()));
        }
    }

    #[test]
    fn the_canonical_form_is_stable_and_equal(query in query()) {
        let parsed: Query = query.parse().unwrap();
        let canonical = parsed.format();
        let again: Query = canonical.parse().unwrap();
        prop_assert_eq!(&again, &parsed, "{}", canonical);
        prop_assert_eq!(again.format(), canonical);
    }
}
