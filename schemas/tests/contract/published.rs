//! The generated schemas accept whatever the published ones do. The log keeps records for years and
//! a replay reads them all, so a change that refuses an old one needs a new version instead.

use std::{collections::BTreeMap, fs, path::Path};

use echolot_schemas::json_schema;
use serde_json::Value;

use crate::breaking::breaking_changes;

fn published() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("json/published");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let schema = serde_json::from_slice(&fs::read(&path).unwrap())
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (name, schema)
        })
        .collect()
}

fn generated() -> BTreeMap<String, Value> {
    let schemas = json_schema::all().into_iter();
    schemas.map(|schema| (schema.name.to_owned(), schema.schema.to_value())).collect()
}

#[test]
fn no_published_schema_is_withdrawn_and_every_new_one_is_published() {
    let (published, generated) = (published(), generated());
    let names = |schemas: &BTreeMap<String, Value>| schemas.keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(&published),
        names(&generated),
        "left: schemas/json/published, right: generated; publish a new one by copying it there"
    );
}

#[test]
fn no_generated_schema_breaks_its_published_one() {
    let generated = generated();
    for (name, schema) in published() {
        assert_eq!(
            breaking_changes(&schema, &generated[&name]),
            [""; 0],
            "{name}: give the changed event a new version, or undo the change"
        );
    }
}
