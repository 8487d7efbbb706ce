//! The language, pair by pair: every row of `conformance.tsv`, by the matcher that holds all rows'
//! queries at once, by the explainer, and by the slow reference.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod reference;

use echolot_brands::{Matcher, Post, Query, Scratch};

struct Row {
    line: usize,
    matches: bool,
    query: Query,
    text: String,
    fields: Vec<(String, String)>,
}

impl Row {
    fn read(line: usize, row: &str) -> Self {
        let mut columns = row.split('\t');
        let verdict = columns.next().unwrap_or_default();
        assert!(matches!(verdict, "+" | "-"), "line {line}: verdict {verdict:?}");
        let query = columns.next().unwrap_or_default();
        let (query, _) =
            Query::parse(query).unwrap_or_else(|error| panic!("line {line}:\n{}", error.render()));
        let text = unescape(columns.next().unwrap_or_default());
        let fields = columns.next().unwrap_or_default();
        let fields = fields.split(';').filter(|field| !field.is_empty()).map(|field| {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            (name.to_owned(), value.to_owned())
        });
        Self { line, matches: verdict == "+", query, text, fields: fields.collect() }
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    fn tags(&self) -> Vec<String> {
        self.field("tags")
            .map(|tags| tags.split(',').map(str::to_owned).collect())
            .unwrap_or_default()
    }

    fn post<'a>(&'a self, tags: &'a [String]) -> Post<'a> {
        Post {
            title: self.field("title"),
            text: &self.text,
            lang: self.field("lang"),
            source: self.field("source").unwrap_or_default(),
            author: self.field("author"),
            url: self.field("url"),
            tags,
            country: self.field("country"),
            rating: self.field("rating").map(|rating| rating.parse().unwrap()),
            created: self.field("created").map(|created| created.parse().unwrap()),
            is_reply: self.field("reply").is_some(),
            internal: self.field("internal").is_some(),
        }
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.replace("\\n", "\n");
    while let Some((before, after)) = rest.split_once("\\u{") {
        let (code, tail) = after.split_once('}').unwrap();
        out.push_str(before);
        out.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
        rest = tail.to_owned();
    }
    out + &rest
}

fn rows() -> Vec<Row> {
    let table = include_str!("conformance.tsv");
    let numbered =
        table.lines().enumerate().filter(|(_, row)| !row.starts_with('#') && !row.is_empty());
    numbered.map(|(index, row)| Row::read(index + 1, row)).collect()
}

#[test]
fn the_table_has_at_least_three_hundred_pairs() {
    assert!(rows().len() >= 300, "{}", rows().len());
}

#[test]
fn every_pair_is_judged_as_the_table_says_by_all_queries_together() {
    let rows = rows();
    let matcher =
        Matcher::from_queries(rows.iter().map(|row| (&row.query, [].as_slice()))).unwrap();
    let mut scratch = Scratch::default();
    let mut wrong = Vec::new();
    for (index, row) in (0_u32..).zip(&rows) {
        let tags = row.tags();
        let holds = matcher.matches(&row.post(&tags), &mut scratch).contains(&index);
        if holds != row.matches {
            wrong.push(format!("line {}: {} on {:?}: {holds}", row.line, row.query, row.text));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_pair_is_judged_as_the_table_says_by_the_reference() {
    for row in rows() {
        let tags = row.tags();
        let post = row.post(&tags);
        assert_eq!(
            reference::matches(&row.query, &post),
            row.matches,
            "line {}: {}",
            row.line,
            row.query
        );
    }
}

#[test]
fn every_match_is_explained_by_its_terms() {
    for row in rows() {
        let tags = row.tags();
        let post = row.post(&tags);
        let explanation = row.query.explain(&post).unwrap();
        assert_eq!(explanation.matched, row.matches, "line {}", row.line);
        assert_eq!(
            explanation.terms.iter().any(|term| term.counts),
            row.matches,
            "line {}",
            row.line
        );
        for span in explanation.spans() {
            let text = if span.place == echolot_brands::text::tokens::Place::Title {
                post.title.unwrap()
            } else {
                post.text
            };
            assert!(!text[span.bytes].is_empty(), "line {}", row.line);
        }
    }
}

#[test]
fn every_query_formats_to_itself_and_parses_to_an_equal() {
    for row in rows() {
        let canonical = row.query.format();
        let (again, _) = Query::parse(&canonical)
            .unwrap_or_else(|error| panic!("line {}: {canonical}:\n{}", row.line, error.render()));
        assert_eq!(again, row.query, "line {}: {canonical}", row.line);
        assert_eq!(again.format(), canonical, "line {}", row.line);
    }
}
