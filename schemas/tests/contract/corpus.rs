//! The examples in `schemas/examples/<kind>/<case>.json`. A case that begins with `bad-` says what
//! is wrong with its input.

use std::{
    fs,
    path::{Path, PathBuf},
};

use echolot_schemas::json_schema;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

const BAD: &str = "bad-";

/// Something that is as it must be.
pub(crate) struct Example {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// Something that must be refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BadExample {
    /// Why refusing it is right, for the reader.
    pub(crate) why: String,
    /// A part of what the sender is told.
    pub(crate) error: String,
    /// False where only the reader finds it: a JSON Schema knows no context and no duplicate keys.
    pub(crate) schema_refuses: bool,
    /// As it came, byte for byte.
    pub(crate) input: Box<RawValue>,
}

impl Example {
    pub(crate) fn value(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{}: {error}", self.path.display()))
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// Kinds of which there are examples: event types, `submission` and `cursor`.
pub(crate) fn kinds() -> Vec<String> {
    let folders = fs::read_dir(folder()).unwrap().map(Result::unwrap);
    let mut kinds: Vec<String> = folders
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    kinds.sort();
    kinds
}

fn cases(kind: &str) -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = fs::read_dir(folder().join(kind))
        .unwrap_or_else(|error| panic!("examples of {kind}: {error}"))
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    cases
}

fn is_bad(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(BAD))
}

pub(crate) fn good(kind: &str) -> Vec<Example> {
    let good = cases(kind).into_iter().filter(|path| !is_bad(path));
    good.map(|path| Example { text: fs::read_to_string(&path).unwrap(), path }).collect()
}

pub(crate) fn bad(kind: &str) -> Vec<(PathBuf, BadExample)> {
    let bad = cases(kind).into_iter().filter(|path| is_bad(path));
    bad.map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        let example = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, example)
    })
    .collect()
}

/// The generated schema of this kind, with formats checked as well.
pub(crate) fn validator(kind: &str) -> jsonschema::Validator {
    let name = format!("{kind}.v1");
    let schema = json_schema::all()
        .into_iter()
        .find(|published| published.name == name)
        .unwrap_or_else(|| panic!("examples/{kind} belongs to no published schema"))
        .schema;
    jsonschema::options().should_validate_formats(true).build(schema.as_value()).unwrap()
}
