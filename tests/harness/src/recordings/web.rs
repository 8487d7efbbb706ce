//! What is asked over HTTP: a timeline of Mastodon and a feed.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

/// The token that can be revoked.
pub(super) const TOKEN: &str = "a-token-until-it-is-revoked";
/// The feed's only version.
const ETAG: &str = "\"1\"";

/// The server; it ends with this.
pub(super) struct Web {
    address: SocketAddr,
    shown: Arc<Shown>,
    task: JoinHandle<()>,
}

struct Shown {
    feed: Vec<u8>,
    timeline: Vec<Value>,
    revoked: AtomicBool,
}

impl Web {
    pub(super) async fn start(feed: Vec<u8>, timeline: Vec<Value>) -> anyhow::Result<Self> {
        let shown = Arc::new(Shown { feed, timeline, revoked: AtomicBool::new(false) });
        let router = Router::new()
            .route("/api/v1/timelines/public", get(show_timeline))
            .route("/news.atom", get(show_feed))
            .with_state(Arc::clone(&shown));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            // It ends with the task, and a connection that breaks is its client's affair.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, shown, task })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn revoke_tokens(&self) {
        self.shown.revoked.store(true, Ordering::SeqCst);
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn show_timeline(
    State(shown): State<Arc<Shown>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if token.is_some() && shown.revoked.load(Ordering::SeqCst) {
        let why = json!({"error": "The access token was revoked"});
        return (StatusCode::UNAUTHORIZED, Json(why)).into_response();
    }
    let least = number(query.get("min_id").map(String::as_str));
    let newer = |status: &&Value| number(status["id"].as_str()) > least;
    Json(shown.timeline.iter().filter(newer).collect::<Vec<_>>()).into_response()
}

fn number(id: Option<&str>) -> u64 {
    id.and_then(|id| id.parse().ok()).unwrap_or(0)
}

async fn show_feed(State(shown): State<Arc<Shown>>, headers: HeaderMap) -> Response {
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag == ETAG);
    if known {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let heads = [(header::CONTENT_TYPE, "application/atom+xml"), (header::ETAG, ETAG)];
    (heads, shown.feed.clone()).into_response()
}
