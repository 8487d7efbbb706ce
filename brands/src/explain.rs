//! Why a query matches a mention, or why not.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::matcher::{CompileError, Matcher, Scratch, TermReport, TextSpan};
use crate::post::Post;
use crate::query::{FieldTest, Query};
use crate::text::fold::is_invisible;
use crate::text::tokens::Place;

/// What became of each term of a query in one mention.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Explanation {
    /// Whether the query matches.
    pub matched: bool,
    /// Every term, in the order of the query.
    pub terms: Vec<TermReport>,
    /// Fields that the query asks for and of which nothing is known: such tests are false.
    pub unknown: Vec<&'static str>,
}

impl Query {
    /// Explains this query for one mention. Compiles the query, so it is for people, not for streams.
    pub fn explain(&self, post: &Post<'_>) -> Result<Explanation, CompileError> {
        let compiled = Matcher::from_queries([(self, [].as_slice())])?;
        let mut scratch = Scratch::default();
        let matched = !compiled.matches(post, &mut scratch).is_empty();
        let terms = compiled.report(0, self.expr(), post, &scratch);
        let false_for_want =
            |test: &&FieldTest| test.is_unknown(post) && !test.matches(post, scratch.tokens());
        let unknown: BTreeSet<_> =
            self.fields().into_iter().filter(false_for_want).map(FieldTest::name).collect();
        Ok(Explanation { matched, terms, unknown: unknown.into_iter().collect() })
    }
}

impl Explanation {
    /// The places that count, ordered.
    pub fn spans(&self) -> Vec<TextSpan> {
        let counting = self.terms.iter().filter(|term| term.counts && !term.negated);
        crate::matcher::disjoint(counting.flat_map(|term| term.spans.clone()).collect())
    }

    /// For a terminal: title and text with `[[…]]` around what counts, then a line for each term.
    /// Control characters of the mention do not reach it.
    pub fn render(&self, post: &Post<'_>) -> String {
        let spans = self.spans();
        let mut out = String::from(if self.matched { "match\n" } else { "no match\n" });
        for (place, text) in [(Place::Title, post.title), (Place::Text, Some(post.text))] {
            if let Some(text) = text {
                out.push_str("  ");
                let spans = spans.iter().filter(|span| span.place == place);
                out.push_str(&plain(&marked(text, spans)));
                out.push('\n');
            }
        }
        for term in &self.terms {
            let sign = match (term.counts, term.found) {
                (true, _) => '+',
                (false, true) => '·',
                (false, false) => '-',
            };
            let not = if term.negated { "NOT " } else { "" };
            let state = if term.found { "found" } else { "not found" };
            // Writing to a string cannot fail.
            let _ =
                writeln!(out, "  {sign} {not}{}: {state}{}", term.term, places(post, &term.spans));
        }
        if !self.unknown.is_empty() {
            let _ = writeln!(
                out,
                "  nothing is known of the mention's {}: such tests are false",
                self.unknown.join(", ")
            );
        }
        out
    }
}

/// The text with brackets around the spans, which are ordered and disjoint.
pub fn marked<'s>(text: &str, spans: impl Iterator<Item = &'s TextSpan>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for span in spans {
        out.push_str(text.get(at..span.bytes.start).unwrap_or_default());
        out.push_str("[[");
        out.push_str(text.get(span.bytes.clone()).unwrap_or_default());
        out.push_str("]]");
        at = span.bytes.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// One line in which nothing steers a terminal: a mention is written by anyone.
pub fn plain(text: &str) -> String {
    let hidden = |c: &char| is_invisible(*c) && !matches!(c, '\u{200D}' | '\u{FE0F}');
    let chars = text.chars().filter(|c| !hidden(c));
    chars.map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn places(post: &Post<'_>, spans: &[TextSpan]) -> String {
    let shown = spans.iter().take(5).map(|span| {
        let text =
            if span.place == Place::Title { post.title.unwrap_or_default() } else { post.text };
        let written = plain(text.get(span.bytes.clone()).unwrap_or_default());
        format!("{}..{} “{written}”", span.bytes.start, span.bytes.end)
    });
    shown.map(|place| format!(" {place}")).collect::<Vec<_>>().join(",")
}
