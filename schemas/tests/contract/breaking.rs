//! Which changes of a JSON Schema refuse what was accepted before, or lose a part of it.
//!
//! Covers what our generator writes. A keyword that is not known here and changes counts as
//! breaking: better a false alarm than a record that nobody can read.

use serde_json::{Map, Value};

/// Keywords that refuse nothing.
const ANNOTATIONS: [&str; 9] = [
    "$schema",
    "$id",
    "$defs",
    "$comment",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
];
/// Lower bounds: a greater value is stricter.
const LEAST: [&str; 5] = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"];
/// Upper bounds: a smaller value is stricter.
const MOST: [&str; 5] = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];
/// Keywords with a rule of their own below.
const RULED: [&str; 10] = [
    "type",
    "format",
    "enum",
    "const",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "anyOf",
    "oneOf",
];
/// Deeper than any of our types; a schema that contains itself ends here.
const DEPTH: usize = 16;

type Object = Map<String, Value>;

/// One line for each breaking change from `published` to `generated`, with its path.
pub(crate) fn breaking_changes(published: &Value, generated: &Value) -> Vec<String> {
    let mut comparison = Comparison { published, generated, found: Vec::new() };
    comparison.schemas("", published, generated, 0);
    comparison.found
}

struct Comparison<'a> {
    published: &'a Value,
    generated: &'a Value,
    found: Vec<String>,
}

impl Comparison<'_> {
    fn found(&mut self, path: &str, what: impl AsRef<str>) {
        let path = if path.is_empty() { "the root" } else { path };
        self.found.push(format!("{path}: {}", what.as_ref()));
    }

    fn schemas(&mut self, path: &str, old: &Value, new: &Value, depth: usize) {
        if depth > DEPTH {
            return self.found(path, "is nested too deep to be compared");
        }
        let new = alternatives(self.generated, new);
        for old in alternatives(self.published, old) {
            // Alternatives are told apart by their type, or by the value they stand for.
            let fitting: Vec<&Object> = new
                .iter()
                .filter(|new| accepts_type(&old, new) && accepts_values(&old, new))
                .collect();
            match fitting.as_slice() {
                [] => self.found(path, format!("no longer accepts {}", told(&old))),
                [only] => self.plain(path, &old, only, depth),
                several => self.one_of(path, &old, several, depth),
            }
        }
    }

    /// At least one of `several` must accept all of `old`; tells what the nearest one does not.
    fn one_of(&mut self, path: &str, old: &Object, several: &[&Object], depth: usize) {
        let before = std::mem::take(&mut self.found);
        let nearest = several.iter().map(|new| {
            self.plain(path, old, new, depth);
            std::mem::take(&mut self.found)
        });
        let nearest = nearest.min_by_key(Vec::len).unwrap_or_default();
        self.found = [before, nearest].concat();
    }

    /// Two schemas without alternatives, the types of which fit.
    fn plain(&mut self, path: &str, old: &Object, new: &Object, depth: usize) {
        if old.get("format") != new.get("format") {
            let format =
                |schema: &Object| schema.get("format").map_or("none".into(), Value::to_string);
            self.found(path, format!("format was {} and is {}", format(old), format(new)));
        }
        self.bounds(path, old, new);
        self.properties(path, old, new, depth);
        self.rest("additionalProperties", path, old, new, depth);
        self.rest("items", path, old, new, depth);
        for (keyword, value) in new {
            let known = RULED.iter().chain(&ANNOTATIONS).chain(&LEAST).chain(&MOST);
            if !known.into_iter().any(|known| known == keyword) && old.get(keyword) != Some(value) {
                self.found(path, format!("{keyword} is new or changed"));
            }
        }
    }

    fn bounds(&mut self, path: &str, old: &Object, new: &Object) {
        let number = |schema: &Object, keyword: &str| schema.get(keyword).and_then(Value::as_f64);
        for (keywords, sign) in [(LEAST, 1.0), (MOST, -1.0)] {
            for keyword in keywords {
                let Some(now) = number(new, keyword) else { continue };
                if number(old, keyword).is_none_or(|was| sign * now > sign * was) {
                    self.found(path, format!("{keyword} is stricter"));
                }
            }
        }
    }

    fn properties(&mut self, path: &str, old: &Object, new: &Object, depth: usize) {
        let none = Object::new();
        let properties = |schema: &Object| {
            schema.get("properties").and_then(Value::as_object).unwrap_or(&none).clone()
        };
        let now = properties(new);
        for (name, was) in properties(old) {
            let path = format!("{path}.{name}");
            match now.get(&name) {
                None => self.found(&path, "is removed"),
                Some(now) => self.schemas(&path, &was, now, depth + 1),
            }
        }
        let required = |schema: &Object| -> Vec<String> {
            let names = schema.get("required").and_then(Value::as_array).into_iter().flatten();
            names.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let was = required(old);
        for name in required(new).iter().filter(|name| !was.contains(name)) {
            self.found(&format!("{path}.{name}"), "is newly required");
        }
    }

    /// What holds for all that no property names: absent means anything goes.
    fn rest(&mut self, keyword: &str, path: &str, old: &Object, new: &Object, depth: usize) {
        let open = Value::Bool(true);
        let was = old.get(keyword).unwrap_or(&open);
        let now = new.get(keyword).unwrap_or(&open);
        match (was, now) {
            (_, Value::Bool(true)) | (Value::Bool(false), _) => {}
            (Value::Object(_), Value::Object(_)) => {
                self.schemas(&format!("{path}.{keyword}"), was, now, depth + 1);
            }
            _ => self.found(path, format!("{keyword} is closed")),
        }
    }
}

