//! Results as a table, as JSON and as Markdown.

use std::{fmt::Write as _, path::Path};

use anyhow::Context;
use comfy_table::{Table, presets};

use super::interval::Interval;
use crate::tools::print;

/// A table of text.
pub(super) struct Sheet {
    pub(super) title: String,
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Sheet {
    pub(super) fn new<const COLUMNS: usize>(title: &str, header: [&str; COLUMNS]) -> Self {
        let header = header.map(str::to_owned).to_vec();
        Self { title: title.to_owned(), header, rows: Vec::new() }
    }

    fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY).set_header(&self.header);
        for row in &self.rows {
            table.add_row(row);
        }
        table.to_string()
    }

    fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
        let rule = vec!["---".to_owned(); self.header.len()];
        let mut lines = vec![line(&self.header), line(&rule)];
        lines.extend(self.rows.iter().map(|row| line(row)));
        lines.join("\n")
    }
}

/// `.641 (.609–.672)`
pub(super) fn with_interval(interval: &Interval) -> String {
    format!("{} ({}–{})", short(interval.value), short(interval.low), short(interval.high))
}

/// `.641`, and `1.000` for all of it.
pub(super) fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    text.strip_prefix('0').map(str::to_owned).unwrap_or(text)
}

/// `fastText .596, XLM-R .728`
pub(super) fn published(values: &[(&str, f64)]) -> String {
    let texts: Vec<String> =
        values.iter().map(|(name, value)| format!("{name} {}", short(*value))).collect();
    texts.join(", ")
}

/// Writes what was asked for.
pub(super) fn write(
    lead: &str,
    sheets: &[Sheet],
    json: &serde_json::Value,
    json_file: Option<&Path>,
    markdown_file: Option<&Path>,
) -> anyhow::Result<()> {
    match json_file {
        Some(path) if path == Path::new("-") => print(serde_json::to_string_pretty(json)?),
        path => {
            if let Some(path) = path {
                save(path, &(serde_json::to_string_pretty(json)? + "\n"))?;
            }
            print(lead);
            for sheet in sheets {
                print(format!("\n{}\n{}", sheet.title, sheet.table()));
            }
        }
    }
    if let Some(path) = markdown_file {
        let mut text = format!("{lead}\n");
        for sheet in sheets {
            write!(text, "\n## {}\n\n{}\n", sheet.title, sheet.markdown())?;
        }
        save(path, &text)?;
    }
    Ok(())
}

pub(super) fn save(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
