//! Which brands a mention is about: keywords for now.
//!
//! A keyword is found in title, text and tags whatever its case, as whole words: no letter, digit
//! or `_` stands right before or behind it. `Nimbus Pro` is found across any white space and in
//! `#NimbusPro`; `#nimbus` only as a hashtag. Scripts written without spaces need no boundary.
//!
//! The rest of the crate knows [`BrandMatcher::matches`] only, which a query language can take over.

use std::{collections::HashSet, path::Path};

use aho_corasick::AhoCorasick;
use echolot_pipeline::settings::{Problem, Problems};
use echolot_schemas::{Mention, enriched::BrandMatch};
use serde::Deserialize;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::model::short_hash;

/// Most brands.
pub const BRANDS: usize = 10_000;
/// Most keywords of one brand.
pub const KEYWORDS: usize = 1_000;
/// Most keywords of all brands together: about 200 bytes of automaton each.
pub const ALL_KEYWORDS: usize = 100_000;
/// Longest name or keyword, in bytes.
pub const KEYWORD_BYTES: usize = 128;

/// One brand as the file defines it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brand {
    /// Its name in tables, labels and dashboards.
    pub name: String,
    /// Words and phrases that mean it.
    pub keywords: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BrandFile {
    #[serde(default)]
    brand: Vec<Brand>,
}

/// Brands that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BrandsError {
    /// The file cannot be read.
    #[error("cannot read the brands in {path}: {source}")]
    Read {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no TOML of `[[brand]]` tables.
    #[error("the brands are no list of [[brand]] tables with name and keywords: {0}")]
    Syntax(#[from] toml::de::Error),
    /// Everything wrong with the definitions, at once.
    #[error("the brands have {} problems: {}", .0.len(), join(.0))]
    Invalid(Vec<Problem>),
    /// The keywords together are too large to search for.
    #[error("the keywords cannot be searched for together: {0}; remove some")]
    TooLarge(#[from] aho_corasick::BuildError),
}

fn join(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; ")
}

/// Finds brands in mentions. Built once; searching is linear in the text, whatever the number of
/// brands.
#[derive(Debug)]
pub struct BrandMatcher {
    brands: Vec<BrandMatch>,
    keywords: AhoCorasick,
    /// By pattern: whose it is and where it needs a boundary.
    patterns: Vec<Pattern>,
}

#[derive(Clone, Copy, Debug)]
struct Pattern {
    brand: u32,
    boundary_before: bool,
    boundary_behind: bool,
}

impl BrandMatcher {
    /// Reads a brand file.
    pub fn load(path: &Path) -> Result<Self, BrandsError> {
        let read = |source| BrandsError::Read { path: path.display().to_string(), source };
        Self::parse(&std::fs::read_to_string(path).map_err(read)?)
    }

    /// Reads the text of a brand file.
    pub fn parse(toml: &str) -> Result<Self, BrandsError> {
        let file: BrandFile = toml::from_str(toml)?;
        Self::new(&file.brand)
    }

    /// A matcher for these brands; none at all is fine.
    pub fn new(brands: &[Brand]) -> Result<Self, BrandsError> {
        let mut problems = Problems::default();
        validate(brands, &mut problems);
        let problems = problems.into_vec();
        if !problems.is_empty() {
            return Err(BrandsError::Invalid(problems));
        }
        let mut texts = Vec::new();
        let mut patterns = Vec::new();
        let mut named = Vec::with_capacity(brands.len());
        for (brand, at) in brands.iter().zip(0_u32..) {
            let keywords = spellings(brand);
            let mut parts: Vec<&[u8]> = vec![brand.name.as_bytes()];
            parts.extend(keywords.iter().map(String::as_bytes));
            named.push(BrandMatch { brand: brand.name.clone(), version: short_hash(&parts) });
            for keyword in keywords {
                patterns.push(Pattern {
                    brand: at,
                    boundary_before: keyword.chars().next().is_some_and(joins),
                    boundary_behind: keyword.chars().next_back().is_some_and(joins),
                });
                texts.push(keyword);
            }
        }
        let keywords = AhoCorasick::new(&texts)?;
        Ok(Self { brands: named, keywords, patterns })
    }

    /// The names of all brands, in the file's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.brands.iter().map(|brand| brand.brand.as_str())
    }

    /// The brands that a mention is about, each once, in the file's order.
    pub fn matches(&self, mention: &Mention) -> Vec<BrandMatch> {
        if self.brands.is_empty() {
            return Vec::new();
        }
        let text = searched(mention);
        let mut found = vec![0_u64; self.brands.len().div_ceil(64)];
        let mut any = false;
        for hit in self.keywords.find_overlapping_iter(&text) {
            let pattern = self.patterns[hit.pattern().as_usize()];
            if pattern.stands_alone(&text[..hit.start()], &text[hit.end()..]) {
                found[pattern.brand as usize / 64] |= 1 << (pattern.brand % 64);
                any = true;
            }
        }
        if !any {
            return Vec::new();
        }
        let is_found = |at: &usize| found[at / 64] >> (at % 64) & 1 == 1;
        (0..self.brands.len()).filter(is_found).map(|at| self.brands[at].clone()).collect()
    }
}

impl Pattern {
    fn stands_alone(self, before: &str, behind: &str) -> bool {
        let free_before = !self.boundary_before || !before.chars().next_back().is_some_and(joins);
        let free_behind = !self.boundary_behind || !behind.chars().next().is_some_and(joins);
        free_before && free_behind
    }
}

/// True for what makes a longer word of a keyword beside it.
fn joins(character: char) -> bool {
    let spaceless = matches!(
        character,
        '\u{e00}'..='\u{eff}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
            | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}'
    );
    (character.is_alphanumeric() || character == '_') && !spaceless
}