/// The schemas of which a value must fit one, each with a single type and without references.
fn alternatives(root: &Value, schema: &Value) -> Vec<Object> {
    let mut schema = resolved(root, schema);
    for keyword in ["anyOf", "oneOf"] {
        if let Some(Value::Array(branches)) = schema.remove(keyword) {
            let branches = branches.iter().flat_map(|branch| alternatives(root, branch));
            return branches.map(|branch| both(branch, &schema)).collect();
        }
    }
    let Some(Value::Array(types)) = schema.get("type") else { return vec![schema] };
    types.iter().map(|one| of_type(&schema, one)).collect()
}

/// What a branch demands together with what stands beside the branches.
fn both(mut branch: Object, beside: &Object) -> Object {
    for (keyword, value) in beside {
        match (branch.get_mut(keyword), value) {
            (None, _) => {
                branch.insert(keyword.clone(), value.clone());
            }
            (Some(Value::Object(own)), Value::Object(more)) => own.extend(more.clone()),
            (Some(Value::Array(own)), Value::Array(more)) => own.extend_from_slice(more),
            (Some(_), _) => {}
        }
    }
    branch
}

fn of_type(schema: &Object, one: &Value) -> Object {
    // What is said about numbers and texts says nothing about null.
    let mut schema = if one == "null" { Object::new() } else { schema.clone() };
    schema.insert("type".to_owned(), one.clone());
    schema
}

/// The schema with its reference followed; what stands beside the reference holds as well.
fn resolved(root: &Value, schema: &Value) -> Object {
    let mut schema = schema.as_object().cloned().unwrap_or_default();
    while let Some(Value::String(reference)) = schema.remove("$ref") {
        let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        let target = target.and_then(Value::as_object);
        let target = target.unwrap_or_else(|| panic!("{reference} leads nowhere"));
        for (keyword, value) in target {
            schema.entry(keyword.clone()).or_insert_with(|| value.clone());
        }
    }
    schema
}

fn accepts_type(old: &Object, new: &Object) -> bool {
    match (old.get("type").and_then(Value::as_str), new.get("type").and_then(Value::as_str)) {
        (_, None) | (Some("integer"), Some("number")) => true,
        (was, now) => was == now,
    }
}

fn accepts_values(old: &Object, new: &Object) -> bool {
    match (values(old), values(new)) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(was), Some(now)) => was.iter().all(|value| now.contains(value)),
    }
}

/// The only values that the schema accepts, if it lists them.
fn values(schema: &Object) -> Option<Vec<Value>> {
    match (schema.get("const"), schema.get("enum")) {
        (Some(value), _) => Some(vec![value.clone()]),
        (None, Some(Value::Array(values))) => Some(values.clone()),
        _ => None,
    }
}

fn told(schema: &Object) -> String {
    match (values(schema), schema.get("type")) {
        (Some(values), _) => Value::Array(values).to_string(),
        (None, Some(kind)) => format!("every {kind}"),
        (None, None) => "everything".to_owned(),
    }
}
