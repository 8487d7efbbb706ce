//! Polled platforms against local servers that play them.

mod discourse;
mod feed_corpus;
mod feeds;
mod googleplay;
mod hackernews;
mod reddit;
mod schedule;
mod viva;
mod youtube;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Bytes, extract::Request, http::HeaderMap, response::IntoResponse as _};
use echolot_ingest::{
    http::{HttpClient, HttpSettings},
    source::{AnySource, Page},
    sources::{CommonSettings, SourceContext, kind},
};
use echolot_pipeline::clock::Clock;
use echolot_schemas::{SourceName, Timestamp};

/// A clock that a test turns.
#[derive(Clone)]
struct Turned(Arc<AtomicI64>);

impl Turned {
    fn at(text: &str) -> Self {
        Self(Arc::new(AtomicI64::new(text.parse::<Timestamp>().unwrap().as_millis())))
    }

    fn clock(&self) -> Clock {
        let millis = Arc::clone(&self.0);
        Clock::new(move || Timestamp::from_millis(millis.load(Ordering::SeqCst)))
    }

    fn advance(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

/// What a played platform answers.
struct Played {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Played {
    fn ok(body: impl Into<Bytes>) -> Self {
        Self { status: 200, headers: Vec::new(), body: body.into() }
    }

    fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::from_static(b"{}") }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// One request as a played platform sees it.
struct Asked {
    path: String,
    query: Vec<(String, String)>,
    authorization: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Asked {
    fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Serves `play` on loopback until the test's runtime ends.
async fn serve(play: impl Fn(Asked) -> Played + Clone + Send + Sync + 'static) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(move |request: Request| {
        let play = play.clone();
        async move {
            let (head, body) = request.into_parts();
            let query = head.uri.query().unwrap_or_default();
            let asked = Asked {
                path: head.uri.path().to_owned(),
                query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
                authorization: head
                    .headers
                    .get("authorization")
                    .map(|value| value.to_str().unwrap().to_owned())
                    .unwrap_or_default(),
                headers: head.headers,
                body: axum::body::to_bytes(body, 1 << 20).await.unwrap(),
            };
            let played = play(asked);
            let mut response = played.body.into_response();
            *response.status_mut() = played.status.try_into().unwrap();
            for (name, value) in played.headers {
                let name: axum::http::HeaderName = name.parse().unwrap();
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn http() -> HttpClient {
    #[derive(serde::Deserialize)]
    struct Root {
        ingest: Ingest,
    }
    #[derive(serde::Deserialize)]
    struct Ingest {
        http: HttpSettings,
    }
    let root: Root = toml::from_str(include_str!("../../../default.toml")).unwrap();
    let allow = vec!["127.0.0.1".to_owned()];
    HttpClient::new(&HttpSettings { allow, pace: Duration::ZERO, ..root.ingest.http }).unwrap()
}

/// A source of a kind with these options.
fn source(kind_name: &str, options: serde_json::Value, time: &Turned) -> AnySource {
    let options = kind(kind_name).unwrap().read(options).unwrap();
    let context = SourceContext {
        name: SourceName::new("played").unwrap(),
        common: CommonSettings {
            interval: Some(Duration::from_millis(1)),
            ..CommonSettings::default()
        },
        http: http(),
        clock: time.clock(),
    };
    options.build(context).unwrap().source.unwrap()
}

/// Native ids on a page, those of deletions with `-` before them.
fn ids(page: &Page) -> Vec<String> {
    let id = |one: &echolot_ingest::source::Observation| {
        let sign = if one.submission.deleted { "-" } else { "" };
        format!("{sign}{}", one.submission.id)
    };
    page.observations.iter().map(id).collect()
}
