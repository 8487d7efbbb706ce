//! Where in a mention the terms of a query stand, and which of them made it match.

use std::ops::Range;

use super::evaluate::Evidence;
use super::hits::Occurrence;
use super::plan::Plan;
use super::{BrandIndex, Matcher, Scratch};
use crate::post::Post;
use crate::query::ast::{Expr, Span};
use crate::text::tokens::Place;

/// Bytes of a mention's title or text.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TextSpan {
    /// Title or text.
    pub place: Place,
    /// The bytes.
    pub bytes: Range<usize>,
}

/// What became of one term of a query.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct TermReport {
    /// The term in canonical form.
    pub term: String,
    /// Where it stands in the query, in bytes.
    pub query: Span,
    /// Whether it stands under `NOT`.
    pub negated: bool,
    /// Whether the mention holds it, or passes the field.
    pub found: bool,
    /// Whether it is part of the reason for the match.
    pub counts: bool,
    /// Where; of a term in `NEAR` that counts only the places close enough.
    pub spans: Vec<TextSpan>,
}

impl Matcher {
    /// What became of each term of the query at `index`, of which `expr` is the tree, in the mention
    /// last given to [`Matcher::matches`] with this scratch.
    pub(crate) fn report(
        &self,
        index: BrandIndex,
        expr: &Expr,
        post: &Post<'_>,
        scratch: &Scratch,
    ) -> Vec<TermReport> {
        let evidence = Evidence { post, tokens: &scratch.tokens, hits: &scratch.hits };
        let mut reporter = Reporter { evidence, reports: Vec::new() };
        if let Some(compiled) = self.queries.get(index as usize) {
            let counts = compiled.holds(evidence);
            reporter.visit(expr, &compiled.plan, false, counts);
        }
        reporter.reports
    }

    /// Where the words stand that made the query at `index` match the mention last given to
    /// [`Matcher::matches`] with this scratch; ordered, none inside another.
    pub fn spans(&self, index: BrandIndex, post: &Post<'_>, scratch: &Scratch) -> Vec<TextSpan> {
        let evidence = Evidence { post, tokens: &scratch.tokens, hits: &scratch.hits };
        let mut spans = Vec::new();
        if let Some(compiled) =
            self.queries.get(index as usize).filter(|compiled| compiled.holds(evidence))
        {
            evidence.collect(&compiled.plan, &mut spans);
        }
        disjoint(spans)
    }
}

/// Orders spans and merges those that overlap.
pub(crate) fn disjoint(mut spans: Vec<TextSpan>) -> Vec<TextSpan> {
    spans.sort_by_key(|span| (span.place, span.bytes.start));
    let mut merged: Vec<TextSpan> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if last.place == span.place && span.bytes.start < last.bytes.end => {
                last.bytes.end = last.bytes.end.max(span.bytes.end);
            }
            _ => merged.push(span),
        }
    }
    merged
}

impl Evidence<'_> {
    fn span(&self, occurrence: Occurrence) -> Option<TextSpan> {
        let forms = self.tokens.forms();
        let (first, last) =
            (forms.get(occurrence.first as usize)?, forms.get(occurrence.last as usize)?);
        let place = self.tokens.place(occurrence.first as usize);
        Some(TextSpan { place, bytes: first.byte_from as usize..last.byte_to as usize })
    }

    fn leaf_spans(&self, plan: &Plan) -> Vec<TextSpan> {
        match plan {
            Plan::Raw(raw) => self
                .hits
                .raw(*raw)
                .iter()
                .map(|(place, bytes)| TextSpan {
                    place: *place,
                    bytes: bytes.start as usize..bytes.end as usize,
                })
                .collect(),
            _ => self
                .occurrences(plan)
                .into_iter()
                .filter_map(|occurrence| self.span(occurrence))
                .collect(),
        }
    }

    /// The spans behind a plan that holds.
    fn collect(&self, plan: &Plan, spans: &mut Vec<TextSpan>) {
        match plan {
            Plan::Term(_) | Plan::Sequence(_) | Plan::Raw(_) => spans.extend(self.leaf_spans(plan)),
            Plan::Field(_) | Plan::Not(_) => {}
            Plan::And(children) | Plan::Or(children) => {
                children
                    .iter()
                    .filter(|child| self.holds(child))
                    .for_each(|child| self.collect(child, spans));
            }
            Plan::Near(operands, gaps) => {
                let chains = self.chains(operands, gaps);
                spans.extend(
                    chains.into_iter().flatten().filter_map(|occurrence| self.span(occurrence)),
                );
            }
        }
    }
}

struct Reporter<'a> {
    evidence: Evidence<'a>,
    reports: Vec<TermReport>,
}

impl Reporter<'_> {
    /// Visits a tree beside its plan; `counts` when everything above holds.
    fn visit(&mut self, expr: &Expr, plan: &Plan, negated: bool, counts: bool) {
        match (expr, plan) {
            (Expr::And(exprs), Plan::And(plans)) | (Expr::Or(exprs), Plan::Or(plans)) => {
                for (expr, plan) in exprs.iter().zip(plans) {
                    let holds = self.evidence.holds(plan) != negated;
                    self.visit(expr, plan, negated, counts && holds);
                }
            }
            (Expr::Not(expr), Plan::Not(plan)) => {
                self.visit(expr, plan, !negated, counts);
            }
            // Under NOT a NEAR is one condition: it counts because its words are not close.
            (Expr::Near(near), Plan::Near(plans, gaps)) if !negated => {
                let counts = counts && self.evidence.holds(plan);
                let chains = self.evidence.chains(plans, gaps);
                for ((expr, plan), chain) in near.operands.iter().zip(plans).zip(chains) {
                    self.operand(expr, plan, counts.then_some(chain.as_slice()));
                }
            }
            _ => {
                let found = self.evidence.holds(plan);
                let spans = if found { self.evidence.leaf_spans(plan) } else { Vec::new() };
                self.push(expr, negated, found, counts && found != negated, spans);
            }
        }
    }

    /// A side of `NEAR`: with a chain, only the places on it count.
    fn operand(&mut self, expr: &Expr, plan: &Plan, chain: Option<&[Occurrence]>) {
        if let (Expr::Or(exprs), Plan::Or(plans)) = (expr, plan) {
            exprs.iter().zip(plans).for_each(|(expr, plan)| self.operand(expr, plan, chain));
            return;
        }
        let places = self.evidence.occurrences(plan);
        let found = !places.is_empty();
        let close = |place: &Occurrence| {
            chain.is_none_or(|chain| {
                chain.iter().any(|c| (c.start, c.end) == (place.start, place.end))
            })
        };
        let spans: Vec<TextSpan> = places
            .into_iter()
            .filter(close)
            .filter_map(|place| self.evidence.span(place))
            .collect();
        self.push(expr, false, found, chain.is_some() && !spans.is_empty(), spans);
    }

    fn push(
        &mut self,
        expr: &Expr,
        negated: bool,
        found: bool,
        counts: bool,
        spans: Vec<TextSpan>,
    ) {
        self.reports.push(TermReport {
            term: expr.to_string(),
            query: expr.span(),
            negated,
            found,
            counts,
            spans,
        });
    }
}
