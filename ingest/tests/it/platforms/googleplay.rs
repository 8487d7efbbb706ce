use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use echolot_ingest::source::{Notice, Source as _};
use echolot_schemas::{Timestamp, coverage::GapReason, cursor::CursorRecord};
use serde_json::{Value, json};

use super::{Asked, Played, Turned, ids, serve, source};

/// A service account's key, which opens nothing.
static KEY: LazyLock<String> = LazyLock::new(|| {
    let der: Pkcs8V1Der<'_> = KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
    let base64 = STANDARD.encode(der.as_ref());
    format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n")
});
const NOON: i64 = 1_780_315_200;

fn review(id: u64, modified: i64) -> Value {
    json!({ "reviewId": format!("gp:{id}"), "authorName": "Ada", "comments": [{ "userComment": {
        "text": format!("Titel\tText {id}"), "starRating": 2, "reviewerLanguage": "de",
        "lastModified": { "seconds": modified.to_string() } } }] })
}

type Reviews = Arc<Mutex<BTreeMap<u64, i64>>>;

async fn played(reviews: &Reviews) -> String {
    let reviews = Arc::clone(reviews);
    serve(move |asked: Asked| {
        let reviews = reviews.lock().unwrap();
        if asked.path == "/token" {
            let form: BTreeMap<_, _> =
                url::form_urlencoded::parse(&asked.body).into_owned().collect();
            let claims = form["assertion"].split('.').nth(1).unwrap();
            let claims: Value =
                serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
            assert_eq!(claims["iss"], "reader@example.org");
            assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
            return Played::ok(r#"{"access_token":"t","expires_in":3599}"#);
        }
        assert_eq!(asked.authorization, "Bearer t");
        let base = "/androidpublisher/v3/applications/org.example/reviews";
        let rest = asked.path.strip_prefix(base).unwrap();
        if let Some(id) = rest.strip_prefix("/gp:") {
            let id = id.parse().unwrap();
            return match reviews.get(&id) {
                Some(modified) => Played::ok(review(id, *modified).to_string()),
                None => Played::status(404),
            };
        }
        let mut listed: Vec<_> = reviews.iter().map(|(id, modified)| (*modified, *id)).collect();
        listed.sort_unstable();
        listed.reverse();
        let from: usize = asked.param("token").map_or(0, |token| token.parse().unwrap());
        let slice: Vec<_> = listed.iter().skip(from).take(3).collect();
        let next = (from + 3 < listed.len()).then(|| (from + 3).to_string());
        let slice: Vec<_> = slice.iter().map(|(modified, id)| review(*id, *modified)).collect();
        Played::ok(
            json!({ "reviews": slice, "tokenPagination": { "nextPageToken": next } }).to_string(),
        )
    })
    .await
}

fn options(api: &str) -> Value {
    let account = json!({ "client_email": "reader@example.org", "private_key": *KEY,
                          "token_uri": format!("{api}/token") });
    json!({ "service_account": account.to_string(), "packages": ["org.example"], "api": api })
}

#[tokio::test]
async fn reviews_come_once_edits_keep_their_time_and_a_missing_one_is_deleted() {
    let reviews: Reviews =
        Arc::new(Mutex::new((1..=7_u64).map(|id| (id, NOON - 1000 + id.cast_signed())).collect()));
    let api = played(&reviews).await;
    let time = Turned::at("2026-06-01T12:00:00Z");
    let mut play = source("googleplay", options(&api), &time);
    play.resume(None).await.unwrap();
    let first = play.next_page().await.unwrap().unwrap();
    assert_eq!(ids(&first), ["gp:1", "gp:2", "gp:3", "gp:4", "gp:5", "gp:6", "gp:7"]);
    assert_eq!(first.observations[0].submission.rating, Some(2));

    reviews.lock().unwrap().insert(2, NOON + 5);
    time.advance(Duration::from_mins(1));
    let page = play.next_page().await.unwrap().unwrap();
    assert_eq!(ids(&page), ["gp:2"]);
    let edited = &page.observations[0].submission;
    assert_eq!(edited.published_at, first.observations[1].submission.published_at);
    assert_eq!(edited.edited_at, Some(Timestamp::from_millis((NOON + 5) * 1000)));

    reviews.lock().unwrap().remove(&5);
    time.advance(Duration::from_hours(1));
    let page = play.next_page().await.unwrap().unwrap();
    assert!(ids(&page).contains(&"-gp:5".to_owned()), "{:?}", ids(&page));
    assert_eq!(page.notices, []);
}

#[tokio::test]
async fn a_silence_of_more_than_seven_days_is_a_gap() {
    let api = played(&Reviews::default()).await;
    let time = Turned::at("2026-06-01T12:00:00Z");
    let mut play = source("googleplay", options(&api), &time);
    play.resume(None).await.unwrap();
    let position = play.next_page().await.unwrap().unwrap().cursor.unwrap();
    time.advance(Duration::from_hours(9 * 24));
    let mut play = source("googleplay", options(&api), &time);
    let saved_at = Timestamp::from_millis(0);
    play.resume(Some(CursorRecord { position, saved_at })).await.unwrap();
    let page = play.next_page().await.unwrap().unwrap();
    let at = |text: &str| text.parse().unwrap();
    let (from, to) = (at("2026-06-01T12:00:00Z"), at("2026-06-03T12:00:00Z"));
    assert_eq!(page.notices, [Notice::Gap { from, to, why: GapReason::ClampedCursor }]);
}

#[tokio::test]
async fn an_account_without_rights_and_a_busy_platform_are_told_apart() {
    for (status, kind) in
        [(401, "unauthorised"), (403, "unauthorised"), (429, "rate_limited"), (500, "transient")]
    {
        let api = serve(move |_| Played::status(status)).await;
        let time = Turned::at("2026-06-01T12:00:00Z");
        let options = json!({ "token": "t", "packages": ["org.example"], "api": api });
        let mut play = source("googleplay", options, &time);
        play.resume(None).await.unwrap();
        assert_eq!(play.next_page().await.unwrap_err().kind(), kind, "{status}");
    }
}
