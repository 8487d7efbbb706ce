//! A mention cut into words, once, for every query.
//!
//! ```text
//! "Die #Bahn (E-Mail): Müller"
//!   buffer    " die # bahn e mail email mueller muller "
//!   position    0      1   2  3   2..3    4      4
//! ```
//!
//! Every spelling of a word (a *form*) lies in one buffer between blanks, so that one automaton
//! pass sees them all; a sigil stands before its word as a token of its own. Each form knows its
//! positions (words from the start) and the bytes of the original it came from.

use std::ops::Range;

use super::Sigil;
use super::reader::Reader;

/// Bytes read of a title and of a text; what lies behind is not searched.
pub const MAX_TEXT_BYTES: usize = 256 * 1024;
/// Bytes a folded word may have; longer runs (encoded data) are no words and match nothing.
pub const MAX_WORD_BYTES: usize = 256;
/// Positions between title and text, more than any `NEAR` reaches.
pub const FIELD_GAP: u32 = 1_000;

/// Which part of a mention a span lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The title.
    Title,
    /// The text.
    Text,
}

/// One spelling of a word, or of two words that a connector joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// First byte in the buffer.
    pub(crate) from: u32,
    /// Byte behind the last in the buffer, where a blank lies.
    pub(crate) to: u32,
    /// First position, in words.
    pub start: u32,
    /// Last position, in words.
    pub end: u32,
    /// First byte in the title or text.
    pub byte_from: u32,
    /// Byte behind the last in the title or text.
    pub byte_to: u32,
    /// The sigil in front, for hashtags, accounts and cashtags.
    pub sigil: Option<Sigil>,
}

/// A mention's title and text, folded and cut; reused from mention to mention.
#[derive(Debug, Default)]
pub struct Tokens {
    pub(super) buffer: Vec<u8>,
    pub(super) forms: Vec<Form>,
    pub(super) links: Vec<(Place, Range<u32>)>,
    /// Number of forms that belong to the title.
    title_forms: usize,
    pub(super) position: u32,
    pub(super) bare: Vec<u8>,
}

impl Tokens {
    /// Cuts a title and a text, replacing what was held before.
    pub fn read(&mut self, title: Option<&str>, text: &str) {
        self.buffer.clear();
        self.forms.clear();
        self.links.clear();
        self.position = 0;
        self.buffer.push(b' ');
        if let Some(title) = title {
            Reader::new(self, Place::Title, title).run();
            self.position += FIELD_GAP;
        }
        self.title_forms = self.forms.len();
        Reader::new(self, Place::Text, text).run();
    }

    /// The forms in order of the buffer.
    pub fn forms(&self) -> &[Form] {
        &self.forms
    }

    /// The folded spelling of a form.
    pub fn spelling(&self, form: &Form) -> &str {
        let bytes = self.buffer.get(form.from as usize..form.to as usize).unwrap_or_default();
        // The buffer holds characters only, and forms begin and end between them.
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// Links in title and text, as byte ranges.
    pub fn links(&self) -> &[(Place, Range<u32>)] {
        &self.links
    }

    /// Which part the form at `index` belongs to.
    pub fn place(&self, index: usize) -> Place {
        if index < self.title_forms { Place::Title } else { Place::Text }
    }

    /// What the automaton reads.
    pub(crate) fn buffer(&self) -> &[u8] {
        &self.buffer
    }

    /// Bytes held, for memory reports.
    pub fn memory_bytes(&self) -> usize {
        self.buffer.capacity()
            + self.bare.capacity()
            + self.forms.capacity() * size_of::<Form>()
            + self.links.capacity() * size_of::<(Place, Range<u32>)>()
    }
}
