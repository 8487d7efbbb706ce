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
        for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "sql")) {
            let sql = fs::read_to_string(file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            page += &relation(&sql).with_context(|| format!("in {}", file.display()))?;
        }
    }
    Ok(page)
}

/// One view or table, of a file with one statement. Columns stand one a line, each with a comment,
/// and end at the closing parenthesis or at the blank line before indices and constraints.
fn relation(sql: &str) -> anyhow::Result<String> {
    let head = Regex::new(r"(?m)^CREATE .*\{\w+\}\.(\w+)\n\(\n")?;
    let column = Regex::new(r"^ +(\w+) (.+) COMMENT '((?:[^']|'')*)'(?: CODEC\(.*\))?,?$")?;
    let comment = Regex::new(r"(?m)^COMMENT '((?:[^']|'')*)'")?;
    let computed = Regex::new(r" (?:DEFAULT|MATERIALIZED) .*")?;

    let head = head.captures(sql).context("no CREATE with columns, one a line")?;
    let about = comment.captures(sql).context("no COMMENT at its end that tells what it holds")?;
    let mut text = format!("\n### `{}`\n\n{}.\n\n", &head[1], told(&about[1]));
    text += "| column | type | |\n|---|---|---|\n";
    let body = head.get(0).map_or(sql, |found| &sql[found.end()..]);
    for line in body.lines().take_while(|line| !line.is_empty() && *line != ")") {
        let Some(found) = column.captures(line) else {
            bail!("column without a COMMENT that tells what it holds: {}", line.trim());
        };
        let kind = computed.replace(&found[2], "");
        let _ = writeln!(text, "| `{}` | `{kind}` | {} |", &found[1], told(&found[3]));
    }
    Ok(text)
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
        assert_eq!(relation(sql).unwrap(), expected);
    }

    #[test]
    fn a_column_that_nothing_explains_is_named() {
        let sql = "CREATE TABLE {generation}.rows\n(\n    id UUID,\n)\nCOMMENT 'Rows';\n";
        let error = relation(sql).unwrap_err().to_string();
        assert!(error.contains("id UUID"), "{error}");
    }
}
