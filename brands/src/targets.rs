//! The part of a text that concerns each matched brand.
//!
//! A sentence is about the brands named in it; one that names two or more is divided into clauses,
//! at contrasting words (`but`, `aber`, `während`) and at commas. What names no brand follows the
//! brand named before it, or leads to the next one named when none was.
//!
//! A short text is about its brands from end to end: one brand alone gets all of it. In a long one
//! ([`LONG_BYTES`]) a name reaches [`BEHIND`] sentences behind it and [`AHEAD`] ahead; what lies
//! farther off concerns no brand, whether one is matched or several.

use std::ops::Range;

use crate::matcher::{BrandIndex, Matcher, Scratch};
use crate::post::Post;
use crate::text::tokens::Place;

/// The parts of a text about one brand.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Target {
    /// The brand.
    pub brand: BrandIndex,
    /// Bytes of the text, ordered and disjoint; the whole text when nothing else is known.
    pub parts: Vec<Range<usize>>,
}

impl Target {
    /// The parts as one text, for a sentiment model.
    pub fn text(&self, text: &str) -> String {
        let parts = self.parts.iter().filter_map(|part| text.get(part.clone()));
        parts.map(str::trim).collect::<Vec<_>>().join(" ")
    }
}

/// Bytes from which a text is long: an article or a thread rather than a post or a review.
pub const LONG_BYTES: usize = 1_000;
/// Sentences behind a name that still concern it, in a long text.
pub const BEHIND: usize = 3;
/// Sentences ahead of a name that lead to it, in a long text.
pub const AHEAD: usize = 1;

/// The targets of the mention last given to [`Matcher::matches`] with this scratch, one for each
/// matched brand, in the same order. A brand whose words stand in the title alone, or that matches
/// by other things than words, gets the whole text.
pub fn targets(matcher: &Matcher, post: &Post<'_>, scratch: &Scratch) -> Vec<Target> {
    let brands = scratch.matched();
    let whole_text = 0..post.text.len();
    let whole =
        |brand: &BrandIndex| Target { brand: *brand, parts: Vec::from([whole_text.clone()]) };
    let long = post.text.len() >= LONG_BYTES;
    if brands.len() < 2 && !long {
        return brands.iter().map(whole).collect();
    }
    let named: Vec<Vec<Range<usize>>> = brands
        .iter()
        .map(|brand| {
            let spans = matcher.spans(*brand, post, scratch);
            spans
                .into_iter()
                .filter(|span| span.place == Place::Text)
                .map(|span| span.bytes)
                .collect()
        })
        .collect();
    let reach = if long { Reach { behind: BEHIND, ahead: AHEAD } } else { Reach::EVERYTHING };
    let parts = divide(post.text, &named, reach);
    brands
        .iter()
        .zip(parts)
        .map(
            |(brand, parts)| {
                if parts.is_empty() { whole(brand) } else { Target { brand: *brand, parts } }
            },
        )
        .collect()
}

/// How many sentences around a name concern it.
#[derive(Clone, Copy)]
struct Reach {
    behind: usize,
    ahead: usize,
}

impl Reach {
    const EVERYTHING: Self = Self { behind: usize::MAX, ahead: usize::MAX };
}

/// A sentence, or a clause of one that names several brands.
struct Unit {
    bytes: Range<usize>,
    /// Number of the sentence.
    sentence: usize,
    /// The brands named in it.
    owners: Vec<usize>,
}

/// For each list of spans the parts of the text that belong to it.
fn divide(text: &str, named: &[Vec<Range<usize>>], reach: Reach) -> Vec<Vec<Range<usize>>> {
    let units = units(text, named);
    let mut next_named: Vec<Option<&Unit>> = Vec::with_capacity(units.len());
    let mut next = None;
    for unit in units.iter().rev() {
        next = Some(unit).filter(|unit| !unit.owners.is_empty()).or(next);
        next_named.push(next);
    }
    let mut parts = vec![Vec::new(); named.len()];
    let mut last: Option<&Unit> = None;
    for (unit, next) in units.iter().zip(next_named.into_iter().rev()) {
        if !unit.owners.is_empty() {
            last = Some(unit);
        }
        let follows = last.filter(|last| unit.sentence - last.sentence <= reach.behind);
        let leads = next.filter(|next| next.sentence - unit.sentence <= reach.ahead);
        for &owner in follows.or(leads).iter().flat_map(|unit| &unit.owners) {
            if let Some(parts) = parts.get_mut(owner) {
                extend(parts, unit.bytes.clone());
            }
        }
    }
    parts
}

