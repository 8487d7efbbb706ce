use std::{
    io::{self, Write as _},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode},
};
use echolot_ingest::{
    log::LogFault,
    push::{self, signature::SigningKey},
    settings::{PushSettings, SenderSettings},
};
use echolot_schemas::{MentionId, Timestamp};
use flate2::{Compression, write::GzEncoder};
use futures::stream;
use http_body_util::BodyExt as _;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::log::{MemoryLog, NOW, Settings, clock, metrics, observer, secret, settings, source};

const SECRET: &str = "a secret between two";

/// `forum` signs, `open` need not, `intranet` is internal.
pub(crate) fn configured(change: impl FnOnce(&mut PushSettings)) -> Settings {
    let mut settings = settings();
    let push = &mut settings.ingest.push;
    for (name, secret_text, internal) in
        [("forum", SECRET, false), ("open", "", false), ("intranet", "", true)]
    {
        let sender =
            SenderSettings { secret: secret(secret_text), internal, ..SenderSettings::default() };
        push.senders.insert(name.to_owned(), sender);
    }
    change(push);
    settings
}

pub(crate) fn router(log: &MemoryLog, settings: &Settings) -> Router {
    let observer = observer(settings);
    push::router(&settings.ingest.push, log.clone(), observer, metrics(), clock()).unwrap()
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    retry_after: Option<String>,
    pub(crate) body: Value,
}

pub(crate) async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response: Response<Body> = router.clone().oneshot(request).await.unwrap();
    let retry_after = response.headers().get("retry-after");
    let retry_after = retry_after.map(|value| value.to_str().unwrap().to_owned());
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Answer { status, retry_after, body: serde_json::from_slice(&body).unwrap() }
}

pub(crate) fn open(body: impl Into<Body>) -> Request<Body> {
    Request::post("/v1/mentions?source=open").body(body.into()).unwrap()
}

async fn push_open(body: &str) -> (MemoryLog, Answer) {
    let log = MemoryLog::default();
    let answer = send(&router(&log, &configured(|_| ())), open(body.to_owned())).await;
    (log, answer)
}

pub(crate) fn line(id: &str, text: &str) -> String {
    json!({ "id": id, "text": text, "published_at": "2026-06-01T12:00:00Z" }).to_string()
}

fn signed(body: &str, at: Timestamp) -> Request<Body> {
    let key = SigningKey::new(&SecretString::from(SECRET));
    Request::post("/v1/mentions")
        .header("X-Echolot-Source", "forum")
        .header("X-Echolot-Signature", key.sign(at, body.as_bytes()))
        .body(body.to_owned().into())
        .unwrap()
}

