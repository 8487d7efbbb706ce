//! Boolean evaluation of one query over the hits of one mention.
//!
//! Phrases and `NEAR` chains go from left to right and keep what can still be reached, sorted by
//! position, so their cost grows with the number of hits and not with its powers.

use super::hits::{Hits, Occurrence, in_order};
use super::plan::{Plan, Step, TermId};
use crate::post::Post;
use crate::query::ast::Gap;
use crate::text::tokens::Tokens;

/// What a plan is held against.
#[derive(Clone, Copy)]
pub(super) struct Evidence<'a> {
    pub(super) post: &'a Post<'a>,
    pub(super) tokens: &'a Tokens,
    pub(super) hits: &'a Hits,
}

impl Evidence<'_> {
    /// Whether the mention matches.
    pub(super) fn holds(&self, plan: &Plan) -> bool {
        match plan {
            Plan::Term(term) => self.hits.has(*term),
            Plan::Sequence(steps) => self.may_hold(steps) && !self.sequence(steps).is_empty(),
            Plan::Raw(raw) => !self.hits.raw(*raw).is_empty(),
            Plan::Field(test) => test.matches(self.post, self.tokens),
            Plan::Not(inner) => !self.holds(inner),
            Plan::And(children) => children.iter().all(|child| self.holds(child)),
            Plan::Or(children) => children.iter().any(|child| self.holds(child)),
            Plan::Near(operands, gaps) => {
                operands.iter().all(|operand| self.holds(operand))
                    && self
                        .reached(operands, gaps)
                        .last()
                        .is_some_and(|reached| !reached.is_empty())
            }
        }
    }

    /// Whether all words of a sequence were seen at all.
    fn may_hold(&self, steps: &[Step]) -> bool {
        steps.iter().all(|step| {
            step.alternatives.iter().any(|terms| terms.iter().all(|term| self.hits.has(*term)))
        })
    }

    /// Where the words of a leaf or of an `OR` group of leaves stand.
    pub(super) fn occurrences(&self, plan: &Plan) -> Vec<Occurrence> {
        match plan {
            Plan::Term(term) => self.hits.occurrences(*term, self.tokens),
            Plan::Sequence(steps) if self.may_hold(steps) => self.sequence(steps),
            Plan::Or(children) => {
                let mut all = children.iter().flat_map(|child| self.occurrences(child)).collect();
                in_order(&mut all);
                all
            }
            _ => Vec::new(),
        }
    }

    fn sequence(&self, steps: &[Step]) -> Vec<Occurrence> {
        let mut reached: Option<Vec<Occurrence>> = None;
        for step in steps {
            let mut next = Vec::new();
            for terms in &step.alternatives {
                let mut path = reached.clone();
                for term in terms {
                    path = Some(self.follow(path, *term));
                }
                next.extend(path.unwrap_or_default());
            }
            in_order(&mut next);
            if next.is_empty() {
                return next;
            }
            reached = Some(next);
        }
        reached.unwrap_or_default()
    }

    /// The runs that `term` continues; without runs, those it begins.
    fn follow(&self, runs: Option<Vec<Occurrence>>, term: TermId) -> Vec<Occurrence> {
        let places = self.hits.occurrences(term, self.tokens);
        let Some(runs) = runs else { return places };
        let mut longer = Vec::new();
        for run in runs {
            let from = places.partition_point(|place| place.start <= run.end);
            let adjacent = places[from..].iter().take_while(|place| place.start == run.end + 1);
            longer.extend(adjacent.map(|place| Occurrence {
                end: place.end,
                last: place.last,
                ..run
            }));
        }
        longer
    }

    /// For each operand the occurrences that a chain from the first operand reaches.
    fn reached(&self, operands: &[Plan], gaps: &[Gap]) -> Vec<Vec<Occurrence>> {
        let mut chain: Vec<Vec<Occurrence>> = Vec::with_capacity(operands.len());
        for (index, operand) in operands.iter().enumerate() {
            let mut places = self.occurrences(operand);
            if let (Some(left), Some(gap)) =
                (chain.last(), index.checked_sub(1).and_then(|gap| gaps.get(gap)))
            {
                retain_near(&mut places, left, gap.words, true, !gap.ordered);
            }
            chain.push(places);
        }
        chain
    }

    /// For each operand the occurrences that are part of a whole chain.
    pub(super) fn chains(&self, operands: &[Plan], gaps: &[Gap]) -> Vec<Vec<Occurrence>> {
        let mut chain = self.reached(operands, gaps);
        for index in (1..chain.len()).rev() {
            let (left, right) = chain.split_at_mut(index);
            if let (Some(left), Some(right), Some(gap)) =
                (left.last_mut(), right.first(), gaps.get(index - 1))
            {
                retain_near(left, right, gap.words, !gap.ordered, true);
            }
        }
        chain
    }
}

/// Keeps the places within `words` of one of `others`: behind one, before one, or either.
fn retain_near(
    places: &mut Vec<Occurrence>,
    others: &[Occurrence],
    words: u32,
    behind: bool,
    before: bool,
) {
    let mut ends: Vec<u32> = others.iter().map(|other| other.end).collect();
    let mut starts: Vec<u32> = others.iter().map(|other| other.start).collect();
    ends.sort_unstable();
    starts.sort_unstable();
    let any_in = |sorted: &[u32], from: u32, to: u32| {
        sorted.get(sorted.partition_point(|at| *at < from)).is_some_and(|at| *at <= to)
    };
    places.retain(|place| {
        let follows = behind
            && place.start > 0
            && any_in(&ends, place.start.saturating_sub(words), place.start - 1);
        follows || (before && any_in(&starts, place.end + 1, place.end + words))
    });
}