fn units(text: &str, named: &[Vec<Range<usize>>]) -> Vec<Unit> {
    let mut units = Vec::new();
    for (sentence, bytes) in split(text, sentence_end).into_iter().enumerate() {
        let owners = owners(&bytes, named);
        if owners.len() < 2 {
            units.push(Unit { bytes, sentence, owners });
            continue;
        }
        let inside = text.get(bytes.clone()).unwrap_or_default();
        for clause in split(inside, clause_end) {
            let clause = bytes.start + clause.start..bytes.start + clause.end;
            let owners = self::owners(&clause, named);
            units.push(Unit { bytes: clause, sentence, owners });
        }
    }
    units
}

/// Adds a part, joining it to one that ends where it begins.
fn extend(parts: &mut Vec<Range<usize>>, part: Range<usize>) {
    match parts.last_mut() {
        Some(last) if last.end == part.start => last.end = part.end,
        _ => parts.push(part),
    }
}

/// The brands with a span that begins inside.
fn owners(part: &Range<usize>, named: &[Vec<Range<usize>>]) -> Vec<usize> {
    let begins = |spans: &[Range<usize>]| {
        let at = spans.partition_point(|span| span.start < part.start);
        spans.get(at).is_some_and(|span| span.start < part.end)
    };
    named.iter().enumerate().filter(|(_, spans)| begins(spans)).map(|(brand, _)| brand).collect()
}

/// Cuts a text where `ends` says how many bytes behind a position the next part begins.
fn split(text: &str, ends: fn(&str, usize) -> Option<usize>) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0;
    // Blanks at the end begin no part; each of them would be looked at from all before it.
    for (at, _) in text.trim_end().char_indices() {
        if at < start {
            continue;
        }
        if let Some(cut) = ends(text, at).filter(|cut| *cut > start && *cut < text.len()) {
            parts.push(start..cut);
            start = cut;
        }
    }
    if start < text.len() {
        parts.push(start..text.len());
    }
    parts
}

/// Words with a full stop that ends no sentence.
const ABBREVIATIONS: [&str; 24] = [
    "abs", "bzw", "ca", "co", "dr", "etc", "evtl", "ggf", "inkl", "jr", "min", "mio", "mr", "mrd",
    "mrs", "ms", "nr", "prof", "st", "str", "tel", "usw", "vgl", "vs",
];

fn sentence_end(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let sign = rest.chars().next()?;
    let after = rest.get(sign.len_utf8()..)?;
    match sign {
        // Empty lines are no sentences.
        '\n' => Some(at + rest.len() - rest.trim_start().len()),
        '。' | '！' | '？' => Some(at + sign.len_utf8()),
        '.' | '!' | '?' | '…' if after.starts_with(char::is_whitespace) => {
            let word =
                text.get(..at)?.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            let short = word.chars().count() == 1 || word.bytes().all(|byte| byte.is_ascii_digit());
            let abbreviation = ABBREVIATIONS.binary_search(&word.to_lowercase().as_str()).is_ok();
            let full_stop = word.is_empty() || !(short || abbreviation);
            let ends = sign != '.' || full_stop;
            let gap = after.len() - after.trim_start().len();
            ends.then_some(at + sign.len_utf8() + gap)
        }
        _ => None,
    }
}

/// Words that open a clause of its own, contrasts above all.
const OPENERS: [&str; 23] = [
    "aber",
    "although",
    "and",
    "but",
    "dagegen",
    "doch",
    "however",
    "jedoch",
    "ma",
    "mais",
    "mas",
    "mentre",
    "mientras",
    "obwohl",
    "pero",
    "sondern",
    "tandis",
    "though",
    "und",
    "whereas",
    "while",
    "wohingegen",
    "während",
];

