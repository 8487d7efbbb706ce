//! `schemas/json/<name>.json`: the wire format for people and for other languages.

use std::collections::BTreeMap;

use anyhow::Context;

/// Each published schema by its path.
pub(super) fn files() -> anyhow::Result<BTreeMap<String, String>> {
    let schemas = echolot_schemas::json_schema::all().into_iter().map(|published| {
        let name = published.name;
        let text = serde_json::to_string_pretty(&published.schema)
            .with_context(|| format!("the schema {name} cannot be written as JSON"))?;
        Ok((format!("schemas/json/{name}.json"), text + "\n"))
    });
    schemas.collect()
}
