//! A connection to the server that breaks where a test wants it to.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use echolot_store::{ClickHouseSettings, Store};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What to do with the first request that contains the needle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Break {
    /// Close the connection before the server sees it.
    Before,
    /// Let the server have it, then close the connection instead of handing on the answer.
    After,
}

/// Forwards to the server until the needle passes. Stops when dropped.
pub(crate) struct Proxy {
    pub(crate) store: Store,
    broke: Arc<AtomicBool>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start(
        settings: &ClickHouseSettings,
        needle: &'static [u8],
        how: Break,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = settings.url.trim_start_matches("http://").to_owned();
        let broke = Arc::new(AtomicBool::new(false));
        let done = broke.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, server.clone(), needle, how, done.clone()));
            }
        });
        let settings = ClickHouseSettings { url, ..settings.clone() };
        Self { store: Store::new(&settings).unwrap(), broke, accepting }
    }

    /// True once a connection was broken.
    pub(crate) fn broke(&self) -> bool {
        self.broke.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn forward(
    client: TcpStream,
    server: String,
    needle: &'static [u8],
    how: Break,
    broke: Arc<AtomicBool>,
) {
    let server = TcpStream::connect(server).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let answering = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
    });
    // The needle may lie across two reads.
    let mut window: Vec<u8> = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let read = from_client.read(&mut chunk).await.unwrap_or(0);
        if read == 0 {
            break;
        }
        window.extend_from_slice(&chunk[..read]);
        let found = window.windows(needle.len()).any(|bytes| bytes == needle);
        if found && !broke.swap(true, Ordering::SeqCst) {
            if how == Break::After {
                // Enough of the body has to follow for the server to take it as whole.
                answering.abort();
                to_server.write_all(&chunk[..read]).await.unwrap();
                drain(&mut from_client, &mut to_server).await;
            }
            answering.abort();
            return;
        }
        window.drain(..window.len().saturating_sub(needle.len()));
        if to_server.write_all(&chunk[..read]).await.is_err() {
            break;
        }
    }
    // The client has said all; what the server still answers goes through.
    let _ = answering.await;
}

/// Hands on what the client sends until it pauses: its request is then complete. The connection
/// stays open a little longer, since the server drops the insert of a client that went away.
async fn drain(
    from: &mut tokio::net::tcp::OwnedReadHalf,
    to: &mut tokio::net::tcp::OwnedWriteHalf,
) {
    let mut chunk = vec![0; 64 * 1024];
    let pause = std::time::Duration::from_millis(300);
    while let Ok(Ok(read)) = tokio::time::timeout(pause, from.read(&mut chunk)).await {
        if read == 0 || to.write_all(&chunk[..read]).await.is_err() {
            return;
        }
    }
}
