//! All brands' queries against one mention.
//!
//! ```text
//! text ─► Tokens ─► Automaton ─► Hits ─► queries whose trigger was seen ─► evaluate ─► matched
//!          once      one pass             a few of thousands
//! ```
//!
//! A query is only looked at when a *trigger* was seen: the rarest words of which one must stand in
//! every text it matches. The few queries without any (`lang:de`, `NOT x`) are looked at always.

mod automaton;
mod evaluate;
mod hits;
mod plan;
mod raw;
mod spans;

use crate::book::BrandBook;
use crate::post::Post;
use crate::query::Query;
use crate::query::field::speaks;
use crate::text::tokens::Tokens;

use automaton::{Automaton, rows};
use evaluate::Evidence;
use hits::Hits;
use plan::{Plan, Terms, Trigger, number};
use raw::RawSearch;

pub(crate) use spans::disjoint;
pub use spans::{TermReport, TextSpan};

/// Index of a brand in its [`BrandBook`], or of a query in the order given.
pub type BrandIndex = u32;

/// The queries together are more than an automaton can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot build one automaton of {patterns} words: {reason}; split the brands into two books"
)]
pub struct CompileError {
    patterns: usize,
    reason: String,
}

/// All queries, compiled together; shared between threads.
#[derive(Debug)]
pub struct Matcher {
    automaton: Automaton,
    raw: RawSearch,
    queries: Vec<Compiled>,
    terms: usize,
    by_term: (Vec<u32>, Vec<BrandIndex>),
    by_raw: (Vec<u32>, Vec<BrandIndex>),
    /// Queries without a trigger.
    always: Vec<BrandIndex>,
}

#[derive(Debug)]
struct Compiled {
    plan: Plan,
    languages: Box<[String]>,
}

/// What one thread reuses from mention to mention.
#[derive(Debug, Default)]
pub struct Scratch {
    tokens: Tokens,
    hits: Hits,
    seen: Vec<u32>,
    round: u32,
    matched: Vec<BrandIndex>,
}

impl Scratch {
    /// The words of the last mention.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// The brands the last mention matched.
    pub fn matched(&self) -> &[BrandIndex] {
        &self.matched
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        self.tokens.memory_bytes()
            + self.hits.memory_bytes()
            + (self.seen.capacity() + self.matched.capacity()) * size_of::<u32>()
    }
}

impl Matcher {
    /// Compiles all brands of a book; matches are indices into it.
    pub fn compile(book: &BrandBook) -> Result<Self, CompileError> {
        Self::from_queries(
            book.brands().iter().map(|brand| (&brand.query, brand.languages.as_slice())),
        )
    }

    /// Compiles queries with the languages each is limited to (none: all).
    pub fn from_queries<'q>(
        queries: impl IntoIterator<Item = (&'q Query, &'q [String])>,
    ) -> Result<Self, CompileError> {
        let mut terms = Terms::default();
        let mut compiled = Vec::new();
        let (mut by_term, mut by_raw, mut always) = (Vec::new(), Vec::new(), Vec::new());
        for (query, languages) in queries {
            let plan = terms.lower(query.expr());
            let index = number(compiled.len());
            match terms.triggers(&plan) {
                None => always.push(index),
                Some((_, mut triggers)) => {
                    triggers.sort_unstable();
                    triggers.dedup();
                    for trigger in triggers {
                        match trigger {
                            Trigger::Term(term) => by_term.push((term, index)),
                            Trigger::Raw(raw) => by_raw.push((raw, index)),
                        }
                    }
                }
            }
            compiled.push(Compiled { plan, languages: languages.into() });
        }
        by_term.sort_unstable();
        by_raw.sort_unstable();
        Ok(Self {
            automaton: Automaton::new(&terms.patterns)?,
            raw: RawSearch::new(&terms.raw)?,
            queries: compiled,
            terms: terms.patterns.len(),
            by_term: rows(terms.patterns.len(), by_term),
            by_raw: rows(terms.raw.len(), by_raw),
            always,
        })
    }

    /// The brands a mention matches, in ascending order.
    pub fn matches<'s>(&self, post: &Post<'_>, scratch: &'s mut Scratch) -> &'s [BrandIndex] {
        let Scratch { tokens, hits, seen, round, matched } = scratch;
        tokens.read(post.title, post.text);
        hits.reset(self.terms, self.automaton.checks(), self.raw.len());
        self.automaton.scan(tokens, hits);
        self.raw.scan(post, hits);
        matched.clear();
        if seen.len() != self.queries.len() {
            seen.resize(self.queries.len(), 0);
        }
        *round = round.wrapping_add(1);
        if *round == 0 {
            seen.fill(0);
            *round = 1;
        }
        let evidence = Evidence { post, tokens, hits };
        let triggered = hits.terms.iter().map(|term| row(&self.by_term, *term));
        let raw_triggered = hits.raw_seen.iter().map(|raw| row(&self.by_raw, *raw));
        for &query in triggered.chain(raw_triggered).flatten().chain(&self.always) {
            if let Some(seen) = seen.get_mut(query as usize)
                && *seen != *round
            {
                *seen = *round;
                if self.queries.get(query as usize).is_some_and(|compiled| compiled.holds(evidence))
                {
                    matched.push(query);
                }
            }
        }
        matched.sort_unstable();
        matched
    }

    /// Number of queries.
    pub fn len(&self) -> usize {
        self.queries.len()
    }

    /// Whether there is no query.
    pub fn is_empty(&self) -> bool {
        self.queries.is_empty()
    }

    /// Number of distinct words of all queries.
    pub fn distinct_terms(&self) -> usize {
        self.terms
    }

    /// Bytes held by the automata and tables. Plans are counted by their nodes.
    pub fn memory_bytes(&self) -> usize {
        let index =
            self.by_term.0.len() + self.by_term.1.len() + self.by_raw.0.len() + self.by_raw.1.len();
        let plans: usize = self
            .queries
            .iter()
            .map(|compiled| size_of::<Compiled>() + compiled.plan.heap_bytes())
            .sum();
        self.automaton.memory_bytes()
            + self.raw.memory_bytes()
            + (index + self.always.len()) * size_of::<u32>()
            + plans
    }
}

impl Compiled {
    /// A brand limited to languages also takes mentions whose language is unknown.
    fn holds(&self, evidence: Evidence<'_>) -> bool {
        self.speaks(evidence.post.lang) && evidence.holds(&self.plan)
    }

    fn speaks(&self, lang: Option<&str>) -> bool {
        self.languages.is_empty()
            || lang.is_none_or(|lang| self.languages.iter().any(|own| speaks(lang, own)))
    }
}

fn row<T>((offsets, values): &(Vec<u32>, Vec<T>), row: u32) -> &[T] {
    let (Some(&from), Some(&to)) = (offsets.get(row as usize), offsets.get(row as usize + 1))
    else {
        return &[];
    };
    values.get(from as usize..to as usize).unwrap_or_default()
}
