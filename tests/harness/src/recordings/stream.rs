//! A Jetstream of version 1: inclusive cursors, and hang-ups in mid-stream.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{Callback, ErrorResponse, Request, Response},
    },
};

/// The collection that holds posts.
const POSTS: &str = "app.bsky.feed.post";
/// Between what was recorded last and what is said afterwards, in microseconds.
const LATER: i64 = 1_000_000;

/// An account of the network.
pub type Did = String;

/// The stream, and everything that was ever said on it; it ends with this.
pub struct Stream {
    address: SocketAddr,
    said: watch::Sender<Vec<Event>>,
    asked: Asked,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Event {
    time_us: i64,
    frame: String,
}

impl Stream {
    pub(super) async fn start(
        recorded: &str,
        pace: Duration,
        hang_ups: Vec<usize>,
    ) -> anyhow::Result<Self> {
        let mut events = recorded
            .lines()
            .filter(|line| !line.is_empty())
            .map(|line| {
                let event: Value = serde_json::from_str(line)?;
                let time_us = event["time_us"].as_i64().context("an event without time_us")?;
                Ok(Event { time_us, frame: line.to_owned() })
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        events.sort_by_key(|event| event.time_us);
        let said = watch::Sender::new(events);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let asked = Asked::default();
        let (events, cursors) = (said.subscribe(), Arc::clone(&asked));
        let task = tokio::spawn(async move {
            let mut hang_ups = hang_ups.into_iter();
            while let Ok((stream, _)) = listener.accept().await {
                let caller = Caller { events: events.clone(), pace, most: hang_ups.next() };
                tokio::spawn(caller.serve(stream, Arc::clone(&cursors)));
            }
        });
        Ok(Self { address, said, asked, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The cursor of every connection so far.
    pub fn cursors(&self) -> Vec<Option<i64>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Author and record key of each post with words that was recorded, in order.
    pub fn posts(&self) -> Vec<(Did, String)> {
        let post = |event: &Event| {
            let event: Value = serde_json::from_str(&event.frame).ok()?;
            let commit = &event["commit"];
            let words = commit["record"]["text"].as_str().unwrap_or_default().trim();
            let is_post = commit["collection"] == POSTS && !words.is_empty();
            let text = |value: &Value| value.as_str().map(str::to_owned);
            is_post.then(|| Some((text(&event["did"])?, text(&commit["rkey"])?)))?
        };
        self.said.borrow().iter().filter_map(post).collect()
    }

    /// Somebody says something.
    pub fn say(&self, did: &str, rkey: &str, text: &str) {
        let at = jiff::Timestamp::now().to_string();
        let record = json!({"$type": POSTS, "text": text, "createdAt": at, "langs": ["de"]});
        self.commit(did, rkey, "create", Some(&record));
    }

    /// Somebody takes something back.
    pub fn delete(&self, did: &str, rkey: &str) {
        self.commit(did, rkey, "delete", None);
    }

    /// An account is taken down, and with it everything that it said.
    pub fn take_down(&self, did: &str) {
        let account = json!({"active": false, "did": did, "seq": 1, "status": "takendown"});
        self.add(&json!({"did": did, "kind": "account", "account": account}));
    }

    fn commit(&self, did: &str, rkey: &str, operation: &str, record: Option<&Value>) {
        let mut commit =
            json!({"rev": rkey, "operation": operation, "collection": POSTS, "rkey": rkey});
        if let Some(record) = record {
            commit["record"] = record.clone();
        }
        self.add(&json!({"did": did, "kind": "commit", "commit": commit}));
    }

    fn add(&self, event: &Value) {
        self.said.send_modify(|said| {
            let last = said.last().map_or(0, |event| event.time_us);
            let now = jiff::Timestamp::now().as_microsecond();
            let time_us = now.max(last + LATER);
            let mut event = event.clone();
            event["time_us"] = json!(time_us);
            said.push(Event { time_us, frame: event.to_string() });
        });
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One connection.
struct Caller {
    events: watch::Receiver<Vec<Event>>,
    pace: Duration,
    /// How many events it gets before the server hangs up; none for all there ever are.
    most: Option<usize>,
}

/// Cursors that were asked for.
type Asked = Arc<Mutex<Vec<Option<i64>>>>;

/// Notes what a handshake asked for.
struct Door(Asked);

impl Callback for Door {
    fn on_request(self, request: &Request, response: Response) -> Result<Response, ErrorResponse> {
        let query = request.uri().query().unwrap_or_default();
        let cursor = query.split('&').find_map(|pair| pair.strip_prefix("cursor=")?.parse().ok());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(cursor);
        Ok(response)
    }
}

impl Caller {
    async fn serve(mut self, stream: TcpStream, asked: Asked) {
        let mine = Asked::default();
        let Ok(socket) = accept_hdr_async(stream, Door(Arc::clone(&mine))).await else { return };
        let cursor = mine.lock().unwrap_or_else(PoisonError::into_inner).first().copied();
        asked.lock().unwrap_or_else(PoisonError::into_inner).extend(cursor);
        // A client that goes away is its own affair.
        let _ = self.play(socket, cursor.flatten().unwrap_or(0)).await;
    }

    async fn play(
        &mut self,
        mut socket: WebSocketStream<TcpStream>,
        cursor: i64,
    ) -> anyhow::Result<()> {
        let earlier = |event: &&Event| event.time_us < cursor;
        let mut next = self.events.borrow().iter().take_while(earlier).count();
        let end = self.most.map_or(usize::MAX, |most| next + most);
        loop {
            let due = self.events.borrow_and_update().get(next..).unwrap_or_default().to_vec();
            for event in due {
                if next == end {
                    return Ok(());
                }
                socket.send(Message::text(event.frame)).await?;
                tokio::time::sleep(self.pace).await;
                next += 1;
            }
            tokio::select! {
                changed = self.events.changed() => changed?,
                // Answers pings; what a client says is nothing that a Jetstream listens to.
                said = socket.next() => {
                    said.transpose()?.context("the client hung up")?;
                }
            }
        }
    }
}
