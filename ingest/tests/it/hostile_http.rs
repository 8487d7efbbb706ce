//! Servers that mean harm: each costs a bounded time and memory, is told clearly, and stops nothing.

use std::{
    io::{self, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytesize::ByteSize;
use echolot_ingest::{
    http::{Fetch, HttpClient, HttpError, HttpSettings, Lookup},
    source::{AnySource, Source as _, SourceFault},
    sources::{CommonSettings, SourceContext, kind},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};
use url::Url;

use crate::log::{clock, settings, source};

const LIMIT: usize = 256 * 1024;
/// Stands for the public internet: the only address that may be reached.
const PUBLIC: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// What socket buffers on both sides may hold besides what the client took.
const IN_FLIGHT: usize = 16 * 1024 * 1024;

fn patience() -> HttpSettings {
    HttpSettings {
        allow: vec![PUBLIC.to_string()],
        connect_timeout: Duration::from_secs(2),
        header_timeout: Duration::from_millis(400),
        idle_timeout: Duration::from_millis(600),
        total_timeout: Duration::from_millis(1200),
        body_limit: ByteSize::b(LIMIT as u64),
        pace: Duration::ZERO,
        ..settings().ingest.http
    }
}

fn client() -> HttpClient {
    HttpClient::new(&patience()).unwrap()
}

/// A server that answers as a test wants, and counts who came.
struct Server {
    address: SocketAddr,
    came: Arc<AtomicUsize>,
}

impl Server {
    async fn at<F>(
        ip: Ipv4Addr,
        port: u16,
        answer: impl Fn(TcpStream, usize) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = io::Result<()>> + Send,
    {
        let listener = TcpListener::bind((ip, port)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let came = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&came);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let number = counted.fetch_add(1, Ordering::SeqCst);
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                // A client that hangs up is what most of these tests wait for.
                let _ = answer(stream, number).await;
            }
        });
        Self { address, came }
    }

    async fn open<F>(answer: impl Fn(TcpStream, usize) -> F + Send + 'static) -> Self
    where
        F: Future<Output = io::Result<()>> + Send,
    {
        Self::at(PUBLIC, 0, answer).await
    }

    /// Always the same bytes.
    async fn says(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::open(move |mut stream, _| {
            let bytes = bytes.clone();
            async move { stream.write_all(&bytes).await }
        })
        .await
    }

    fn url(&self) -> Url {
        Url::parse(&format!("http://{}/feed", self.address)).unwrap()
    }

    fn came(&self) -> usize {
        self.came.load(Ordering::SeqCst)
    }
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

fn redirect(to: &str) -> String {
    format!(
        "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
}

/// The error of a fetch, and how long it took.
async fn failed(client: &HttpClient, url: Url) -> (HttpError, Duration) {
    let began = Instant::now();
    let error = client.fetch(Fetch::get(url)).await.expect_err("an error");
    (error, began.elapsed())
}

#[tokio::test]
async fn no_spelling_of_an_inner_address_and_no_redirect_leads_inside() {
    let inside = Server::at(Ipv4Addr::LOCALHOST, 0, |mut stream, _| async move {
        stream.write_all(ok("secret").as_bytes()).await
    })
    .await;
    let port = inside.address.port();
    let spelled = [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "0.0.0.0",
        "169.254.169.254",
        "10.0.0.1",
        "192.168.1.1",
        "[fd00::1]",
        "[fe80::1]",
    ];
    for host in spelled {
        let url = Url::parse(&format!("http://{host}:{port}/")).unwrap();
        let (error, _) = failed(&client(), url.clone()).await;
        assert!(matches!(error, HttpError::Refused(_)), "{host}: {error}");
        assert!(error.to_string().contains("ingest.http.allow"), "{error}");

        let public = Server::says(redirect(url.as_str())).await;
        let (error, _) = failed(&client(), public.url()).await;
        assert!(matches!(error, HttpError::Refused(_)), "{host} behind a redirect: {error}");
        assert_eq!(public.came(), 1);
        assert!(client().connect(&url).await.is_err(), "{host} as a websocket");
    }
    for elsewhere in ["file:///etc/passwd", "gopher://127.0.0.1/", "data:text/xml,x"] {
        let public = Server::says(redirect(elsewhere)).await;
        let (error, _) = failed(&client(), public.url()).await;
        assert!(matches!(error, HttpError::Refused(_)), "{elsewhere}: {error}");
    }
    assert_eq!(inside.came(), 0);
}

/// A name server that answers with these addresses in turn, the last one for ever.
fn names(answers: &[&[IpAddr]]) -> (Lookup, Arc<Mutex<usize>>) {
    let answers: Vec<Vec<IpAddr>> = answers.iter().map(|one| one.to_vec()).collect();
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    let lookup = Lookup::new(move |_| {
        let mut asked = count.lock().unwrap();
        let answer = answers[(*asked).min(answers.len() - 1)].clone();
        *asked += 1;
        async move { Ok(answer) }
    });
    (lookup, asked)
}

#[tokio::test]
async fn a_name_that_changes_its_mind_leads_to_the_address_that_was_judged_and_nowhere_else() {
    let public = Server::open(|mut stream, number| async move {
        let to = if number == 1 { redirect("/again") } else { ok("public") };
        stream.write_all(to.as_bytes()).await
    })
    .await;
    let port = public.address.port();
    let inside = Server::at(Ipv4Addr::LOCALHOST, port, |mut stream, _| async move {
        stream.write_all(ok("secret").as_bytes()).await
    })
    .await;
    let (inner, outer) = (IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(PUBLIC));
    let url = Url::parse(&format!("http://rebind.example:{port}/")).unwrap();

    let (lookup, asked) = names(&[&[inner, outer], &[outer], &[inner]]);
    let client = HttpClient::with_lookup(&patience(), lookup).unwrap();
    let answer = client.fetch(Fetch::get(url.clone())).await.unwrap();
    assert_eq!(&answer.body[..], b"public", "of two addresses only the public one is tried");
    assert_eq!(*asked.lock().unwrap(), 1, "what was judged is what is connected to");

    // The name is judged anew behind the redirect, and has become an inner one.
    let (error, _) = failed(&client, url.clone()).await;
    assert!(matches!(error, HttpError::Refused(_)), "{error}");
    let (error, _) = failed(&client, url.clone()).await;
    assert!(matches!(error, HttpError::Refused(_)), "{error}");
    assert!(client.connect(&url).await.is_err());
    assert_eq!((public.came(), inside.came()), (2, 0));
}

fn gzip(bytes: usize) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![0; 1024 * 1024];
    for _ in 0..bytes / zeros.len() {
        packer.write_all(&zeros).unwrap();
    }
    packer.finish().unwrap()
}

#[tokio::test]
async fn a_gzip_bomb_is_dropped_at_the_limit() {
    let bomb = gzip(256 * 1024 * 1024);
    assert!(bomb.len() < 512 * 1024);
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        bomb.len()
    )
    .into_bytes();
    answer.extend(bomb);
    let server = Server::says(answer).await;
    let (error, took) = failed(&client(), server.url()).await;
    assert!(matches!(error, HttpError::TooLarge { limit: LIMIT, .. }), "{error}");
    assert!(took < Duration::from_secs(1), "{took:?}: the rest was unpacked");
}

#[tokio::test]
async fn an_endless_body_is_dropped_at_the_limit() {
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    let server = Server::open(move |mut stream, _| {
        let count = Arc::clone(&count);
        async move {
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
            let chunk = [b"10000\r\n".as_slice(), &vec![b'x'; 0x10000], b"\r\n"].concat();
            loop {
                stream.write_all(&chunk).await?;
                count.fetch_add(chunk.len(), Ordering::SeqCst);
            }
        }
    })
    .await;
    let (error, _) = failed(&client(), server.url()).await;
    assert!(matches!(error, HttpError::TooLarge { .. }), "{error}");
    let before = sent.load(Ordering::SeqCst);
    assert!(before < LIMIT + IN_FLIGHT, "{before} bytes were taken");
}

/// Writes byte after byte, each after a pause, for as long as the client listens.
async fn drip(mut stream: TcpStream, before: &[u8], pause: Duration) -> io::Result<()> {
    stream.write_all(before).await?;
    loop {
        stream.write_all(b"x").await?;
        sleep(pause).await;
    }
}

#[tokio::test]
async fn a_server_that_answers_byte_by_byte_is_left_in_time() {
    const PAUSE: Duration = Duration::from_millis(20);
    const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
    let in_the_head =
        Server::open(|stream, _| drip(stream, b"HTTP/1.1 200 OK\r\nX: ", PAUSE)).await;
    let in_the_body = Server::open(|stream, _| drip(stream, HEAD, PAUSE)).await;
    let silent = Server::open(|stream, _| drip(stream, HEAD, Duration::from_mins(1))).await;
    let mute = Server::open(|stream, _| async move {
        sleep(Duration::from_mins(1)).await;
        drop(stream);
        Ok(())
    })
    .await;
    for (server, told, least, most) in [
        (&in_the_head, "the head of the answer took longer than 400ms", 400, 1200),
        (&in_the_body, "the exchange took longer than 1.2s", 1200, 2400),
        (&silent, "silent for longer than ingest.http.idle_timeout", 600, 1200),
        (&mute, "the head of the answer took longer than 400ms", 400, 1200),
    ] {
        let (error, took) = failed(&client(), server.url()).await;
        assert!(error.to_string().contains(told), "{error}, not {told}");
        let (least, most) = (Duration::from_millis(least), Duration::from_millis(most));
        assert!((least..most).contains(&took), "{told}: {took:?}");
        assert!(SourceFault::from(error).passes(), "{told}");
    }
}

#[tokio::test]
async fn what_is_no_http_and_what_breaks_off_is_told_and_may_be_asked_again() {
    let endless_head =
        [b"HTTP/1.1 200 OK\r\n".to_vec(), b"X-Filler: y\r\n".repeat(200_000)].concat();
    let answers: [(&str, Vec<u8>); 7] = [
        ("nothing", Vec::new()),
        ("noise", vec![0x16, 0x03, 0x01, 0xFF, 0x00, 0x0A, 0x0D]),
        ("another protocol", b"220 mail.example ESMTP\r\n".to_vec()),
        ("an endless head", endless_head),
        ("half a body", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec()),
        (
            "two lengths",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy".to_vec(),
        ),
        (
            "broken gzip",
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope".to_vec(),
        ),
    ];
    for (what, answer) in answers {
        let server = Server::says(answer).await;
        let (error, took) = failed(&client(), server.url()).await;
        assert!(matches!(error, HttpError::Unreachable { .. }), "{what}: {error}");
        assert!(error.to_string().len() < 600, "{what}: {error}");
        assert!(took < Duration::from_secs(2), "{what}: {took:?}");
        assert!(SourceFault::from(error).passes(), "{what}");
    }
}

#[tokio::test]
async fn a_server_that_sends_in_circles_is_followed_five_times() {
    let server = Server::says(redirect("/feed")).await;
    let (error, _) = failed(&client(), server.url()).await;
    assert!(matches!(error, HttpError::Redirects { limit: 5, .. }), "{error}");
    assert_eq!(server.came(), 6);
}

fn feeds(urls: &[Url]) -> AnySource {
    let options = json!({ "urls": urls.iter().map(Url::as_str).collect::<Vec<_>>() });
    let options = kind("feed").unwrap().read(options).unwrap();
    let interval = Some(Duration::from_millis(1));
    let context = SourceContext {
        name: source("news"),
        common: CommonSettings { interval, ..CommonSettings::default() },
        http: client(),
        clock: clock(),
    };
    options.build(context).unwrap().source.unwrap()
}

#[tokio::test]
async fn a_source_goes_on_after_each_of_them() {
    let document = "<rss><channel><item><guid>1</guid><title>gut</title></item></channel></rss>";
    let server = Server::open(move |mut stream, number| async move {
        match number {
            0 => stream.write_all(b"noise").await,
            1 => drip(stream, b"HTTP/1.1 200 OK\r\nX: ", Duration::from_millis(20)).await,
            2 => drip(stream, b"HTTP/1.1 200 OK\r\n\r\n", Duration::from_millis(20)).await,
            3 => stream.write_all(ok(&"x".repeat(LIMIT + 1)).as_bytes()).await,
            _ => stream.write_all(ok(document).as_bytes()).await,
        }
    })
    .await;
    let mut feed = feeds(&[server.url()]);
    feed.resume(None).await.unwrap();
    for number in 0..4 {
        let fault = feed.next_page().await.unwrap_err();
        assert!(fault.passes(), "{number}: {fault}");
    }
    let page = feed.next_page().await.unwrap().unwrap();
    assert_eq!(page.observations[0].submission.text.as_deref(), Some("gut"));
}

#[tokio::test]
async fn one_of_many_feeds_that_leads_inside_stops_no_other() {
    let leading = Server::says(redirect("http://169.254.169.254/latest/meta-data")).await;
    let document = "<rss><channel><item><guid>1</guid><title>gut</title></item></channel></rss>";
    let well = Server::says(ok(document)).await;
    let mut both = feeds(&[leading.url(), well.url()]);
    both.resume(None).await.unwrap();
    let fault = both.next_page().await.unwrap_err();
    assert!(fault.passes() && fault.to_string().contains("metadata"), "{fault}");
    let page = both.next_page().await.unwrap().unwrap();
    assert_eq!(page.observations.len(), 1);

    let mut alone = feeds(&[leading.url()]);
    alone.resume(None).await.unwrap();
    assert!(!alone.next_page().await.unwrap_err().passes(), "an operator has to mend that");
}