/// Every spelling of a brand's keywords as searched for, sorted, each once: also what the version
/// is computed over, so that order and case do not change it.
fn spellings(brand: &Brand) -> Vec<String> {
    let mut spellings = Vec::new();
    for keyword in &brand.keywords {
        let folded = fold(keyword.trim());
        if folded.contains(' ') {
            spellings.push(format!("#{}", folded.replace(' ', "")));
        }
        spellings.push(folded);
    }
    spellings.sort_unstable();
    spellings.dedup();
    spellings
}

/// Title, text and tags, folded, each on its own line.
fn searched(mention: &Mention) -> String {
    let title = mention.title.as_deref().unwrap_or_default();
    let length = title.len() + mention.text.len() + 2;
    let mut out =
        String::with_capacity(length + mention.tags.iter().map(|t| t.len() + 2).sum::<usize>());
    fold_into(title, &mut out);
    out.push('\n');
    fold_into(&mention.text, &mut out);
    for tag in &mention.tags {
        out.push_str("\n#");
        fold_into(tag.trim_start_matches('#'), &mut out);
    }
    out
}

fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    fold_into(text, &mut out);
    out
}

/// Composed, lower case, `ß` as `ss`, white space as one space. Zero-width characters are gone.
fn fold_into(text: &str, out: &mut String) {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        fold_characters(text.chars(), out);
    } else {
        fold_characters(text.nfc(), out);
    }
}

fn fold_characters(characters: impl Iterator<Item = char>, out: &mut String) {
    let start = out.len();
    for character in characters {
        match character {
            'A'..='Z' => out.push(character.to_ascii_lowercase()),
            '!'..='~' => out.push(character),
            'ß' | 'ẞ' => out.push_str("ss"),
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => {}
            space if space.is_whitespace() => {
                if out.len() > start && !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            other => out.extend(other.to_lowercase()),
        }
    }
}

fn validate(brands: &[Brand], problems: &mut Problems) {
    problems.check(
        brands.len() <= BRANDS,
        "brand",
        format!("there are {}, at most {BRANDS}", brands.len()),
    );
    let all: usize = brands.iter().map(|brand| brand.keywords.len()).sum();
    problems.check(
        all <= ALL_KEYWORDS,
        "brand",
        format!("there are {all} keywords in all, at most {ALL_KEYWORDS}"),
    );
    let mut names = HashSet::new();
    for (at, brand) in brands.iter().enumerate() {
        let path = format!("brand[{at}]");
        let sized = !brand.name.trim().is_empty() && brand.name.len() <= KEYWORD_BYTES;
        problems.check(
            sized && !brand.name.chars().any(char::is_control),
            &format!("{path}.name"),
            format!("must be 1 to {KEYWORD_BYTES} bytes without control characters"),
        );
        problems.check(
            names.insert(brand.name.as_str()),
            &format!("{path}.name"),
            format!("{:?} is the name of an earlier brand", excerpt(&brand.name)),
        );
        problems.check(
            (1..=KEYWORDS).contains(&brand.keywords.len()),
            &format!("{path}.keywords"),
            format!("must be 1 to {KEYWORDS}"),
        );
        for (at, keyword) in brand.keywords.iter().enumerate() {
            problems.check(
                keyword.chars().any(char::is_alphanumeric) && keyword.len() <= KEYWORD_BYTES,
                &format!("{path}.keywords[{at}]"),
                format!(
                    "{:?} must hold a letter or digit and be at most {KEYWORD_BYTES} bytes",
                    excerpt(keyword)
                ),
            );
        }
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(40).collect()
}
