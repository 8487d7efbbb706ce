use proptest::prelude::*;
use serde_json::json;

use super::*;

fn options() -> WebhookOptions {
    serde_json::from_value(json!({
        "auth": { "scheme": "hmac-sha256", "prefix": "sha256=", "secret": "a good long secret" },
        "items": "/events",
        "only": [{ "from": "$/topic", "equals": ["idea"] }],
        "fields": {
            "id": { "from": "/idea/id", "prefix": "idea-" },
            "text": { "from": ["/idea/body", "/idea/summary"], "html": true },
            "title": "/idea/title",
            "published_at": { "from": "/idea/at", "format": "%d.%m.%Y %H:%M", "zone": "Europe/Berlin" },
            "author": "/idea/user/id",
            "tags": ["/idea/topics", { "constant": "ideas" }],
            "likes": "/idea/votes",
            "deleted": { "from": "/event", "equals": ["idea.deleted"] },
        },
    }))
    .unwrap()
}

fn read(body: &serde_json::Value) -> Page {
    let source = SourceName::new("ideas").unwrap();
    let received = Timestamp::from_millis(1_780_315_200_000);
    options().read(&source, &Bytes::from(body.to_string()), received).unwrap()
}

fn idea() -> serde_json::Value {
    json!({ "event": "idea.created", "idea": {
        "id": 17, "title": "Fahrradbox", "body": "<p>Bitte <b>überdacht</b></p>",
        "at": "01.06.2026 14:00", "user": { "id": "u-4" }, "topics": ["Mobilität"], "votes": "12",
    }})
}

#[test]
fn items_become_mentions_by_the_mapping() {
    let page = read(&json!({ "topic": "idea", "events": [idea()] }));
    assert_eq!(page.rejected, []);
    let said = &page.observations[0].submission;
    assert_eq!(said.id, "idea-17");
    assert_eq!(said.text.as_deref(), Some("Bitte überdacht"));
    assert_eq!(said.published_at.unwrap().to_string(), "2026-06-01T12:00:00.000Z");
    assert_eq!(said.author.as_deref(), Some("u-4"));
    assert_eq!(said.tags, ["Mobilität", "ideas"]);
    assert_eq!(said.engagement.unwrap().likes, Some(12));
}

#[test]
fn a_deletion_needs_no_more_than_the_id_and_other_topics_are_left_out() {
    let gone = json!({ "event": "idea.deleted", "idea": { "id": 17 } });
    let page = read(&json!({ "topic": "idea", "events": [gone] }));
    assert!(page.observations[0].submission.deleted);
    assert_eq!(page.observations[0].submission.id, "idea-17");
    assert_eq!(read(&json!({ "topic": "user", "events": [idea()] })), Page::default());
}

#[test]
fn an_error_names_field_pointer_and_value_and_spoils_no_other_item() {
    let mut late = idea();
    late["idea"]["at"] = json!("gestern");
    let mut nameless = idea();
    nameless["idea"]["id"] = json!(null);
    let page = read(&json!({ "topic": "idea", "events": [late, nameless, idea()] }));
    let details: Vec<_> = page.rejected.iter().map(|one| one.rejection.detail.as_str()).collect();
    assert!(
        details[0]
            .starts_with("published_at: \"/idea/at\" holds \"gestern\", which does not fit format"),
        "{details:?}"
    );
    assert_eq!(details[1], "id: nothing stands at \"/idea/id\"");
    assert_eq!(page.observations.len(), 1);
}

#[test]
fn a_mapping_without_id_text_time_and_secret_is_told_in_one_go() {
    let mut problems = Problems::default();
    WebhookOptions::default().validate("sources.ideas", &mut problems);
    let paths: Vec<_> = problems.into_vec().into_iter().map(|problem| problem.path).collect();
    assert_eq!(
        paths,
        [
            "sources.ideas.auth.secret",
            "sources.ideas.fields.id",
            "sources.ideas.fields.text",
            "sources.ideas.fields.published_at",
        ]
    );
    let error = serde_json::from_value::<WebhookOptions>(json!({ "fields": { "id": "idea.id" } }));
    assert!(error.unwrap_err().to_string().contains("is no JSON pointer"));
}

#[test]
fn a_signature_or_a_token_is_checked() {
    let body = br#"{"topic":"idea","events":[]}"#;
    let secret = secrecy::SecretString::from("a good long secret");
    let signed = auth::Check::new(&options().auth, &secret);
    // printf '{"topic":"idea","events":[]}' | openssl dgst -sha256 -hmac 'a good long secret'
    let good = "sha256=14ff0ec867cc2f61fbf5c512c0212b46bd6cd5bd154653a441d06a3c751c04b0";
    let headers = |value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("x-hub-signature-256", value.parse().unwrap());
        headers
    };
    assert_eq!(signed.check(&headers(good), body), Ok(()));
    assert!(signed.check(&headers(good), b"{}").is_err());
    assert!(signed.check(&headers(&good[7..]), body).is_err(), "without its prefix");
    assert!(signed.check(&HeaderMap::new(), body).is_err());

    let token: Auth = serde_json::from_value(json!({
        "header": "Authorization", "prefix": "Bearer ", "secret": "a good long secret",
    }))
    .unwrap();
    let check = auth::Check::new(&token, &secret);
    let mut headers = HeaderMap::new();
    headers.insert("authorization", "Bearer a good long secret".parse().unwrap());
    assert_eq!(check.check(&headers, body), Ok(()));
    headers.insert("authorization", "Bearer another".parse().unwrap());
    assert!(check.check(&headers, body).is_err());
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        ".{0,20}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let name = prop_oneof![
            Just("idea".to_owned()),
            Just("events".to_owned()),
            Just("id".to_owned()),
            Just("at".to_owned()),
            "[a-z]{1,4}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            prop::collection::vec((name, inner), 0..5)
                .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_body_makes_the_mapping_panic(events in any_json(), bytes in ".{0,100}") {
        read(&json!({ "topic": "idea", "events": [events] }));
        let source = SourceName::new("ideas").unwrap();
        let _ = options().read(&source, &Bytes::from(bytes), Timestamp::from_millis(0));
    }
}
