//! `raw:` texts, searched in the original: case and signs as written.

use aho_corasick::{AhoCorasick, MatchKind};

use super::CompileError;
use super::hits::Hits;
use super::plan::number;
use crate::post::Post;
use crate::text::tokens::{MAX_TEXT_BYTES, Place};

#[derive(Debug)]
pub(super) struct RawSearch {
    search: Option<AhoCorasick>,
}

impl RawSearch {
    pub(super) fn new(texts: &[String]) -> Result<Self, CompileError> {
        if texts.is_empty() {
            return Ok(Self { search: None });
        }
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(texts)
            .map_err(|error| CompileError { patterns: texts.len(), reason: error.to_string() })?;
        Ok(Self { search: Some(search) })
    }

    pub(super) fn scan(&self, post: &Post<'_>, hits: &mut Hits) {
        let Some(search) = &self.search else { return };
        for (place, text) in
            [(Place::Title, post.title.unwrap_or_default()), (Place::Text, post.text)]
        {
            let text = &text[..text.floor_char_boundary(MAX_TEXT_BYTES)];
            for found in search.find_overlapping_iter(text) {
                if whole(text, found.start(), found.end()) {
                    hits.note_raw(
                        found.pattern().as_u32(),
                        place,
                        number(found.start())..number(found.end()),
                    );
                }
            }
        }
    }

    /// Number of texts.
    pub(super) fn len(&self) -> usize {
        self.search.as_ref().map_or(0, AhoCorasick::patterns_len)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.search.as_ref().map_or(0, AhoCorasick::memory_usage)
    }
}

/// Whether the bytes do not begin or end inside a word: `raw:BILD` is not in `BILDUNG`.
fn whole(text: &str, start: usize, end: usize) -> bool {
    let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (Some(before), Some(inside), Some(after)) =
        (text.get(..start), text.get(start..end), text.get(end..))
    else {
        return false;
    };
    let opens_inside = letter(before.chars().next_back()) && letter(inside.chars().next());
    let closes_inside = letter(inside.chars().next_back()) && letter(after.chars().next());
    !opens_inside && !closes_inside
}
