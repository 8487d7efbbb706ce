//! Submissions a second on one core, from a body to the bytes of Kafka records: sniff, parse,
//! observe, write JSON. `cargo bench -p echolot-ingest`

#![expect(clippy::print_stdout, reason = "its figures are what a benchmark is for")]

use std::time::{Duration, Instant};

use echolot_ingest::{
    keep::KeepRule,
    observe::Observer,
    privacy::AuthorKey,
    push::{self, Format, Judge, signature::SigningKey},
    settings::{IngestSettings, PrivacySettings},
};
use echolot_schemas::{Event as _, SourceName, Timestamp};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

/// Lines in a body.
const LINES: usize = 1000;
/// How long each measurement runs.
const SPAN: Duration = Duration::from_secs(3);
/// 2026-06-02T00:00:00Z.
const NOW: Timestamp = Timestamp::from_millis(1_780_358_400_000);

#[derive(Deserialize)]
struct Settings {
    ingest: IngestSettings,
    privacy: PrivacySettings,
}

fn main() -> anyhow::Result<()> {
    let mut settings: Settings = toml::from_str(include_str!("../default.toml"))?;
    settings.privacy.author_key = SecretString::from("0123456789abcdef").into();
    let key = AuthorKey::read(&settings.privacy.author_key)?;
    let observer = Observer::new(key, &settings.privacy, &settings.ingest);
    let source = SourceName::new("forum")?;
    let judge = Judge {
        observer: &observer,
        source: &source,
        keep: KeepRule::All,
        observed_at: NOW,
        items_limit: LINES,
    };
    let lines = body(Format::Lines);
    println!("body of {LINES} lines, {} bytes a line", lines.len() / LINES);
    for (name, format) in [("NDJSON", Format::Lines), ("array", Format::Array)] {
        let body = body(format);
        measured(&format!("{name}: sniff, parse, observe"), || {
            let outcome = judge.judge(push::format(None, &body), &body)?;
            Ok(outcome.events.len())
        })?;
    }
    measured("NDJSON: sniff, parse, observe, write", || {
        let outcome = judge.judge(push::format(None, &lines), &lines)?;
        for event in &outcome.events {
            std::hint::black_box(event.to_json()?);
        }
        Ok(outcome.events.len())
    })?;
    let key = SigningKey::new(&SecretString::from("secret"));
    measured("check a signature over the body", || {
        std::hint::black_box(key.sign(NOW, &lines));
        Ok(LINES)
    })
}

fn measured(name: &str, mut work: impl FnMut() -> anyhow::Result<usize>) -> anyhow::Result<()> {
    let (started, mut done) = (Instant::now(), 0);
    while started.elapsed() < SPAN {
        let items = work()?;
        anyhow::ensure!(items == LINES, "{items} of {LINES} items came through");
        done += items;
    }
    let rate = done as f64 / started.elapsed().as_secs_f64();
    println!("{name:<40} {rate:>10.0}/s {:>6.2} µs each", 1e6 / rate);
    Ok(())
}

/// Mentions as a forum's sender would write them.
fn body(format: Format) -> Vec<u8> {
    let texts = [
        "Seit dem letzten Update läuft die App endlich flüssig, danke dafür! #update",
        "Der Support hat nach drei Tagen noch immer nicht geantwortet. Schade, so geht das nicht.",
        "Does anybody know whether the new plan includes the export? The page does not say.",
        "Lieferung kam pünktlich an, Verpackung war leider \"eingedrückt\".\nSonst alles gut.",
    ];
    let mention = |n: usize| {
        json!({
            "id": format!("post-{n}"),
            "text": texts[n % texts.len()],
            "published_at": "2026-06-01T12:34:56.789Z",
            "language": "de",
            "author": format!("member-{}", n % 200),
            "url": format!("https://forum.example/t/{}/{n}", n / 10),
            "thread": format!("post-{}", n / 10 * 10),
            "engagement": { "likes": n % 7, "replies": n % 3 },
            "tags": ["app", "feedback"],
        })
        .to_string()
    };
    let mentions: Vec<_> = (0..LINES).map(mention).collect();
    match format {
        Format::Array => format!("[{}]", mentions.join(",")),
        Format::Lines | Format::Single => mentions.join("\n"),
    }
    .into_bytes()
}
