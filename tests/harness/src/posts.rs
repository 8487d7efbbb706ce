//! Invented posts about invented brands, the same for the same number.

use echolot_schemas::{Timestamp, mention::Engagement, submission::Submission};

/// Brands that [`post`] writes about, as a file for `enrich.brands`.
pub const BRANDS: &str = r#"
[[brand]]
name = "nordwerk"
query = "nordwerk"

[[brand]]
name = "tramio"
query = "tramio"
"#;

/// 2026-06-01T00:00:00Z, in milliseconds.
pub const JUNE: i64 = 1_780_272_000_000;

const TEXTS: [&str; 8] = [
    "Die Tramio-App stürzt seit heute früh ständig ab, wirklich ärgerlich.",
    "Großes Lob an Nordwerk: Anruf, freundliche Hilfe, Problem gelöst. Danke!",
    "Nordwerk hat die Abschläge angepasst, das Schreiben kam gestern.",
    "The new Tramio timetable is great, I finally catch my connection.",
    "Waited forty minutes for a Tramio tram in the rain. Terrible service.",
    "L'équipe de Nordwerk a été très aimable, merci beaucoup.",
    "Am Wochenende wird gegrillt, wer bringt den Salat mit?",
    "Tramio oder Nordwerk, wer hat den schlechteren Kundendienst?",
];

/// The `number`th post, its id under `prefix`. Some 5,000 posts lie in an hour of June 2026.
pub fn post(prefix: &str, number: u64) -> Submission {
    let text = TEXTS[usize::try_from(number % 8).unwrap_or_default()];
    Submission {
        author: Some(format!("writer_{}", number % 97)),
        engagement: Some(Engagement { likes: Some(number % 13), ..Engagement::default() }),
        ..said(&format!("{prefix}-{number}"), &format!("{text} ({number})"), at(number))
    }
}

/// Another state of that post: other words about another brand, more likes.
pub fn edit(prefix: &str, number: u64) -> Submission {
    let post = post(prefix, number + 1);
    Submission {
        id: format!("{prefix}-{number}"),
        published_at: Some(at(number)),
        edited_at: Some(Timestamp::from_millis(at(number).as_millis() + 60_000)),
        ..post
    }
}

/// The news that a post is gone.
pub fn deletion(id: &str) -> Submission {
    Submission { id: id.to_owned(), deleted: true, ..Submission::default() }
}

/// A post of these words.
pub fn said(id: &str, text: &str, at: Timestamp) -> Submission {
    Submission {
        id: id.to_owned(),
        text: Some(text.to_owned()),
        published_at: Some(at),
        ..Submission::default()
    }
}

fn at(number: u64) -> Timestamp {
    Timestamp::from_millis(JUNE + i64::try_from(number % 1_000_000).unwrap_or_default() * 720)
}

/// One JSON object a line.
pub fn lines(posts: &[Submission]) -> serde_json::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for post in posts {
        serde_json::to_writer(&mut lines, post)?;
        lines.push(b'\n');
    }
    Ok(lines)
}