fn clause_end(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let sign = rest.chars().next()?;
    if matches!(sign, ',' | ';' | ':' | '–' | '—')
        && rest.get(sign.len_utf8()..)?.starts_with(char::is_whitespace)
    {
        return Some(at + sign.len_utf8());
    }
    // Asked first: a word without end must not be read from each of its characters.
    if !text.get(..at)?.ends_with(char::is_whitespace) {
        return None;
    }
    let word = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    OPENERS.binary_search(&word.to_lowercase().as_str()).is_ok().then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts of `text` for each word looked for.
    fn parts(text: &str, words: &[&str]) -> Vec<String> {
        parts_within(text, words, Reach::EVERYTHING)
    }

    fn parts_within(text: &str, words: &[&str], reach: Reach) -> Vec<String> {
        let spans =
            |word: &&str| text.match_indices(*word).map(|(at, word)| at..at + word.len()).collect();
        let named: Vec<Vec<Range<usize>>> = words.iter().map(spans).collect();
        divide(text, &named, reach)
            .into_iter()
            .map(|parts| {
                parts.into_iter().map(|part| text[part].trim()).collect::<Vec<_>>().join(" | ")
            })
            .collect()
    }

    #[test]
    fn a_contrast_divides_praise_from_blame() {
        assert_eq!(
            parts("I love my iPhone but the Galaxy keeps crashing.", &["iPhone", "Galaxy"]),
            ["I love my iPhone", "but the Galaxy keeps crashing."]
        );
        assert_eq!(
            parts("Telekom ist super, während Vodafone nur nervt!", &["Telekom", "Vodafone"]),
            ["Telekom ist super,", "während Vodafone nur nervt!"]
        );
    }

    #[test]
    fn sentences_without_a_name_follow_the_one_before() {
        assert_eq!(
            parts("Lidl war gut. Alles frisch. Aldi war schlimm. Nie wieder.", &["Lidl", "Aldi"]),
            ["Lidl war gut. Alles frisch.", "Aldi war schlimm. Nie wieder."]
        );
    }

    #[test]
    fn an_opening_without_a_name_goes_to_the_first_one_named() {
        assert_eq!(
            parts("Wow. Apple wins. Sony loses.", &["Apple", "Sony"]),
            ["Wow. Apple wins.", "Sony loses."]
        );
    }

    #[test]
    fn abbreviations_and_numbers_end_no_sentence() {
        assert_eq!(
            parts("Dr. Apple z. B. am 3. Mai gut. Sony schlecht.", &["Apple", "Sony"]),
            ["Dr. Apple z. B. am 3. Mai gut.", "Sony schlecht."]
        );
    }

    #[test]
    fn two_brands_in_one_clause_share_it() {
        assert_eq!(
            parts("Apple gegen Sony", &["Apple", "Sony"]),
            ["Apple gegen Sony", "Apple gegen Sony"]
        );
    }

    #[test]
    fn within_reach_a_name_takes_the_sentences_around_it() {
        let reach = Reach { behind: 2, ahead: 1 };
        let text = "One. Two. Sony here. Four. Five. Six. Seven. Sony again. Nine.";
        assert_eq!(
            parts_within(text, &["Sony"], reach),
            ["Two. Sony here. Four. Five. | Seven. Sony again. Nine."]
        );
        let text = "One. Sony is bad. Three. Four. Five. Six. Apple is good. Eight.";
        assert_eq!(
            parts_within(text, &["Sony", "Apple"], reach),
            ["One. Sony is bad. Three. Four.", "Six. Apple is good. Eight."]
        );
    }

    #[test]
    fn empty_lines_are_no_sentences() {
        let reach = Reach { behind: 1, ahead: 0 };
        assert_eq!(parts_within("Sony\n\n \nTwo\n\nThree", &["Sony"], reach), ["Sony\n\n \nTwo"]);
    }

    #[test]
    fn the_word_lists_are_sorted_for_searching() {
        assert!(ABBREVIATIONS.is_sorted());
        assert!(OPENERS.is_sorted());
    }
}
