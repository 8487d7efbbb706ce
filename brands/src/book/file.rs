//! One brand file: a brand, or several under `[[brand]]`.

use serde::Deserialize;
use toml::Spanned;

use super::brand::{Alerts, Brand, OwnedAccount};
use super::error::BookError;
use super::{MAX_FILE_BYTES, version};
use crate::explain::plain;
use crate::query::excerpt::Excerpt;
use crate::query::{Query, Span};

/// Characters of a name or group: it becomes a metric label and a chart legend.
const MAX_NAME_CHARS: usize = 80;
/// Entries of a list.
const MAX_ENTRIES: usize = 200;
/// Characters of what the reader of TOML says, which may quote the file.
const MAX_MESSAGE_CHARS: usize = 300;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Several {
    brand: Vec<Definition>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Definition {
    name: String,
    group: Option<String>,
    query: Spanned<String>,
    #[serde(default)]
    competitors: Vec<String>,
    #[serde(default)]
    owned_accounts: Vec<String>,
    #[serde(default)]
    languages: Vec<String>,
    #[serde(default)]
    alerts: Alerts,
}

pub(super) fn read(file: &str, content: &str) -> Result<Vec<Brand>, Vec<BookError>> {
    if content.len() > MAX_FILE_BYTES {
        return Err(vec![BookError::TooLong { file: file.to_owned(), bytes: content.len() }]);
    }
    let invalid = |error: toml::de::Error| {
        vec![BookError::Toml { file: file.to_owned(), message: at_its_place(content, &error) }]
    };
    // Which shape it is decides which error a reader can use.
    let several = content.lines().any(|line| line.trim_start().starts_with("[[brand]]"));
    let definitions = if several {
        toml::from_str::<Several>(content).map_err(invalid)?.brand
    } else {
        vec![toml::from_str::<Definition>(content).map_err(invalid)?]
    };
    let mut errors = Vec::new();
    let brands: Vec<Brand> = definitions
        .into_iter()
        .filter_map(|definition| definition.validate(file, content, &mut errors))
        .collect();
    if errors.is_empty() { Ok(brands) } else { Err(errors) }
}

/// What is wrong and where, with the part of the line around it: a line may have a megabyte.
fn at_its_place(content: &str, error: &toml::de::Error) -> String {
    let mut message: String = plain(error.message()).chars().take(MAX_MESSAGE_CHARS).collect();
    if let Some(span) = error.span() {
        let start = content.floor_char_boundary(span.start);
        let end = content.floor_char_boundary(span.end).max(start);
        let before = &content[..start];
        let row = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let Excerpt { text, mark } = Excerpt::of(content, Span::new(start, end));
        let line_at = text.rfind('\n').map_or(0, |at| at + 1);
        let chars = |from: usize, to: usize| text[from..to].chars().count();
        let (blank, marked) = (chars(line_at, mark.start), chars(mark.start, mark.end).max(1));
        message = format!(
            "line {row}, column {column}: {message}\n  | {}\n  | {}{}",
            &text[line_at..],
            " ".repeat(blank),
            "^".repeat(marked)
        );
    }
    message
}

impl Definition {
    fn validate(self, file: &str, content: &str, errors: &mut Vec<BookError>) -> Option<Brand> {
        let before = errors.len();
        let name = self.name.trim().to_owned();
        let group =
            self.group.as_deref().map_or_else(|| name.clone(), |group| group.trim().to_owned());
        let mut complain = |field, problem: String| {
            errors.push(BookError::Field {
                file: file.to_owned(),
                brand: if name.is_empty() { "a brand without a name".into() } else { name.clone() },
                field,
                problem,
            });
        };
        for (field, value) in
            [("name", Some(&name)), ("group", self.group.as_ref().map(|_| &group))]
        {
            let Some(value) = value else { continue };
            if value.is_empty() {
                complain(field, "is empty; write what charts should show".into());
            } else if value.chars().count() > MAX_NAME_CHARS || value.chars().any(char::is_control)
            {
                complain(field, format!("must be one line of at most {MAX_NAME_CHARS} characters"));
            }
        }
        for (field, list) in [
            ("competitors", &self.competitors),
            ("owned_accounts", &self.owned_accounts),
            ("languages", &self.languages),
            ("alerts.channels", &self.alerts.channels),
        ] {
            if list.len() > MAX_ENTRIES {
                complain(
                    field,
                    format!("has {} entries; at most {MAX_ENTRIES} are taken", list.len()),
                );
            }
            for entry in list.iter().filter(|entry| entry.trim().is_empty()) {
                complain(field, format!("holds an empty entry `{entry}`; remove it"));
            }
        }
        for language in &self.languages {
            if !(2..=3).contains(&language.len())
                || !language.bytes().all(|byte| byte.is_ascii_lowercase())
            {
                complain(
                    "languages",
                    format!("holds `{language}`; write codes such as \"de\" or \"en\""),
                );
            }
        }
        let mut owned_accounts = Vec::new();
        for written in self.owned_accounts.iter().filter(|written| !written.trim().is_empty()) {
            match OwnedAccount::parse(written) {
                Some(account) => owned_accounts.push(account),
                None => complain(
                    "owned_accounts",
                    format!("holds `{written}`; write \"handle\" or \"source:handle\""),
                ),
            }
        }
        if self.competitors.contains(&name) {
            complain("competitors", "names the brand itself; remove it".into());
        }
        let line = content
            .get(..self.query.span().start)
            .map_or(1, |before| before.lines().count().max(1));
        let (query, warnings) = match Query::parse(self.query.get_ref()) {
            Ok(parsed) => parsed,
            Err(error) => {
                errors.push(BookError::Query {
                    file: file.to_owned(),
                    line,
                    brand: name,
                    error: Box::new(error),
                });
                return None;
            }
        };
        if errors.len() > before {
            return None;
        }
        let mut brand = Brand {
            name,
            group,
            query,
            competitors: self.competitors,
            owned_accounts,
            languages: self.languages,
            alerts: self.alerts,
            version: String::new(),
            file: file.to_owned(),
            warnings,
        };
        brand.version = version::of_brand(&brand);
        Some(brand)
    }
}