#[tokio::test]
async fn a_single_mention_an_array_and_lines_are_all_accepted() {
    let pretty = "{\n \"id\": \"1\",\n \"title\": \"Hallo\",\n \"published_at\": \"2026-06-01T12:00:00Z\"\n}";
    for (body, accepted) in [
        (line("1", "a"), 1),
        (pretty.to_owned(), 1),
        (format!("[{}, {}]", line("1", "a"), line("2", "b")), 2),
        ("[]".to_owned(), 0),
        (format!("{}\n\n{}\r\n", line("1", "a"), line("2", "b")), 2),
        (format!("\u{feff}{}\n{}", line("1", "a"), line("2", "b")), 2),
    ] {
        let (log, answer) = push_open(&body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{body}: {}", answer.body);
        assert_eq!(answer.body, json!({ "accepted": accepted }), "{body}");
        assert_eq!(log.state().events.len(), accepted, "{body}");
    }
}

#[tokio::test]
async fn bad_items_are_told_with_their_line_and_the_good_ones_are_safe() {
    let body = [
        line("1", "good"),
        "{\"id\":\"2\"".to_owned(),
        line("3", " "),
        String::new(),
        "{\"id\":\"5\",\"text\":\"a\",\"text\":\"b\"}".to_owned(),
        line("6", "also good"),
    ]
    .join("\n");
    let (log, answer) = push_open(&body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(log.texts(), ["good", "also good"]);
    assert_eq!(answer.body["accepted"], 2);
    assert_eq!(answer.body["rejected_total"], 3);
    let rejected = answer.body["rejected"].as_array().unwrap();
    assert_eq!((&rejected[0]["line"], &rejected[0]["reason"]), (&json!(2), &json!("malformed")));
    assert_eq!(
        rejected[1],
        json!({"line": 3, "id": "3", "reason": "invalid",
               "detail": "text: is empty; a mention needs a text or a title"})
    );
    assert_eq!(rejected[2]["line"], 5);
    assert_eq!(rejected[2]["detail"], "duplicate field `text` (column 27)");
    assert!(log.state().letters.is_empty());
}

#[tokio::test]
async fn a_bad_element_of_an_array_spoils_no_other() {
    let body = format!("[{},{{oops}},{},{{\"id\":", line("1", "a"), line("2", "b"));
    let (log, answer) = push_open(&body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(log.texts(), ["a", "b"]);
    let rejected = answer.body["rejected"].as_array().unwrap();
    assert_eq!(rejected.iter().map(|one| &one["item"]).collect::<Vec<_>>(), [2, 4]);
    assert_eq!(rejected[1]["detail"], "the array breaks off here, without `]`");
}

#[tokio::test]
async fn an_id_used_twice_in_a_request_keeps_both_states_in_order() {
    let (log, answer) = push_open(&format!("{}\n{}", line("1", "draft"), line("1", "edit"))).await;
    assert_eq!(answer.body, json!({ "accepted": 2 }));
    assert_eq!(log.texts(), ["draft", "edit"]);
    assert_eq!(log.mentions()[0].id, MentionId::derive(&source("open"), "1"));
}

#[tokio::test]
async fn many_bad_items_are_all_counted_but_not_all_listed() {
    let (_, answer) = push_open(&"nonsense\n".repeat(250)).await;
    // Without a telling first byte it is one JSON value; a type says that it is lines.
    assert_eq!(answer.body["rejected_total"], 1);
    let request = Request::post("/v1/mentions?source=open")
        .header("Content-Type", "application/x-ndjson; charset=utf-8")
        .body("nonsense\n".repeat(250).into())
        .unwrap();
    let answer = send(&router(&MemoryLog::default(), &configured(|_| ())), request).await;
    assert_eq!(answer.body["rejected_total"], 250);
    assert_eq!(answer.body["rejected"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn invalid_utf8_spoils_its_own_line_alone() {
    let log = MemoryLog::default();
    let mut body = line("1", "a").into_bytes();
    body.extend_from_slice(b"\n{\"id\":\"\xff\"}\n");
    body.extend_from_slice(line("3", "c").as_bytes());
    let answer = send(&router(&log, &configured(|_| ())), open(body)).await;
    assert_eq!(answer.body["rejected"][0]["line"], 2);
    assert_eq!(log.texts(), ["a", "c"]);
}

#[tokio::test]
async fn a_signed_request_is_accepted_and_every_other_is_refused_with_the_reason() {
    let log = MemoryLog::default();
    let router = router(&log, &configured(|_| ()));
    let body = line("1", "a");
    assert_eq!(send(&router, signed(&body, NOW)).await.status, StatusCode::ACCEPTED);
    let late = Timestamp::from_millis(NOW.as_millis() - 301_000);
    let mut unsigned = signed(&body, NOW);
    unsigned.headers_mut().remove("X-Echolot-Signature");
    let mut changed = signed(&body, NOW);
    *changed.body_mut() = line("1", "b").into();
    let mut unknown = signed(&body, NOW);
    unknown.headers_mut().insert("X-Echolot-Source", "nobody".parse().unwrap());
    for (request, reason) in [
        (signed(&body, late), "301 s off"),
        (unsigned, "is missing"),
        (changed, "does not fit the body"),
        (unknown, "\"nobody\" is none of"),
    ] {
        let answer = send(&router, request).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.contains(reason), "{detail}");
    }
    assert_eq!(log.state().events.len(), 1);
}

#[tokio::test]
async fn a_request_that_names_no_source_or_two_is_refused() {
    let router = router(&MemoryLog::default(), &configured(|_| ()));
    let none = Request::post("/v1/mentions").body(Body::empty()).unwrap();
    let two = Request::post("/v1/mentions?source=open")
        .header("X-Echolot-Source", "forum")
        .body(Body::empty())
        .unwrap();
    for request in [none, two] {
        assert_eq!(send(&router, request).await.status, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn an_internal_sender_leaves_no_author() {
    let log = MemoryLog::default();
    let body =
        json!({"id": "1", "text": "a", "author": "ada", "published_at": "2026-06-01T00:00:00Z"});
    let request =
        Request::post("/v1/mentions?source=intranet").body(body.to_string().into()).unwrap();
    send(&router(&log, &configured(|_| ())), request).await;
    let mentions = log.mentions();
    assert!(mentions[0].internal && mentions[0].author.is_none());
}

#[tokio::test]
async fn limits_are_named_in_the_answer() {
    let settings = configured(|push| {
        push.body_limit = bytesize::ByteSize::kib(1);
        push.decompressed_limit = bytesize::ByteSize::kib(64);
        push.items_limit = 2;
    });
    let log = MemoryLog::default();
    let router = router(&log, &settings);
    let chunked =
        Body::from_stream(stream::iter((0..3).map(|_| Ok::<_, io::Error>(vec![b'x'; 600]))));
    let declared = Request::post("/v1/mentions?source=open")
        .header("Content-Length", "2000")
        .body(Body::empty());
    let bomb = Request::post("/v1/mentions?source=open")
        .header("Content-Encoding", "gzip")
        .body(gzip(&vec![b' '; 200_000]).into())
        .unwrap();
    let many = open(["{\"id\":\"1\"}"; 3].join("\n"));
    for (request, limit) in [
        (open(chunked), "ingest.push.body_limit = 1024"),
        (declared.unwrap(), "ingest.push.body_limit = 1024"),
        (bomb, "ingest.push.decompressed_limit = 65536"),
        (many, "ingest.push.items_limit = 2"),
    ] {
        let answer = send(&router, request).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.contains(limit), "{detail}");
    }
    assert!(log.state().events.is_empty());
}

#[tokio::test]
async fn gzip_is_understood_and_other_encodings_are_refused() {
    let log = MemoryLog::default();
    let router = router(&log, &configured(|_| ()));
    let body = format!("{}\n{}", line("1", "a"), line("2", "b"));
    let request = |encoding: &str, body: Vec<u8>| {
        Request::post("/v1/mentions?source=open")
            .header("Content-Encoding", encoding)
            .body(Body::from(body))
            .unwrap()
    };
    let answer = send(&router, request("gzip", gzip(body.as_bytes()))).await;
    assert_eq!(answer.body, json!({ "accepted": 2 }));
    let answer = send(&router, request("br", Vec::new())).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let mut truncated = gzip(body.as_bytes());
    truncated.truncate(20);
    let answer = send(&router, request("gzip", truncated)).await;
    assert_eq!((answer.status, &answer.body["error"]), (StatusCode::BAD_REQUEST, &json!("body")));
}

#[tokio::test]
async fn an_empty_body_is_refused() {
    let (_, answer) = push_open(" \n").await;
    assert_eq!((answer.status, &answer.body["error"]), (StatusCode::BAD_REQUEST, &json!("body")));
}

#[tokio::test]
async fn a_saturated_log_is_answered_429_with_retry_after() {
    let log = MemoryLog::default();
    log.state().saturated = true;
    let answer = send(&router(&log, &configured(|_| ())), open(line("1", "a"))).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.retry_after.as_deref(), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn one_request_too_many_is_answered_429_and_accepted_later() {
    let log = MemoryLog::default();
    log.state().delay = Duration::from_secs(1);
    let router = router(&log, &configured(|push| push.requests_in_flight = 1));
    let first = send(&router, open(line("1", "a")));
    let second = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        send(&router, open(line("2", "b"))).await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.status, StatusCode::ACCEPTED);
    assert_eq!(second.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(send(&router, open(line("2", "b"))).await.status, StatusCode::ACCEPTED);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_does_not_acknowledge_is_answered_503_with_retry_after() {
    let log = MemoryLog::default();
    let router = router(&log, &configured(|_| ()));
    log.state().faults = [LogFault::Unavailable("no leader".to_owned())].into();
    let failed = send(&router, open(line("1", "a"))).await;
    log.state().delay = Duration::from_hours(1);
    let slow = send(&router, open(line("1", "a"))).await;
    for answer in [failed, slow] {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.retry_after.as_deref(), Some("1"));
    }
    log.state().delay = Duration::ZERO;
    log.state().faults = [LogFault::Fatal("fenced".to_owned())].into();
    let fatal = send(&router, open(line("1", "a"))).await;
    assert_eq!(fatal.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_trickles_in_is_cut_off() {
    let router = router(&MemoryLog::default(), &configured(|_| ()));
    let trickle = stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Some((Ok::<_, io::Error>(" "), ()))
    });
    let endless = Body::from_stream(trickle);
    let answer = send(&router, open(endless)).await;
    assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn a_trace_context_is_handed_on_and_nonsense_is_not() {
    let log = MemoryLog::default();
    let router = router(&log, &configured(|_| ()));
    let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for header in [good, "nonsense"] {
        let mut request = open(line("1", "a"));
        request.headers_mut().insert("traceparent", header.parse().unwrap());
        send(&router, request).await;
    }
    assert_eq!(log.state().traceparents, [Some(good.to_owned()), None]);
}

#[tokio::test]
async fn a_slow_head_is_cut_off_and_cancelling_ends_the_server() {
    let settings = configured(|push| push.header_timeout = Duration::from_millis(300));
    let log = MemoryLog::default();
    let router = router(&log, &settings);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let cancel = CancellationToken::new();
    let serving = {
        let (push, cancel) = (settings.ingest.push.clone(), cancel.clone());
        tokio::spawn(async move { push::serve(listener, router, &push, cancel).await })
    };
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"POST /v1/mentions HTTP/1.1\r\nHost: x\r\nX-").await.unwrap();
    let mut rest = Vec::new();
    let cut = tokio::time::timeout(Duration::from_secs(5), slow.read_to_end(&mut rest)).await;
    assert!(cut.is_ok(), "the connection stays open");

    let body = line("1", "a");
    let mut good = TcpStream::connect(address).await.unwrap();
    let head = "POST /v1/mentions?source=open HTTP/1.1\r\nHost: x\r\nConnection: close";
    let request = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    good.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    good.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    cancel.cancel();
    tokio::time::timeout(Duration::from_secs(5), serving).await.unwrap().unwrap();
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
