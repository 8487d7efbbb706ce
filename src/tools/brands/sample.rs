//! Which mentions a preview shows, and how.

use std::collections::BTreeMap;

use echolot_brands::{
    Query,
    explain::{marked, plain},
    matcher::TextSpan,
    text::tokens::Place,
};
use echolot_schemas::Timestamp;
use serde::Serialize;

use super::preview::Stored;

/// Mentions shown.
const SAMPLES: usize = 10;
/// Characters shown of a text.
const SHOWN: usize = 300;
/// Characters shown before the first place that counts.
const BEFORE: usize = 80;

/// The ten with the smallest ids: ids are hashes, so this is chance, and the same on every run.
#[derive(Default)]
pub(super) struct Sample(BTreeMap<String, Stored>);

/// One mention and where it matches.
#[derive(Serialize)]
pub(super) struct Shown {
    id: String,
    published_at: Timestamp,
    source: String,
    language: String,
    url: String,
    title: String,
    text: String,
    /// Bytes of title and text.
    spans: Vec<TextSpan>,
}

impl Sample {
    pub(super) fn offer(&mut self, mention: &Stored) {
        let full = self.0.len() >= SAMPLES;
        let last = self.0.last_key_value().map(|(id, _)| id);
        if full && last.is_some_and(|last| *last <= mention.id) {
            return;
        }
        self.0.insert(mention.id.clone(), mention.clone());
        if full {
            self.0.pop_last();
        }
    }

    /// Newest first, with the places that count.
    pub(super) fn explained(self, query: &Query) -> anyhow::Result<Vec<Shown>> {
        let mut shown = Vec::with_capacity(self.0.len());
        for mention in self.0.into_values() {
            let spans = query.explain(&mention.post())?.spans();
            shown.push(Shown {
                id: mention.id,
                published_at: Timestamp::from_millis(mention.published),
                source: mention.source,
                language: mention.language,
                url: mention.url,
                title: mention.title,
                text: mention.text,
                spans,
            });
        }
        shown.sort_by_key(|mention| std::cmp::Reverse(mention.published_at));
        Ok(shown)
    }
}

impl Shown {
    pub(super) fn render(&self) -> String {
        let Self { published_at, source, language, url, .. } = self;
        let mut out = format!("{published_at} {source} {language} {}", plain(url));
        for (place, text) in [(Place::Title, &self.title), (Place::Text, &self.text)] {
            if !text.is_empty() {
                let spans = self.spans.iter().filter(|span| span.place == place);
                out.push_str("\n  ");
                out.push_str(&excerpt(&plain(&marked(text, spans))));
            }
        }
        out
    }
}

/// The part around the first mark.
fn excerpt(text: &str) -> String {
    let before = text.find("[[").map_or(0, |at| text.get(..at).unwrap_or_default().chars().count());
    let from = before.saturating_sub(BEFORE);
    let shown: String = text.chars().skip(from).take(SHOWN).collect();
    let more = text.chars().count() > from + SHOWN;
    format!("{}{shown}{}", if from > 0 { "…" } else { "" }, if more { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(id: usize) -> Stored {
        Stored { id: format!("{id:03}"), text: "Die Bahn".to_owned(), ..Stored::default() }
    }

    #[test]
    fn the_smallest_ids_are_kept_whatever_the_order() {
        let ids = |order: &mut dyn Iterator<Item = usize>| {
            let mut sample = Sample::default();
            order.for_each(|id| sample.offer(&stored(id)));
            sample.0.into_keys().collect::<Vec<_>>()
        };
        let ascending = ids(&mut (0..40));
        assert_eq!(ascending, ids(&mut (0..40).rev()));
        assert_eq!((ascending.len(), ascending[9].as_str()), (SAMPLES, "009"));
    }

    #[test]
    fn a_mention_is_shown_with_its_marks_and_cannot_steer_the_terminal() {
        let mut sample = Sample::default();
        let text = format!("{} \u{1b}[31mDie Bahn\nkommt", "lang ".repeat(100));
        sample.offer(&Stored { id: "1".to_owned(), text, ..Stored::default() });
        let shown = sample.explained(&"bahn".parse().unwrap()).unwrap();
        let told = shown[0].render();
        let (_, line) = told.split_once('\n').unwrap();
        assert!(line.contains("Die [[Bahn]] kommt") && line.contains('…'), "{line}");
        assert!(!line.contains(char::is_control), "{line:?}");
    }
}
