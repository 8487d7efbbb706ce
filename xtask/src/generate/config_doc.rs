//! `docs/config.md`: a table per section of the defaults; the comments are the explanations.

use std::fmt::Write as _;

use anyhow::{Context, bail};
use toml_edit::{DocumentMut, Item, RawString, Table};

const TITLE: &str =
    "<!-- Generated from config/default.toml by `cargo xtask generate`. -->\n\n# Options\n";

/// The page for these defaults. An option that nothing explains is an error.
pub(super) fn render(defaults: &str) -> anyhow::Result<String> {
    let document: DocumentMut =
        defaults.parse().context("config/default.toml is no TOML; look at its parts")?;
    let mut page = TITLE.to_owned();
    for (position, (name, item)) in document.iter().enumerate() {
        let Some(table) = item.as_table() else {
            bail!("option {name} of config/default.toml stands in no section");
        };
        if position == 0 {
            preface(&mut page, table);
        }
        section(&mut page, name, table)?;
    }
    Ok(page)
}

/// What the file says before its first section.
fn preface(page: &mut String, first: &Table) {
    let prefix = text(first.decor().prefix());
    let own = comment(prefix).len();
    let lines: Vec<&str> = prefix.lines().collect();
    for block in lines[..lines.len() - own].split(|line| line.is_empty()) {
        paragraphs(page, &block.iter().map(|line| uncommented(line)).collect::<Vec<_>>());
    }
}

/// A section, then the sections inside of it.
fn section(page: &mut String, path: &str, table: &Table) -> anyhow::Result<()> {
    let _ = write!(page, "\n## `[{path}]`\n");
    paragraphs(page, &comment(text(table.decor().prefix())));
    let mut rows = String::new();
    let mut above = None;
    for (name, item) in table {
        let Item::Value(value) = item else { continue };
        let prefix = table.key(name).map_or("", |key| text(key.leaf_decor().prefix()));
        let mut explanation = comment(prefix).join(" ");
        if explanation.is_empty() {
            // Options without a line between them share the comment above the first.
            explanation = above
                .take()
                .filter(|_| prefix.is_empty())
                .with_context(|| format!("option {path}.{name} has no comment that explains it"))?;
        }
        let default = value.clone().decorated("", "").to_string();
        let _ = writeln!(
            rows,
            "| `{name}` | `{}` | {} |",
            default.replace('|', "\\|"),
            cell(&explanation)
        );
        above = Some(explanation);
    }
    if !rows.is_empty() {
        let _ = write!(page, "\n| option | default | |\n|---|---|---|\n{rows}");
    }
    for (name, item) in table {
        if let Item::Table(inner) = item {
            section(page, &format!("{path}.{name}"), inner)?;
        }
    }
    Ok(())
}

/// Lines of prose, and indented ones as they stand.
fn paragraphs(page: &mut String, lines: &[&str]) {
    for block in lines.chunk_by(|a, b| a.starts_with("  ") == b.starts_with("  ")) {
        if block[0].starts_with("  ") {
            let _ = write!(page, "\n```text\n{}\n```\n", block.join("\n"));
        } else {
            let _ = write!(page, "\n{}\n", block.join("\n"));
        }
    }
}

/// The comment that stands directly above a key or a section.
fn comment(prefix: &str) -> Vec<&str> {
    let mut lines: Vec<&str> =
        prefix.lines().rev().take_while(|line| line.starts_with('#')).map(uncommented).collect();
    lines.reverse();
    lines
}

fn uncommented(line: &str) -> &str {
    let line = line.strip_prefix('#').unwrap_or(line);
    line.strip_prefix(' ').unwrap_or(line)
}

fn text(raw: Option<&RawString>) -> &str {
    raw.and_then(RawString::as_str).unwrap_or_default()
}

/// Outside of code, `<name>` would be taken for HTML.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_become_explanations() {
        let page = render(
            "# All of it.\n\n# The outer part.\n[a]\n# How long: x | <y>.\nwait = \"5s\"\n\n# Most rows\n# and bytes.\nrows = 1\nbytes = 2\n\n# Names:\n#   NAME = 1\n[a.b]\n",
        );
        let expected = "
# Options

All of it.

## `[a]`

The outer part.

| option | default | |
|---|---|---|
| `wait` | `\"5s\"` | How long: x \\| &lt;y>. |
| `rows` | `1` | Most rows and bytes. |
| `bytes` | `2` | Most rows and bytes. |

## `[a.b]`

Names:

```text
  NAME = 1
```
";
        assert_eq!(page.unwrap().split_once('\n').unwrap().1, expected);
    }

    #[test]
    fn an_option_that_nothing_explains_is_named() {
        let error = render("[a]\n# One.\none = 1\n\ntwo = 2\n").unwrap_err();
        assert!(error.to_string().contains("a.two"), "{error}");
    }
}
