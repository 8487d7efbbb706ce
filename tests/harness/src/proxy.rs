//! A way to ClickHouse that can be made bad.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::Context;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

const INSERT: &[u8] = b"INSERT";

/// How the way is at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything passes.
    Pass,
    /// Open connections are cut, new ones closed at once.
    Refuse,
    /// Every piece of an answer comes so much later.
    Slow(Duration),
    /// Everything passes but answers to INSERT: in their place the connection is closed. Such an
    /// answer comes when the statement took effect, so the sender does not know that it has.
    DropInsertAnswers,
}

/// A listening proxy. Closes everything when dropped.
pub struct Proxy {
    /// For `clickhouse.url`.
    pub url: String,
    mode: watch::Sender<Mode>,
    dropped: watch::Receiver<u64>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// A proxy before the server at `url`, in [`Mode::Pass`].
    pub async fn before(url: &str) -> anyhow::Result<Self> {
        let server: SocketAddr =
            url.trim_start_matches("http://").parse().context("the server's url")?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (mode, present) = watch::channel(Mode::Pass);
        let (count, dropped) = watch::channel(0);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let way = Way {
                    mode: present.clone(),
                    dropped: count.clone(),
                    inserts: AtomicBool::new(false),
                };
                tokio::spawn(way.forward(client, server));
            }
        });
        Ok(Self { url, mode, dropped, accepting })
    }

    /// Changes the mode, for open connections as well.
    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Waits until so many answers were dropped.
    pub async fn until_dropped(&self, answers: u64, within: Duration) -> anyhow::Result<()> {
        let mut dropped = self.dropped.clone();
        let enough = tokio::time::timeout(within, dropped.wait_for(|count| *count >= answers));
        enough.await.with_context(|| format!("fewer than {answers} answers in {within:?}"))??;
        Ok(())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.mode.send_replace(Mode::Refuse);
    }
}

/// What a connection knows.
struct Way {
    mode: watch::Receiver<Mode>,
    dropped: watch::Sender<u64>,
    /// True while the request at work inserts.
    inserts: AtomicBool,
}

impl Way {
    /// Ends when either side does, or the mode wants it.
    async fn forward(mut self, client: TcpStream, server: SocketAddr) {
        if *self.mode.borrow_and_update() == Mode::Refuse {
            return;
        }
        let Ok(server) = TcpStream::connect(server).await else { return };
        let (mut from_client, to_client) = client.into_split();
        let (from_server, mut to_server) = server.into_split();
        let mut mode = self.mode.clone();
        tokio::select! {
            () = self.answers(from_server, to_client) => {}
            () = async {
                self.requests(&mut from_client, &mut to_server).await;
                // A client that broke off; the server finds out as it would without a proxy.
                let _ = to_server.shutdown().await;
                std::future::pending::<()>().await;
            } => {}
            _ = mode.wait_for(|mode| *mode == Mode::Refuse) => {}
        }
    }

    async fn requests(&self, from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf) {
        let mut piece = vec![0; 64 * 1024];
        loop {
            let read = from.read(&mut piece).await.unwrap_or(0);
            let piece = &piece[..read];
            // A statement stands in the head of its request or right behind it.
            if piece.starts_with(b"POST ") {
                let inserts = piece.windows(INSERT.len()).any(|bytes| bytes == INSERT);
                self.inserts.store(inserts, Ordering::Relaxed);
            }
            if read == 0 || to.write_all(piece).await.is_err() {
                return;
            }
        }
    }

    async fn answers(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut piece = vec![0; 64 * 1024];
        loop {
            let read = from.read(&mut piece).await.unwrap_or(0);
            if read == 0 {
                return;
            }
            let mode = *self.mode.borrow();
            match mode {
                Mode::Refuse => return,
                Mode::DropInsertAnswers if self.inserts.load(Ordering::Relaxed) => {
                    self.dropped.send_modify(|count| *count += 1);
                    return;
                }
                Mode::Slow(pause) => tokio::time::sleep(pause).await,
                Mode::Pass | Mode::DropInsertAnswers => {}
            }
            if to.write_all(&piece[..read]).await.is_err() {
                return;
            }
        }
    }
}
