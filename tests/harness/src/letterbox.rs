//! Where alerts arrive: a webhook and a mail server on loopback that keep what they are told.

use std::{net::SocketAddr, time::Instant};

use anyhow::Context;
use axum::{Router, body::Bytes, extract::State, http::Uri};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// Longest mail that is taken.
const MAIL_LINES: usize = 5000;

/// What arrived.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The path that was called, or `mail`.
    pub way: String,
    /// The body, for a mail with its headers.
    pub text: String,
    /// When.
    pub at: Instant,
}

type Letters = watch::Sender<Vec<Letter>>;

/// Both servers; they end with this.
pub struct Letterbox {
    /// Where the webhook listens.
    pub web: SocketAddr,
    /// Where the mail server listens.
    pub mail: SocketAddr,
    letters: Letters,
    servers: [JoinHandle<()>; 2],
}

impl Letterbox {
    /// Listens on ports of its own.
    pub async fn open() -> anyhow::Result<Self> {
        let letters = Letters::default();
        let (web, mail) =
            (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
        let addresses = (web.local_addr()?, mail.local_addr()?);
        let router = Router::new().fallback(called).with_state(letters.clone());
        let told = letters.clone();
        let servers = [
            tokio::spawn(async move {
                let _ = axum::serve(web, router).await;
            }),
            tokio::spawn(async move {
                while let Ok((client, _)) = mail.accept().await {
                    tokio::spawn(mailed(client, told.clone()));
                }
            }),
        ];
        Ok(Self { web: addresses.0, mail: addresses.1, letters, servers })
    }

    /// Everything so far.
    pub fn letters(&self) -> Vec<Letter> {
        self.letters.borrow().clone()
    }
}

impl Drop for Letterbox {
    fn drop(&mut self) {
        self.servers.iter().for_each(JoinHandle::abort);
    }
}

fn keep(letters: &Letters, way: &str, text: String) {
    let letter = Letter { way: way.to_owned(), text, at: Instant::now() };
    letters.send_modify(|letters| letters.push(letter));
}

async fn called(State(letters): State<Letters>, uri: Uri, body: Bytes) {
    keep(&letters, uri.path(), String::from_utf8_lossy(&body).into_owned());
}

/// As much of SMTP (RFC 5321) as a client without encryption needs.
async fn mailed(client: TcpStream, letters: Letters) -> anyhow::Result<()> {
    let mut client = BufReader::new(client);
    client.write_all(b"220 letterbox\r\n").await?;
    let mut line = String::new();
    while client.read_line(&mut line).await? > 0 {
        let command = line.split_whitespace().next().unwrap_or_default().to_uppercase();
        line.clear();
        match command.as_str() {
            "DATA" => {
                client.write_all(b"354 go on\r\n").await?;
                let text = letter(&mut client).await?;
                keep(&letters, "mail", text);
                client.write_all(b"250 kept\r\n").await?;
            }
            "QUIT" => {
                client.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => client.write_all(b"250 letterbox\r\n").await?,
        }
    }
    Ok(())
}

async fn letter(client: &mut BufReader<TcpStream>) -> anyhow::Result<String> {
    let mut text = String::new();
    for _ in 0..MAIL_LINES {
        let mut line = String::new();
        let read = client.read_line(&mut line).await?;
        if read == 0 || line == ".\r\n" {
            return Ok(text);
        }
        text.push_str(&line);
    }
    Err(anyhow::anyhow!("a mail of more than {MAIL_LINES} lines")).context("reading a mail")
}
