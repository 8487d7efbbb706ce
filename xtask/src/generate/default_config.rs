//! `config/default.toml`: every option, put together from the sections that the crates own.

use std::{fs, path::Path};

use anyhow::Context;

/// Where it is written.
pub(super) const PATH: &str = "config/default.toml";

/// The parts in the order in which a reader meets them.
const PARTS: [&str; 7] = [
    "config/head.toml",
    "store/default.toml",
    "sink/default.toml",
    "ingest/default.toml",
    "enrich/default.toml",
    "alert/default.toml",
    "dashboard/default.toml",
];

/// The parts as one text.
pub(super) fn assemble(root: &Path) -> anyhow::Result<String> {
    let parts: Vec<String> = PARTS
        .iter()
        .map(|part| {
            let text = fs::read_to_string(root.join(part))
                .with_context(|| format!("cannot read {part}, a part of {PATH}"))?;
            Ok(text.trim().to_owned() + "\n")
        })
        .collect::<anyhow::Result<_>>()?;
    Ok(parts.join("\n"))
}
