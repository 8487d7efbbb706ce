//! Queries lowered to numbered terms, one plan for each query, shaped like its tree.

use std::collections::HashMap;

use crate::query::ast::{Expr, Gap};
use crate::query::field::FieldTest;
use crate::query::warn::is_common;
use crate::text::words::{self, Pattern};

/// Number of a distinct word of all queries.
pub(super) type TermId = u32;
/// Number of a distinct `raw:` text of all queries.
pub(super) type RawId = u32;

/// A query over numbered terms; each node mirrors one [`Expr`].
#[derive(Debug)]
pub(super) enum Plan {
    Term(TermId),
    /// Words at consecutive positions.
    Sequence(Box<[Step]>),
    Raw(RawId),
    Field(Box<FieldTest>),
    Not(Box<Plan>),
    And(Box<[Plan]>),
    Or(Box<[Plan]>),
    Near(Box<[Plan]>, Box<[Gap]>),
}

/// One word of a sequence: either of its alternatives, each one or more terms in a row.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) alternatives: Box<[Box<[TermId]>]>,
}

/// What must be seen in a text before a query is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Trigger {
    Term(TermId),
    Raw(RawId),
}

/// The distinct words and raw texts of all queries.
#[derive(Debug, Default)]
pub(super) struct Terms {
    ids: HashMap<Pattern, TermId>,
    /// By number.
    pub(super) patterns: Vec<Pattern>,
    raw_ids: HashMap<String, RawId>,
    /// By number.
    pub(super) raw: Vec<String>,
}

impl Terms {
    fn term(&mut self, pattern: Pattern) -> TermId {
        *self.ids.entry(pattern).or_insert_with_key(|pattern| {
            self.patterns.push(pattern.clone());
            number(self.patterns.len() - 1)
        })
    }

    fn raw(&mut self, text: &str) -> RawId {
        *self.raw_ids.entry(text.to_owned()).or_insert_with_key(|text| {
            self.raw.push(text.clone());
            number(self.raw.len() - 1)
        })
    }

    /// Lowers a query.
    pub(super) fn lower(&mut self, expr: &Expr) -> Plan {
        let mut all = |children: &[Expr]| children.iter().map(|child| self.lower(child)).collect();
        match expr {
            Expr::And(children) => Plan::And(all(children)),
            Expr::Or(children) => Plan::Or(all(children)),
            Expr::Near(near) => Plan::Near(all(&near.operands), near.gaps.clone().into()),
            Expr::Not(inner) => Plan::Not(Box::new(self.lower(inner))),
            Expr::Field(leaf) => Plan::Field(Box::new(leaf.value.clone())),
            Expr::Raw(leaf) => Plan::Raw(self.raw(&leaf.value)),
            Expr::Text(leaf) => self.sequence(&leaf.value),
        }
    }

    fn sequence(&mut self, written: &str) -> Plan {
        let steps: Vec<Step> = written
            .split(' ')
            // The parser let only words through that can be cut.
            .filter_map(|word| words::cut(word).ok())
            .map(|word| {
                let parts = word.parts.into_iter().map(|part| self.term(part)).collect();
                let joined = word.joined.map(|pattern| Box::from([self.term(pattern)]));
                Step { alternatives: std::iter::once(parts).chain(joined).collect() }
            })
            .collect();
        if let [Step { alternatives }] = steps.as_slice()
            && let [terms] = &**alternatives
            && let [term] = **terms
        {
            return Plan::Term(term);
        }
        Plan::Sequence(steps.into())
    }

    /// How often a term is expected in texts, roughly: the rarest of several becomes the trigger.
    fn frequency(&self, term: TermId) -> u64 {
        let Some(form) = self.patterns.get(term as usize).and_then(|pattern| pattern.forms.first())
        else {
            return 0;
        };
        let letters = form.literal_chars().min(20);
        let common = form.literal().is_some_and(|word| is_common(&word));
        let base = (1_u64 << (21 - letters)) * if common { 64 } else { 1 };
        // A wildcard opens the word to others.
        if form.wildcards() > 0 { base * 4 } else { base }
    }

    /// The cheapest set of which at least one member is seen in every text that matches; `None`
    /// when a text can match without any.
    pub(super) fn triggers(&self, plan: &Plan) -> Option<(u64, Vec<Trigger>)> {
        match plan {
            Plan::Term(term) => Some((self.frequency(*term), vec![Trigger::Term(*term)])),
            Plan::Raw(raw) => Some((64, vec![Trigger::Raw(*raw)])),
            Plan::Field(_) | Plan::Not(_) => None,
            Plan::Sequence(steps) => {
                steps.iter().map(|step| self.step_triggers(step)).min_by_key(|(cost, _)| *cost)
            }
            Plan::And(children) | Plan::Near(children, _) => children
                .iter()
                .filter_map(|child| self.triggers(child))
                .min_by_key(|(cost, _)| *cost),
            Plan::Or(children) => {
                children.iter().map(|child| self.triggers(child)).reduce(|a, b| {
                    let ((a_cost, mut a), (b_cost, b)) = (a?, b?);
                    a.extend(b);
                    Some((a_cost + b_cost, a))
                })?
            }
        }
    }

    fn step_triggers(&self, step: &Step) -> (u64, Vec<Trigger>) {
        let rarest =
            |terms: &[TermId]| terms.iter().copied().map(|term| (self.frequency(term), term)).min();
        let mut cost = 0;
        let mut triggers = Vec::new();
        for (frequency, term) in step.alternatives.iter().filter_map(|terms| rarest(terms)) {
            cost += frequency;
            triggers.push(Trigger::Term(term));
        }
        (cost, triggers)
    }
}

/// A count of terms, patterns or queries as a number of 32 bits.
#[expect(
    clippy::expect_used,
    reason = "limits::MAX_BRANDS times limits::MAX_TERMS stays below 2^32"
)]
pub(super) fn number(index: usize) -> u32 {
    u32::try_from(index).expect("a book's terms are counted within 32 bits")
}

impl Plan {
    /// Bytes on the heap, without those of field values.
    pub(super) fn heap_bytes(&self) -> usize {
        let all = |children: &[Self]| {
            children.iter().map(|child| size_of::<Self>() + child.heap_bytes()).sum()
        };
        match self {
            Self::Term(_) | Self::Raw(_) => 0,
            Self::Field(_) => size_of::<FieldTest>(),
            Self::Not(inner) => size_of::<Self>() + inner.heap_bytes(),
            Self::And(children) | Self::Or(children) => all(children),
            Self::Near(children, gaps) => all(children) + size_of_val(&**gaps),
            Self::Sequence(steps) => steps
                .iter()
                .flat_map(|step| &step.alternatives)
                .map(|terms| size_of::<Step>() + size_of_val(&**terms))
                .sum(),
        }
    }
}
