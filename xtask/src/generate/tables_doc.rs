//! `docs/tables.md`: the store's views and tables, from the comments in `schemas/clickhouse`.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Context, bail};
use regex::Regex;

const HEAD: &str = "<!-- Generated from schemas/clickhouse by `cargo xtask generate`. -->

# Tables and views

Analysts read the views of the published database, `clickhouse.database`. The tables behind them stand
in the database of each generation. Times are UTC.
";

/// Folders in the order in which a reader needs them.
const CHAPTERS: [(&str, &str); 3] = [
    ("views", "Views"),
    ("published", "Beside the views"),
    ("generation", "Tables of a generation"),
];

/// The page.
pub(super) fn render(root: &Path) -> anyhow::Result<String> {
    let mut page = HEAD.to_owned();
    for (folder, title) in CHAPTERS {
        let _ = write!(page, "\n## {title}\n");
        let path = root.join("schemas/clickhouse").join(folder);
        let mut files: Vec<_> = fs::read_dir(&path)
            .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
            .with_context(|| format!("cannot list {}", path.display()))?;
        files.sort();
        let mut relations: Vec<(String, String)> = Vec::new();
        for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "sql")) {
            let sql = fs::read_to_string(file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            let (name, text) = relation(&sql).with_context(|| format!("in {}", file.display()))?;
            // What a later migration adds to a table is told with that table.
            match relations.iter_mut().find(|(known, _)| *known == name) {
                Some((_, before)) => *before += &text,
                None => relations.push((name, text)),
            }
        }
        for (_, text) in &relations {
            page += text;
        }
    }
    Ok(page)
}

/// One view or table, of a file with one statement: its name, and what is told of it. Columns stand
/// one a line, each with a comment, and end at the closing parenthesis or at the blank line before
/// indices and constraints. Of an ALTER the columns alone.
fn relation(sql: &str) -> anyhow::Result<(String, String)> {
    let head = Regex::new(r"(?m)^(CREATE|ALTER) .*\{\w+\}\.(\w+)\n(?:\(\n)?")?;
    let column = Regex::new(
        r"^ +(?:ADD COLUMN IF NOT EXISTS )?(\w+) (.+) COMMENT '((?:[^']|'')*)'(?: CODEC\(.*\))?,?$",
    )?;
    let comment = Regex::new(r"(?m)^COMMENT '((?:[^']|'')*)'")?;
    let computed = Regex::new(r" (?:DEFAULT|MATERIALIZED) .*")?;

    let head = head.captures(sql).context("no CREATE or ALTER with columns, one a line")?;
    let (added, name) = (&head[1] == "ALTER", head[2].to_owned());
    let mut text = String::new();
    if !added {
        let about =
            comment.captures(sql).context("no COMMENT at its end that tells what it holds")?;
        text = format!("\n### `{name}`\n\n{}.\n\n", told(&about[1]));
        text += "| column | type | |\n|---|---|---|\n";
    }
    let body = head.get(0).map_or(sql, |found| &sql[found.end()..]);
    let columns = body.lines().take_while(|line| !line.is_empty() && *line != ")");
    for line in columns.filter(|line| !line.trim_start().starts_with("MODIFY ")) {
        let Some(found) = column.captures(line) else {
            bail!("column without a COMMENT that tells what it holds: {}", line.trim());
        };
        let kind = computed.replace(&found[2], "");
        let _ = writeln!(text, "| `{}` | `{kind}` | {} |", &found[1], told(&found[3]));
    }
    Ok((name, text))
}

/// SQL doubles a quote in a text; a table in Markdown ends a cell at `|`.
fn told(comment: &str) -> String {
    comment.replace("''", "'").replace('|', "\\|").replace('*', "\\*").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_told_column_by_column() {
        let sql = "-- Why.\nCREATE TABLE IF NOT EXISTS {generation}.rows\n(\n    id UUID COMMENT 'Row''s id',\n    at DateTime('UTC') MATERIALIZED now() COMMENT 'When' CODEC(Delta, ZSTD(1)),\n    kind Enum8('a' = 0, 'b' = 1) COMMENT 'a or b; *: all',\n\n    INDEX i at TYPE minmax\n)\nENGINE = MergeTree\nCOMMENT 'All rows';\n";
        let expected = "
### `rows`

All rows.

| column | type | |
|---|---|---|
| `id` | `UUID` | Row's id |
| `at` | `DateTime('UTC')` | When |
| `kind` | `Enum8('a' = 0, 'b' = 1)` | a or b; \\*: all |
";
        assert_eq!(relation(sql).unwrap(), ("rows".to_owned(), expected.to_owned()));
    }

    #[test]
    fn an_added_column_is_told_as_a_row_of_its_table() {
        let sql = "ALTER TABLE {generation}.rows\n    ADD COLUMN IF NOT EXISTS size UInt8 DEFAULT 0 COMMENT 'Size',\n    MODIFY ORDER BY (id, size)\n";
        let row = "| `size` | `UInt8` | Size |\n";
        assert_eq!(relation(sql).unwrap(), ("rows".to_owned(), row.to_owned()));
    }

    #[test]
    fn a_column_that_nothing_explains_is_named() {
        let sql = "CREATE TABLE {generation}.rows\n(\n    id UUID,\n)\nCOMMENT 'Rows';\n";
        let error = relation(sql).unwrap_err().to_string();
        assert!(error.contains("id UUID"), "{error}");
    }
}
