//! One Aho-Corasick automaton for the words of all queries.
//!
//! The tokens of a mention lie between blanks, so a blank in a pattern is a word boundary:
//!
//! | word | pattern | then |
//! |---|---|---|
//! | `bahn` | `␣bahn␣` | it is a hit |
//! | `bahn*` | `␣bahn` | it is a hit |
//! | `*bahn` | `bahn␣` | it is a hit |
//! | `*bahn*` | `bahn` | it is a hit |
//! | `b?hn*hof` | `hof␣` (longest run) | the word is compared with the wildcards |
//! | `#bahn` | `#␣bahn␣` | it is a hit |
//!
//! Method: Aho and Corasick, "Efficient string matching", CACM 18 (1975).

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::CompileError;
use super::hits::Hits;
use super::plan::{TermId, number};
use crate::text::Sigil;
use crate::text::glob::{Glob, Piece};
use crate::text::tokens::{Form, Tokens};
use crate::text::words::Pattern;

/// Bytes of patterns up to which the automaton is expanded into a table. Such a table costs some
/// hundred bytes for each byte of pattern and reads a text about twice as fast.
const TABLE_PATTERN_BYTES: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct Automaton {
    search: Option<AhoCorasick>,
    /// `targets[offsets[p]..offsets[p + 1]]` are the terms that pattern `p` hints at.
    offsets: Vec<u32>,
    targets: Vec<Target>,
    checks: Vec<Check>,
}

#[derive(Debug, Clone, Copy)]
struct Target {
    term: TermId,
    /// Index into the checks; [`NO_CHECK`] when the pattern proves the hit.
    check: u32,
}

const NO_CHECK: u32 = u32::MAX;

#[derive(Debug)]
struct Check {
    sigil: Option<Sigil>,
    glob: Glob,
}

impl Check {
    fn passes(&self, tokens: &Tokens, form: &Form) -> bool {
        self.sigil.is_none_or(|sigil| form.sigil == Some(sigil))
            && self.glob.matches(tokens.spelling(form))
    }
}

impl Automaton {
    pub(super) fn new(patterns: &[Pattern]) -> Result<Self, CompileError> {
        let mut needles: HashMap<Vec<u8>, u32> = HashMap::new();
        let mut ordered: Vec<Vec<u8>> = Vec::new();
        let mut hints: Vec<(u32, Target)> = Vec::new();
        let mut checks = Vec::new();
        for (term, pattern) in patterns.iter().enumerate() {
            for glob in &pattern.forms {
                let (needle, proves) = needle(pattern, glob);
                let id = *needles.entry(needle).or_insert_with_key(|needle| {
                    ordered.push(needle.clone());
                    number(ordered.len() - 1)
                });
                let check = if proves { NO_CHECK } else { number(checks.len()) };
                if !proves {
                    checks.push(Check { sigil: pattern.sigil, glob: glob.clone() });
                }
                hints.push((id, Target { term: number(term), check }));
            }
        }
        hints.sort_by_key(|(needle, _)| *needle);
        let (offsets, targets) = rows(ordered.len(), hints);
        let search = if ordered.is_empty() { None } else { Some(search(&ordered)?) };
        Ok(Self { search, offsets, targets, checks })
    }

    /// Notes every term of the tokens.
    pub(super) fn scan(&self, tokens: &Tokens, hits: &mut Hits) {
        let Some(search) = &self.search else { return };
        let forms = tokens.forms();
        let mut at = 0;
        for found in search.find_overlapping_iter(tokens.buffer()) {
            // Every pattern ends in a word or on the blank behind it, and hits come in order.
            let last = found.end() - 1;
            while forms.get(at).is_some_and(|form| (form.to as usize) < last) {
                at += 1;
            }
            let Some(form) = forms.get(at) else { return };
            let needle = found.pattern().as_usize();
            let (from, to) = (self.offsets[needle] as usize, self.offsets[needle + 1] as usize);
            for target in &self.targets[from..to] {
                if hits.last_form(target.term) == Some(number(at)) {
                    continue;
                }
                let proven = match self.checks.get(target.check as usize) {
                    None => true,
                    Some(check) => {
                        hits.first_check(target.check, number(at)) && check.passes(tokens, form)
                    }
                };
                if proven {
                    hits.note(target.term, number(at));
                }
            }
        }
    }

    /// Number of words that are compared with their wildcards.
    pub(super) fn checks(&self) -> usize {
        self.checks.len()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let checks: usize = self
            .checks
            .iter()
            .map(|check| size_of::<Check>() + check.glob.0.len() * size_of::<Piece>())
            .sum();
        self.search.as_ref().map_or(0, AhoCorasick::memory_usage)
            + self.offsets.len() * size_of::<u32>()
            + self.targets.len() * size_of::<Target>()
            + checks
    }
}

fn search(needles: &[Vec<u8>]) -> Result<AhoCorasick, CompileError> {
    let bytes: usize = needles.iter().map(Vec::len).sum();
    let kind = if bytes <= TABLE_PATTERN_BYTES {
        AhoCorasickKind::DFA
    } else {
        AhoCorasickKind::ContiguousNFA
    };
    AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .kind(Some(kind))
        .prefilter(false)
        .build(needles)
        .map_err(|error| CompileError { patterns: needles.len(), reason: error.to_string() })
}

/// Groups pairs sorted by row into offsets and values.
pub(super) fn rows<T>(count: usize, sorted: Vec<(u32, T)>) -> (Vec<u32>, Vec<T>) {
    let mut offsets = vec![0; count + 1];
    for (row, _) in &sorted {
        offsets[*row as usize + 1] += 1;
    }
    for row in 0..count {
        offsets[row + 1] += offsets[row];
    }
    (offsets, sorted.into_iter().map(|(_, value)| value).collect())
}

/// What to look for, and whether finding it proves the word.
fn needle(pattern: &Pattern, glob: &Glob) -> (Vec<u8>, bool) {
    let pieces = &glob.0;
    let runs = glob.fragments();
    let Some(run) = runs.iter().max_by_key(|run| run.len()).cloned() else {
        // The parser lets no word through without letters.
        return (b" ".to_vec(), false);
    };
    let starts = run.start == 0;
    let ends = run.end == pieces.len();
    let mut needle = Vec::new();
    if starts {
        needle.extend(pattern.sigil.map(Sigil::byte));
        needle.push(b' ');
    }
    for piece in &pieces[run.clone()] {
        if let Piece::Char(c) = piece {
            needle.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    if ends {
        needle.push(b' ');
    }
    let before = starts || (run.start == 1 && pieces[0] == Piece::Many && pattern.sigil.is_none());
    let after = ends || (run.end + 1 == pieces.len() && pieces[run.end] == Piece::Many);
    (needle, before && after)
}
