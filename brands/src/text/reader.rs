//! The pass over a text that fills [`Tokens`].

#![expect(
    clippy::cast_possible_truncation,
    reason = "offsets and positions fit u32: at most MAX_TEXT_BYTES are read of title and text each"
)]

use std::ops::Range;

use super::Sigil;
use super::fold::{self, Expansion, Fold, Table};
use super::tokens::{Form, MAX_TEXT_BYTES, MAX_WORD_BYTES, Place, Tokens};

/// Lower-cased ASCII letters and digits, 0 for everything else.
const ASCII: [u8; 128] = {
    let mut table = [0; 128];
    let mut byte = 0;
    while byte < 128 {
        if (byte as u8).is_ascii_alphanumeric() {
            table[byte] = (byte as u8).to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

/// The last plain word, kept because a connector may join it to the next.
#[derive(Clone, Copy)]
pub(super) struct Previous {
    form: usize,
    /// Whether the form behind it is its bare spelling.
    bare: bool,
    byte_to: usize,
}

pub(super) struct Reader<'a> {
    pub(super) tokens: &'a mut Tokens,
    pub(super) table: &'static Table,
    place: Place,
    pub(super) text: &'a str,
    bytes: &'a [u8],
    pub(super) at: usize,
    /// Byte behind the last word: a sigil there is part of an address, not of a tag.
    pub(super) word_end: usize,
    pub(super) previous: Option<Previous>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(tokens: &'a mut Tokens, place: Place, text: &'a str) -> Self {
        let text = &text[..text.floor_char_boundary(MAX_TEXT_BYTES)];
        tokens.buffer.reserve(text.len() + text.len() / 4);
        let bytes = text.as_bytes();
        Self {
            tokens,
            table: Table::get(),
            place,
            text,
            bytes,
            at: 0,
            word_end: usize::MAX,
            previous: None,
        }
    }

    pub(super) fn run(mut self) {
        while let Some(&byte) = self.bytes.get(self.at) {
            if byte < 128 {
                if ASCII[byte as usize] != 0 {
                    if !(matches!(byte, b'h' | b'H' | b'w' | b'W') && self.link()) {
                        self.word();
                    }
                } else if !(matches!(byte, b'#' | b'@' | b'$') && self.tag(byte)) {
                    self.at += 1;
                }
            } else {
                let c = self.char_at(self.at);
                match self.table.fold(c) {
                    Fold::Word(_) | Fold::Expand(_) => self.word(),
                    Fold::Symbol(symbol) => self.symbol(c, symbol),
                    Fold::Region(_) => self.flag(c),
                    Fold::Connector | Fold::Ignored | Fold::Separator => self.at += c.len_utf8(),
                }
            }
        }
    }

    pub(super) fn char_at(&self, at: usize) -> char {
        self.text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or('\0')
    }

    /// Reads letters and digits into the buffer; returns where the word begins there and whether
    /// its bare spelling, left in `tokens.bare`, differs.
    pub(super) fn letters(&mut self) -> (usize, bool) {
        let tokens = &mut *self.tokens;
        let from = tokens.buffer.len();
        let mut bare = false;
        while let Some(&byte) = self.bytes.get(self.at) {
            if byte < 128 {
                let letter = ASCII[byte as usize];
                if letter == 0 {
                    break;
                }
                tokens.buffer.push(letter);
                if bare {
                    tokens.bare.push(letter);
                }
                self.at += 1;
                continue;
            }
            let Some(c) = self.text.get(self.at..).and_then(|rest| rest.chars().next()) else {
                break;
            };
            match self.table.fold(c) {
                Fold::Word(letter) => {
                    push(&mut tokens.buffer, letter);
                    if bare {
                        push(&mut tokens.bare, letter);
                    }
                }
                Fold::Expand(expansion) => {
                    if expansion.transcribed != expansion.bare && !bare {
                        start_bare(tokens, from);
                        bare = true;
                    }
                    expand(tokens, expansion, bare);
                }
                Fold::Ignored => {
                    let letter = tokens.buffer.last().map_or('\0', |&byte| byte as char);
                    if let Some(extra) = fold::transcription(letter, c) {
                        if !bare {
                            start_bare(tokens, from);
                            bare = true;
                        }
                        push(&mut tokens.buffer, extra);
                    }
                }
                _ => break,
            }
            self.at += c.len_utf8();
        }
        (from, bare)
    }

    fn word(&mut self) {
        let byte_from = self.at;
        let joins = self.previous.filter(|previous| self.connected(previous.byte_to, byte_from));
        let (from, bare) = self.letters();
        let (byte_to, position) = (self.at, self.tokens.position);
        self.tokens.position += 1;
        self.word_end = byte_to;
        self.previous = None;
        let Some(form) = self.finish(from, bare, (position, position), byte_from..byte_to, None)
        else {
            return;
        };
        if let Some(previous) = joins {
            self.join(previous, form, bare);
        }
        self.previous = Some(Previous { form, bare, byte_to });
    }

    /// Whether exactly one connector lies between two words.
    fn connected(&self, end: usize, start: usize) -> bool {
        let Some(between) = self.text.get(end..start) else { return false };
        let mut chars = between.chars();
        matches!((chars.next(), chars.next()), (Some(c), None) if fold::is_connector(c))
    }

    /// Closes the word that begins at `from` in the buffer and adds its bare spelling.
    pub(super) fn finish(
        &mut self,
        from: usize,
        bare: bool,
        (start, end): (u32, u32),
        bytes: Range<usize>,
        sigil: Option<Sigil>,
    ) -> Option<usize> {
        let tokens = &mut *self.tokens;
        let to = tokens.buffer.len();
        if to - from > MAX_WORD_BYTES || to == from {
            tokens.buffer.truncate(from);
            return None;
        }
        let index = tokens.forms.len();
        let form = Form {
            from: from as u32,
            to: to as u32,
            start,
            end,
            byte_from: bytes.start as u32,
            byte_to: bytes.end as u32,
            sigil,
        };
        tokens.buffer.push(b' ');
        tokens.forms.push(form);
        if bare {
            if let Some(sigil) = sigil {
                tokens.buffer.extend([sigil.byte(), b' ']);
            }
            let from = tokens.buffer.len();
            tokens.buffer.extend_from_slice(&tokens.bare);
            let to = tokens.buffer.len();
            tokens.buffer.push(b' ');
            tokens.forms.push(Form { from: from as u32, to: to as u32, ..form });
        }
        Some(index)
    }

    /// Adds the spelling without the connector: `e-mail` is also `email`.
    fn join(&mut self, left: Previous, right: usize, right_bare: bool) {
        let tokens = &mut *self.tokens;
        let (Some(&first), Some(&second)) = (tokens.forms.get(left.form), tokens.forms.get(right))
        else {
            return;
        };
        let spellings = if left.bare || right_bare { 2 } else { 1 };
        for bare in 0..spellings {
            let pick = |index: usize, has_bare: bool| index + usize::from(bare == 1 && has_bare);
            let from = tokens.buffer.len();
            for index in [pick(left.form, left.bare), pick(right, right_bare)] {
                let Some(part) = tokens.forms.get(index) else { continue };
                tokens.buffer.extend_from_within(part.from as usize..part.to as usize);
            }
            let to = tokens.buffer.len();
            if to - from > MAX_WORD_BYTES {
                tokens.buffer.truncate(from);
                return;
            }
            tokens.buffer.push(b' ');
            tokens.forms.push(Form {
                from: from as u32,
                to: to as u32,
                start: first.start,
                end: second.end,
                byte_from: first.byte_from,
                byte_to: second.byte_to,
                sigil: None,
            });
        }
    }

    fn symbol(&mut self, written: char, symbol: char) {
        let byte_from = self.at;
        self.at += written.len_utf8();
        let mut symbol = symbol;
        if let Some((mark, composed)) = self.voicing(symbol) {
            symbol = composed;
            self.at += mark.len_utf8();
        }
        self.single(&[symbol], byte_from);
    }

    fn voicing(&self, symbol: char) -> Option<(char, char)> {
        if !matches!(symbol, '\u{3041}'..='\u{30FF}') {
            return None;
        }
        let mark = self.char_at(self.at);
        fold::voiced(symbol, mark).map(|composed| (mark, composed))
    }

    /// A flag is two regional letters; cutting them singly would find 🇩🇪 inside 🇧🇩🇪🇺.
    fn flag(&mut self, first: char) {
        let byte_from = self.at;
        self.at += first.len_utf8();
        let second = self.char_at(self.at);
        if matches!(self.table.fold(second), Fold::Region(_)) {
            self.at += second.len_utf8();
            self.single(&[first, second], byte_from);
        } else {
            self.single(&[first], byte_from);
        }
    }

    /// A word of its own at the next position.
    fn single(&mut self, chars: &[char], byte_from: usize) {
        let from = self.tokens.buffer.len();
        for &c in chars {
            push(&mut self.tokens.buffer, c);
        }
        let position = self.tokens.position;
        self.tokens.position += 1;
        self.previous = None;
        self.finish(from, false, (position, position), byte_from..self.at, None);
    }

    /// Reads a link, which holds one position and no words; false when none begins here.
    fn link(&mut self) -> bool {
        let rest = &self.bytes[self.at..];
        let opens = [&b"http://"[..], b"https://", b"www."].iter().any(|scheme| {
            rest.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme))
        });
        if !opens {
            return false;
        }
        let ends =
            |b: &u8| b.is_ascii_whitespace() || matches!(b, b'<' | b'>' | b'"' | b'|' | b'`');
        let mut length = rest.iter().position(ends).unwrap_or(rest.len());
        while length > 0
            && matches!(
                rest[length - 1],
                b'.' | b',' | b';' | b':' | b'!' | b'?' | b')' | b']' | b'\'' | b'*'
            )
        {
            length -= 1;
        }
        self.tokens.links.push((self.place, self.at as u32..(self.at + length) as u32));
        self.at += length;
        self.word_end = self.at;
        self.previous = None;
        self.tokens.position += 1;
        true
    }
}

pub(super) fn push(buffer: &mut Vec<u8>, c: char) {
    buffer.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

fn start_bare(tokens: &mut Tokens, from: usize) {
    tokens.bare.clear();
    tokens.bare.extend_from_slice(&tokens.buffer[from..]);
}

fn expand(tokens: &mut Tokens, expansion: &Expansion, bare: bool) {
    tokens.buffer.extend_from_slice(expansion.transcribed.as_bytes());
    if bare {
        tokens.bare.extend_from_slice(expansion.bare.as_bytes());
    }
}

#[cfg(test)]
mod tests;
