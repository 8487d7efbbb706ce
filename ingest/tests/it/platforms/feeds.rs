//! Feeds against a local server: what is made of each document beside what a person who reads it
//! writes down, and what becomes of edits, redirects and refusals.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use echolot_ingest::source::{Notice, Page, Source as _, SourceFault};
use echolot_schemas::{
    Timestamp, coverage::GapReason, cursor::CursorRecord, submission::Submission,
};
use serde::Deserialize;
use serde_json::json;

use super::{Asked, Played, Turned, serve, source};

/// Stands in where a document gives no time.
const READ_AT: &str = "2026-06-01T12:00:00Z";
/// Share of each field that must be right.
const LEAST: f64 = 0.97;

/// What a person reads in one document: `NAME.toml` beside `NAME.xml` or `NAME.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// The charset of its bytes, whatever the document says.
    #[serde(default)]
    written_in: Option<String>,
    /// What the server says that it is.
    #[serde(default)]
    content_type: Option<String>,
    #[serde(default)]
    entry: Vec<Entry>,
}

/// One entry, in the order of the document. `{server}` stands for where it came from.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// None where any will do that is always the same.
    id: Option<String>,
    link: Option<String>,
    title: Option<String>,
    text: String,
    /// None where the document gives none.
    time: Option<Timestamp>,
    author: Option<String>,
}

/// How often a field was right, and of how many.
#[derive(Default)]
struct Table {
    right: BTreeMap<&'static str, (u32, u32)>,
    misses: Vec<String>,
}

impl Table {
    fn note<T: PartialEq + std::fmt::Debug>(
        &mut self,
        document: &str,
        field: &'static str,
        read: &T,
        expected: &T,
    ) {
        let (right, all) = self.right.entry(field).or_default();
        *all += 1;
        if read == expected {
            *right += 1;
        } else {
            self.misses.push(format!("{document}: {field} is {read:?}, should be {expected:?}"));
        }
    }

    fn compare(&mut self, document: &str, server: &str, entry: &Entry, said: &Submission) {
        let local = |text: &String| text.replace("{server}", server);
        let read_at = READ_AT.parse().unwrap();
        if let Some(id) = &entry.id {
            self.note(document, "id", &said.id, id);
        }
        self.note(document, "link", &said.url, &entry.link.as_ref().map(local));
        let words = (said.title.as_deref(), said.text.as_deref());
        self.note(document, "words", &words, &(entry.title.as_deref(), Some(entry.text.as_str())));
        self.note(document, "time", &said.published_at, &Some(entry.time.unwrap_or(read_at)));
        self.note(document, "author", &said.author, &entry.author);
    }
}

fn documents() -> Vec<(PathBuf, Expected)> {
    let folder = Path::new("tests/feeds");
    let mut documents = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|kind| kind != "toml") {
            let expected = fs::read_to_string(path.with_extension("toml")).unwrap();
            documents.push((path, toml::from_str(&expected).unwrap()));
        }
    }
    documents.sort_by(|(a, _), (b, _)| a.cmp(b));
    documents
}

/// The document in the bytes that the publisher sends.
fn bytes(path: &Path, expected: &Expected) -> Vec<u8> {
    let text = fs::read_to_string(path).unwrap();
    match expected.written_in.as_deref() {
        None => text.into_bytes(),
        Some("utf-16le") => {
            format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
        }
        Some(label) => {
            let charset = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
            let (bytes, _, lossy) = charset.encode(&text);
            assert!(!lossy, "{}: not writable in {label}", path.display());
            bytes.into_owned()
        }
    }
}

/// The first page of one document.
async fn read(document: Vec<u8>, content_type: Option<&str>) -> (Page, String) {
    let content_type = content_type.unwrap_or("application/xml").to_owned();
    let server =
        serve(move |_| Played::ok(document.clone()).with("content-type", &content_type)).await;
    let time = Turned::at(READ_AT);
    let url = format!("{server}/feeds/one");
    let mut feed = source("feed", json!({ "urls": [url] }), &time);
    feed.resume(None).await.unwrap();
    (feed.next_page().await.unwrap().unwrap(), server)
}

