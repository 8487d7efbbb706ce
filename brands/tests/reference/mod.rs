//! The language as slowly and plainly as it can be said, to hold the matcher against.
//!
//! No automaton, no triggers, no chains: each word of the query is compared with each word of the
//! text, and phrases and `NEAR` try every combination of places.

use echolot_brands::Post;
use echolot_brands::query::{Expr, Gap, Query};
use echolot_brands::text::tokens::Tokens;
use echolot_brands::text::words::{self, Pattern};

/// First and last position of a run of words.
type Run = (u32, u32);

pub(crate) fn matches(query: &Query, post: &Post<'_>) -> bool {
    let mut tokens = Tokens::default();
    tokens.read(post.title, post.text);
    holds(query.expr(), post, &tokens)
}

fn holds(expr: &Expr, post: &Post<'_>, tokens: &Tokens) -> bool {
    match expr {
        Expr::Text(leaf) => !phrase(&leaf.value, tokens).is_empty(),
        Expr::Raw(leaf) => {
            post.title.into_iter().chain([post.text]).any(|text| raw(text, &leaf.value))
        }
        Expr::Field(leaf) => leaf.value.matches(post, tokens),
        Expr::Not(inner) => !holds(inner, post, tokens),
        Expr::And(children) => children.iter().all(|child| holds(child, post, tokens)),
        Expr::Or(children) => children.iter().any(|child| holds(child, post, tokens)),
        Expr::Near(near) => {
            let places: Vec<Vec<Run>> =
                near.operands.iter().map(|operand| runs(operand, tokens)).collect();
            chain(None, &places, &near.gaps)
        }
    }
}

fn runs(expr: &Expr, tokens: &Tokens) -> Vec<Run> {
    match expr {
        Expr::Text(leaf) => phrase(&leaf.value, tokens),
        Expr::Or(children) => children.iter().flat_map(|child| runs(child, tokens)).collect(),
        other => panic!("the parser let {other} into NEAR"),
    }
}

/// Whether some choice of one place for each operand keeps every gap.
fn chain(left: Option<Run>, places: &[Vec<Run>], gaps: &[Gap]) -> bool {
    let Some((first, rest)) = places.split_first() else { return true };
    first.iter().any(|&run| match left {
        None => chain(Some(run), rest, gaps),
        Some(left) => close(left, run, gaps[0]) && chain(Some(run), rest, &gaps[1..]),
    })
}

fn close(left: Run, right: Run, gap: Gap) -> bool {
    let forward = right.0 > left.1 && right.0 - left.1 <= gap.words;
    let backward = left.0 > right.1 && left.0 - right.1 <= gap.words;
    forward || (backward && !gap.ordered)
}

/// All runs of a phrase, each word as its parts in a row or as one joined word.
fn phrase(written: &str, tokens: &Tokens) -> Vec<Run> {
    let mut spellings: Vec<Vec<Pattern>> = vec![Vec::new()];
    for word in written.split(' ') {
        let word = words::cut(word).unwrap();
        let mut longer = Vec::new();
        for spelling in &spellings {
            longer.push([spelling.clone(), word.parts.clone()].concat());
            if let Some(joined) = &word.joined {
                longer.push([spelling.clone(), vec![joined.clone()]].concat());
            }
        }
        spellings = longer;
    }
    let mut found: Vec<Run> =
        spellings.iter().flat_map(|patterns| consecutive(patterns, None, tokens)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn consecutive(patterns: &[Pattern], so_far: Option<Run>, tokens: &Tokens) -> Vec<Run> {
    let Some((pattern, rest)) = patterns.split_first() else { return so_far.into_iter().collect() };
    let mut found = Vec::new();
    for form in tokens.forms() {
        let adjacent = so_far.is_none_or(|(_, end)| form.start == end + 1);
        if adjacent && pattern.matches(tokens.spelling(form), form.sigil) {
            let start = so_far.map_or(form.start, |(start, _)| start);
            found.extend(consecutive(rest, Some((start, form.end)), tokens));
        }
    }
    found
}

fn raw(text: &str, wanted: &str) -> bool {
    let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let starts_with_letter = letter(wanted.chars().next());
    let ends_with_letter = letter(wanted.chars().next_back());
    text.char_indices().any(|(at, _)| {
        text[at..].starts_with(wanted)
            && !(starts_with_letter && letter(text[..at].chars().next_back()))
            && !(ends_with_letter && letter(text[at + wanted.len()..].chars().next()))
    })
}
