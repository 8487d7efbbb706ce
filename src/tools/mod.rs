//! The tools beside the roles: each a subcommand.

pub(crate) mod alert;
pub(crate) mod audit;
pub(crate) mod backfill;
pub(crate) mod brands;
pub(crate) mod check;
pub(crate) mod dead_letters;
pub(crate) mod eval;
pub(crate) mod migrate;
pub(crate) mod query;
pub(crate) mod replay;
pub(crate) mod source;

use std::io::Write as _;

use comfy_table::{Table, presets};
use echolot_engines::EngineEvent;

/// Prints a result to standard output; a closed pipe is the reader's choice, not a fault.
pub(crate) fn print(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stdout().lock(), "{}", text.as_ref());
}

/// Engine events of a tool go to the log.
pub(crate) fn log_engine(EngineEvent { engine, phase }: EngineEvent) {
    tracing::info!(%engine, ?phase, "embedded engine");
}

/// An empty table in the style of all tables.
pub(crate) fn table<const COLUMNS: usize>(header: [&str; COLUMNS]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(header);
    table
}