#[tokio::test]
async fn what_is_made_of_each_document_is_what_a_person_reads_in_it() {
    let (mut table, mut entries) = (Table::default(), 0);
    let documents = documents();
    for (path, expected) in &documents {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let (page, server) = read(bytes(path, expected), expected.content_type.as_deref()).await;
        table.note(&name, "entries", &page.observations.len(), &expected.entry.len());
        for rejected in &page.rejected {
            table.misses.push(format!("{name}: {}", rejected.rejection.detail));
        }
        for (index, entry) in expected.entry.iter().enumerate() {
            entries += 1;
            let nothing = Submission::default();
            let said = page.observations.get(index).map_or(&nothing, |one| &one.submission);
            table.compare(&format!("{name} entry {}", index + 1), &server, entry, said);
        }
    }
    println!("{} documents, {entries} entries", documents.len());
    for (field, (right, all)) in &table.right {
        println!("{field:>8}  {right:>3} of {all:>3}  {:.1} %", share(*right, *all) * 100.0);
    }
    for miss in &table.misses {
        println!("{miss}");
    }
    assert!(documents.len() >= 25 && entries >= 80, "{} documents, {entries}", documents.len());
    for (field, (right, all)) in &table.right {
        let least = share(*right, *all) >= LEAST;
        assert!(least, "{field}: {right} of {all}\n{}", table.misses.join("\n"));
    }
}

fn share(right: u32, all: u32) -> f64 {
    f64::from(right) / f64::from(all)
}

#[tokio::test]
async fn an_entry_without_an_id_has_the_same_one_every_time() {
    let document = fs::read("tests/feeds/rss-0.92.xml").unwrap();
    let (first, _) = read(document.clone(), None).await;
    let (second, _) = read(document, None).await;
    let id = |page: &Page| page.observations[0].submission.id.clone();
    assert!(id(&first).starts_with("sha256:"), "{}", id(&first));
    assert_eq!(id(&first), id(&second));
}

#[tokio::test]
async fn what_stands_before_a_break_is_kept_and_the_break_is_told() {
    let whole = fs::read_to_string("tests/feeds/rss-2.0.xml").unwrap();
    let cut = whole.find("Ohne Verweis").unwrap();
    let (page, server) = read(whole[..cut].into(), None).await;
    let ids: Vec<_> = page.observations.iter().map(|one| one.submission.id.as_str()).collect();
    assert_eq!(ids, ["https://presse.example/a1", "tag:presse.example,2025:a2"]);
    assert_eq!(page.rejected.len(), 1);
    assert_eq!(page.rejected[0].place.to_string(), format!("{server}/feeds/one"));
    let detail = &page.rejected[0].rejection.detail;
    assert!(detail.contains("ends inside of <title>"), "{detail}");
}

#[tokio::test]
async fn what_is_no_feed_is_a_rejection_that_says_what_it_is() {
    let deep = format!("<rss><channel>{}", "<item>".repeat(100_000));
    for (document, why) in [
        ("<html><body>Sign in</body></html>", "its root is <html>"),
        ("", "no element"),
        ("{\"version\": 1}", "is no feed"),
        ("{\"version\": \"https://jsonfeed.org/version/1.1\", \"items\": [", "is no feed"),
        ("\u{1}\u{2}", "no element"),
        (deep.as_str(), "nested more than 256 deep"),
    ] {
        let (page, _) = read(document.to_owned().into_bytes(), None).await;
        let [rejected] = page.rejected.as_slice() else { panic!("{document}: {page:?}") };
        assert!(rejected.rejection.detail.contains(why), "{}", rejected.rejection.detail);
    }
}

#[tokio::test]
async fn entities_that_a_document_declares_are_never_expanded() {
    let declared: Vec<String> = (1..30)
        .map(|n| format!("<!ENTITY e{n} \"{}\">", format!("&e{};", n - 1).repeat(10)))
        .collect();
    let declared = declared.concat();
    let document = format!(
        "<!DOCTYPE rss [<!ENTITY e0 \"ha\">{declared}<!ENTITY file SYSTEM \"file:///etc/passwd\">]>\
         <rss><channel><item><guid>1</guid><title>&e29; &file;</title></item></channel></rss>"
    );
    let (page, _) = read(document.into_bytes(), None).await;
    assert_eq!(page.observations[0].submission.text.as_deref(), Some("&e29; &file;"));
}

