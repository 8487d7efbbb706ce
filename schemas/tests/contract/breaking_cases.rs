//! Each kind of breaking change is caught, and no harmless one is.

use serde_json::{Value, json};

use crate::breaking::breaking_changes;

/// A schema with one of everything that ours have.
fn published() -> Value {
    json!({
        "type": "object",
        "properties": {
            "id": { "$ref": "#/$defs/Id", "description": "Which one." },
            "name": { "type": "string", "maxLength": 64 },
            "title": { "type": ["string", "null"] },
            "likes": { "type": ["integer", "null"], "format": "uint64", "minimum": 0 },
            "edited_at": { "anyOf": [{ "$ref": "#/$defs/Time" }, { "type": "null" }] },
            "mood": { "$ref": "#/$defs/Mood" },
            "scale": { "type": "string", "enum": ["small", "large"] },
            "tags": { "type": "array", "items": { "type": "string" } },
            "author": { "anyOf": [{ "$ref": "#/$defs/Author" }, { "type": "null" }] }
        },
        "required": ["id", "name"],
        "$defs": {
            "Id": { "type": "string", "format": "uuid" },
            "Time": { "type": "string", "format": "date-time" },
            "Author": {
                "type": "object",
                "properties": { "handle": { "type": "string" } }
            },
            "Mood": { "oneOf": [
                { "type": "string", "const": "good" },
                { "type": "string", "const": "bad" }
            ] }
        }
    })
}

/// What is told when the part at `pointer` becomes `value`; `null` takes it away.
fn told(pointer: &str, value: Value) -> Vec<String> {
    let mut generated = published();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = generated.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        assert!(parent.remove(name).is_some(), "{pointer} is not there");
    } else {
        parent.insert(name.to_owned(), value);
    }
    breaking_changes(&published(), &generated)
}

#[test]
fn a_removed_property_is_refused() {
    assert_eq!(told("/properties/title", Value::Null), [".title: is removed"]);
    let inner = told("/$defs/Author/properties/handle", Value::Null);
    assert_eq!(inner, [".author.handle: is removed"]);
}

#[test]
fn a_property_removed_beside_alternatives_is_refused() {
    let of = |properties: Value| {
        let branch =
            |kind: &str| json!({ "type": "object", "properties": { "kind": { "const": kind } } });
        json!({ "properties": properties, "oneOf": [branch("a"), branch("b")] })
    };
    let told = breaking_changes(&of(json!({ "id": { "type": "string" } })), &of(json!({})));
    assert_eq!(told, [".id: is removed", ".id: is removed"]);
}

#[test]
fn a_newly_required_property_is_refused() {
    let told = told("/required", json!(["id", "name", "mood"]));
    assert_eq!(told, [".mood: is newly required"]);
}

#[test]
fn a_new_required_property_is_refused_in_an_object_within() {
    let told = told("/$defs/Author/required", json!(["handle"]));
    assert_eq!(told, [".author.handle: is newly required"]);
}

#[test]
fn another_type_is_refused() {
    let became = told("/properties/name", json!({ "type": "integer" }));
    assert_eq!(became, [r#".name: no longer accepts every "string""#]);
    let lost_null = told("/properties/title", json!({ "type": "string" }));
    assert_eq!(lost_null, [r#".title: no longer accepts every "null""#]);
    let lost_null = told("/properties/author", json!({ "$ref": "#/$defs/Author" }));
    assert_eq!(lost_null, [r#".author: no longer accepts every "null""#]);
    let items = told("/properties/tags/items/type", json!("integer"));
    assert_eq!(items, [r#".tags.items: no longer accepts every "string""#]);
}

#[test]
fn another_format_is_refused() {
    let became = told("/properties/likes/format", json!("uint8"));
    assert_eq!(became, [r#".likes: format was "uint64" and is "uint8""#]);
    let behind_a_reference = told("/$defs/Time/format", json!("date"));
    assert_eq!(behind_a_reference, [r#".edited_at: format was "date-time" and is "date""#]);
    let gone = told("/$defs/Id/format", Value::Null);
    assert_eq!(gone, [r#".id: format was "uuid" and is none"#]);
}

#[test]
fn a_narrower_enum_is_refused() {
    let listed = told("/properties/scale/enum", json!(["small"]));
    assert_eq!(listed, [r#".scale: no longer accepts ["small","large"]"#]);
    let variants = told("/$defs/Mood/oneOf", json!([{ "type": "string", "const": "good" }]));
    assert_eq!(variants, [r#".mood: no longer accepts ["bad"]"#]);
    let first = told("/properties/name/enum", json!(["a"]));
    assert_eq!(first, [r#".name: no longer accepts every "string""#]);
}

#[test]
fn closing_an_open_object_is_refused() {
    let root = told("/additionalProperties", json!(false));
    assert_eq!(root, ["the root: additionalProperties is closed"]);
    let inner = told("/$defs/Author/additionalProperties", json!(false));
    assert_eq!(inner, [".author: additionalProperties is closed"]);
}

#[test]
fn a_stricter_bound_is_refused() {
    assert_eq!(told("/properties/likes/minimum", json!(1)), [".likes: minimum is stricter"]);
    assert_eq!(told("/properties/name/maxLength", json!(32)), [".name: maxLength is stricter"]);
    assert_eq!(told("/properties/name/minLength", json!(1)), [".name: minLength is stricter"]);
}

#[test]
fn a_rule_that_is_not_known_here_is_refused() {
    let pattern = told("/properties/name/pattern", json!("^[a-z]+$"));
    assert_eq!(pattern, [".name: pattern is new or changed"]);
}

#[test]
fn a_schema_that_contains_itself_is_not_followed_for_ever() {
    let endless = json!({ "properties": { "child": { "$ref": "#" } } });
    let told = breaking_changes(&endless, &endless);
    assert!(told[0].ends_with("is nested too deep to be compared"), "{told:?}");
}

#[test]
fn what_accepts_as_much_or_more_is_allowed() {
    let harmless = [
        ("/properties/added", json!({ "type": "string" })),
        ("/required", json!(["id"])),
        ("/properties/name/type", json!(["string", "null"])),
        ("/properties/name/description", json!("What it is called.")),
        ("/properties/name/maxLength", json!(128)),
        ("/properties/likes/minimum", Value::Null),
        ("/properties/scale/enum", json!(["small", "medium", "large"])),
        ("/properties/scale/enum", Value::Null),
        ("/properties/mood", json!({ "type": "string", "enum": ["good", "bad", "mixed"] })),
        ("/properties/title", json!({ "anyOf": [{ "type": "null" }, { "type": "string" }] })),
        ("/properties/id", json!({ "type": "string", "format": "uuid" })),
    ];
    for (pointer, value) in harmless {
        assert_eq!(told(pointer, value.clone()), [""; 0], "{pointer} = {value}");
    }
}
