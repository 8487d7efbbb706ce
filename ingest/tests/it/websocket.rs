//! A websocket server on loopback that does as a test says.

use std::{
    future::Future,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::Router;
use echolot_ingest::{
    http::HttpClient,
    source::{Page, Source, SourceFault},
    sources::{CommonSettings, SourceContext},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::handshake::server::{Callback, ErrorResponse, Request, Response},
};

use crate::log::{clock, settings, source};

/// A client's connection after its handshake.
pub(crate) struct Caller {
    /// The how manieth connection it is, from 0.
    pub(crate) number: usize,
    /// Path and query that it asked for.
    pub(crate) asked: String,
    pub(crate) socket: WebSocketStream<TcpStream>,
}

/// A running server; it ends with this.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Served {
    /// Path and query of every handshake so far, those that were refused included.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Refuses a handshake, or not.
pub(crate) type Judge = fn(&str) -> Option<(u16, &'static str)>;

struct Door {
    asked: Arc<Mutex<Vec<String>>>,
    judge: Judge,
}

impl Callback for Door {
    fn on_request(
        self,
        request: &Request,
        mut response: Response,
    ) -> Result<Response, ErrorResponse> {
        let asked = request.uri().to_string();
        self.asked.lock().unwrap().push(asked.clone());
        if let Some((status, body)) = (self.judge)(&asked) {
            let mut refusal = ErrorResponse::new(Some(body.to_owned()));
            *refusal.status_mut() = status.try_into().unwrap();
            return Err(refusal);
        }
        let headers = request.headers();
        if let Some(subprotocol) = headers.get("sec-websocket-protocol") {
            response.headers_mut().insert("sec-websocket-protocol", subprotocol.clone());
        }
        Ok(response)
    }
}

/// Serves connections one after the other with `answer`; it hangs up when that returns.
pub(crate) async fn serve<F>(judge: Judge, answer: impl Fn(Caller) -> F + Send + 'static) -> Served
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let requests = Arc::clone(&asked);
    let task = tokio::spawn(async move {
        let mut number = 0;
        while let Ok((stream, _)) = listener.accept().await {
            let door = Door { asked: Arc::clone(&requests), judge };
            let Ok(socket) = accept_hdr_async(stream, door).await else { continue };
            let asked = requests.lock().unwrap().last().cloned().unwrap_or_default();
            answer(Caller { number, asked, socket }).await;
            number += 1;
        }
    });
    Served { address, asked, task }
}

/// Lets everybody in.
pub(crate) fn welcome(_: &str) -> Option<(u16, &'static str)> {
    None
}

/// What a source named `name` is built with; loopback may be reached.
pub(crate) fn context(name: &str) -> SourceContext {
    let mut http = settings().ingest.http;
    http.allow = vec!["127.0.0.1".to_owned()];
    http.pace = Duration::ZERO;
    SourceContext {
        name: source(name),
        common: CommonSettings::default(),
        http: HttpClient::new(&http).unwrap(),
        clock: clock(),
    }
}

/// The next page, and the faults that passed before it. A test waits no longer than ten seconds.
pub(crate) async fn next_page(source: &mut impl Source) -> (Page, Vec<SourceFault>) {
    let mut faults = Vec::new();
    let page = timeout(Duration::from_secs(10), async {
        loop {
            match source.next_page().await {
                Ok(page) => return page.unwrap(),
                Err(fault @ SourceFault::Transient { .. }) => faults.push(fault),
                Err(fault) => panic!("{fault:?} after {faults:?}"),
            }
        }
    });
    (page.await.expect("a page within ten seconds"), faults)
}

/// One address for the REST side and the websocket of a platform: what asks to become a websocket
/// is handed on to `served`.
pub(crate) async fn beside(rest: Router, served: &Served) -> Front {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let inner = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (http, socket) = (inner.local_addr().unwrap(), served.address);
    let rest = tokio::spawn(async move { axum::serve(inner, rest).await.unwrap() });
    let front = tokio::spawn(async move {
        while let Ok((mut caller, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = [0; 2048];
                let length = caller.peek(&mut head).await.unwrap();
                let upgrades =
                    String::from_utf8_lossy(&head[..length]).contains("pgrade: websocket");
                let mut other =
                    TcpStream::connect(if upgrades { socket } else { http }).await.unwrap();
                let _ = copy_bidirectional(&mut caller, &mut other).await;
            });
        }
    });
    Front { address, tasks: [rest, front] }
}

/// A running front; it ends with this.
pub(crate) struct Front {
    pub(crate) address: SocketAddr,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for Front {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