#[tokio::test]
async fn half_a_document_forgets_nothing_and_is_asked_for_whole_again() {
    let publisher = Publisher::open().await;
    let mut feed = source("feed", json!({ "urls": [publisher.url] }), &Turned::at(READ_AT));
    feed.resume(None).await.unwrap();
    let whole = rss(&(item(2, "zwei", 2) + &item(1, "eins", 1)));
    let cut = whole.find("eins").unwrap();
    for (document, told) in
        [(&whole[..], vec!["zwei", "eins"]), (&whole[..cut], vec![]), (&whole[..], vec![])]
    {
        publisher.answers(Played::ok(document.to_owned()).with("etag", "\"a\""));
        assert_eq!(titles(&feed.next_page().await.unwrap().unwrap()), told);
    }
    assert_eq!(publisher.last("if-none-match"), None, "behind the half one");
}

fn item(id: u32, title: &str, minute: u32) -> String {
    format!(
        "<item><guid isPermaLink='false'>{id}</guid><title>{title}</title>\
         <pubDate>Mon, 01 Jun 2026 10:{minute:02}:00 GMT</pubDate></item>"
    )
}

fn rss(items: &str) -> String {
    format!("<rss version='2.0'><channel><title>t</title>{items}</channel></rss>")
}

/// A feed whose answers a test writes, and what it was asked.
struct Publisher {
    url: String,
    answers: Arc<Mutex<Vec<Played>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Publisher {
    async fn open() -> Self {
        let (answers, asked) = (Arc::new(Mutex::new(Vec::<Played>::new())), Arc::default());
        let (next, noted) = (Arc::clone(&answers), Arc::clone(&asked));
        let url = serve(move |request| {
            let noted: &Arc<Mutex<Vec<Asked>>> = &noted;
            noted.lock().unwrap().push(request);
            next.lock().unwrap().pop().unwrap_or_else(|| Played::status(500))
        })
        .await;
        Self { url: format!("{url}/feed"), answers, asked }
    }

    fn answers(&self, played: Played) {
        self.answers.lock().unwrap().push(played);
    }

    fn last(&self, header: &str) -> Option<String> {
        let asked = self.asked.lock().unwrap();
        asked.last().unwrap().headers.get(header).map(|value| value.to_str().unwrap().to_owned())
    }
}

fn titles(page: &Page) -> Vec<&str> {
    page.observations.iter().filter_map(|one| one.submission.text.as_deref()).collect()
}

#[tokio::test]
async fn only_what_is_new_or_edited_is_told_again_and_nothing_is_sent_twice() {
    let publisher = Publisher::open().await;
    let time = Turned::at(READ_AT);
    let options = json!({ "urls": [publisher.url] });
    let mut feed = source("feed", options.clone(), &time);
    feed.resume(None).await.unwrap();
    let first = rss(&(item(2, "zwei", 2) + &item(1, "eins", 1)));
    publisher.answers(
        Played::ok(first)
            .with("etag", "\"a\"")
            .with("last-modified", "Mon, 01 Jun 2026 10:02:00 GMT"),
    );
    assert_eq!(titles(&feed.next_page().await.unwrap().unwrap()), ["zwei", "eins"]);
    assert_eq!(publisher.last("if-none-match"), None);

    publisher.answers(Played::status(304));
    assert_eq!(feed.next_page().await.unwrap().unwrap(), Page::default());
    assert_eq!(publisher.last("if-none-match").as_deref(), Some("\"a\""));
    let modified = publisher.last("if-modified-since");
    assert_eq!(modified.as_deref(), Some("Mon, 01 Jun 2026 10:02:00 GMT"));

    let third = rss(&(item(3, "drei", 3) + &item(2, "zwei, berichtigt", 2) + &item(1, "eins", 1)));
    publisher.answers(Played::ok(third.clone()));
    let page = feed.next_page().await.unwrap().unwrap();
    assert_eq!(titles(&page), ["drei", "zwei, berichtigt"]);
    assert_eq!(page.observations[0].submission.edited_at, None);
    assert_eq!(page.observations[1].submission.edited_at, Some(READ_AT.parse().unwrap()));

    // Another process goes on where this one was.
    let saved_at = Timestamp::from_millis(0);
    let cursor = page.cursor.map(|position| CursorRecord { position, saved_at });
    let mut feed = source("feed", options, &time);
    feed.resume(cursor).await.unwrap();
    publisher.answers(Played::ok(third));
    assert_eq!(titles(&feed.next_page().await.unwrap().unwrap()), [""; 0]);
}

#[tokio::test]
async fn a_document_that_shares_nothing_with_the_one_before_is_a_gap() {
    let publisher = Publisher::open().await;
    let mut feed = source("feed", json!({ "urls": [publisher.url] }), &Turned::at(READ_AT));
    feed.resume(None).await.unwrap();
    let document =
        |ids: std::ops::Range<u32>| rss(&ids.map(|id| item(id, "neu", id)).collect::<String>());
    publisher.answers(Played::ok(document(0..4)));
    assert_eq!(feed.next_page().await.unwrap().unwrap().notices, []);
    publisher.answers(Played::ok(document(2..6)));
    assert_eq!(feed.next_page().await.unwrap().unwrap().notices, []);
    publisher.answers(Played::ok(document(20..24)));
    let notices = feed.next_page().await.unwrap().unwrap().notices;
    let [Notice::Gap { from, to, why: GapReason::Window }] = notices[..] else {
        panic!("{notices:?}")
    };
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    assert_eq!((from, to), (at("2026-06-01T10:05:00Z"), at("2026-06-01T10:20:00Z")));
}

#[tokio::test]
async fn a_feed_that_moved_for_good_is_asked_at_its_new_place_and_one_that_is_gone_never_again() {
    let publisher = Publisher::open().await;
    let mut feed = source("feed", json!({ "urls": [publisher.url] }), &Turned::at(READ_AT));
    feed.resume(None).await.unwrap();
    publisher.answers(Played::ok(rss(&item(1, "eins", 1))));
    publisher.answers(Played::status(301).with("location", "/umgezogen"));
    feed.next_page().await.unwrap().unwrap();
    publisher.answers(Played::status(410));
    let page = feed.next_page().await.unwrap().unwrap();
    let asked: Vec<_> =
        publisher.asked.lock().unwrap().iter().map(|asked| asked.path.clone()).collect();
    assert_eq!(asked, ["/feed", "/umgezogen", "/umgezogen"]);
    assert!(page.cursor.is_some(), "a restart knows it as well");
    let closed = feed.next_page().await.unwrap_err();
    assert!(matches!(closed, SourceFault::Closed(_)), "{closed}");
    assert_eq!(publisher.asked.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn one_of_many_feeds_that_refuses_stops_no_other_and_a_busy_one_is_left_alone() {
    let publisher = Publisher::open().await;
    let time = Turned::at(READ_AT);
    let mut feed = source("feed", json!({ "urls": [publisher.url] }), &time);
    feed.resume(None).await.unwrap();
    publisher.answers(Played::status(429).with("retry-after", "90"));
    let busy = feed.next_page().await.unwrap_err();
    let SourceFault::RateLimited { retry_after, .. } = busy else { panic!("{busy}") };
    assert_eq!(retry_after, Some(Duration::from_secs(90)));

    let (refusing, well) = (Publisher::open().await, Publisher::open().await);
    let mut feeds = source("feed", json!({ "urls": [refusing.url, well.url] }), &time);
    feeds.resume(None).await.unwrap();
    refusing.answers(Played::status(401));
    well.answers(Played::ok(rss(&item(1, "eins", 1))));
    let refused = feeds.next_page().await.unwrap_err();
    assert!(refused.passes() && refused.to_string().contains("login"), "{refused}");
    assert_eq!(titles(&feeds.next_page().await.unwrap().unwrap()), ["eins"]);
}
