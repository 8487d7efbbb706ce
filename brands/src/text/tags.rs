//! Hashtags, accounts and cashtags: one word each, with its sigil.

use std::ops::Range;

use super::Sigil;
use super::fold::Fold;
use super::reader::{Reader, push};

impl Reader<'_> {
    /// Reads a hashtag, an account or a cashtag; false when the sigil is only a sign.
    pub(super) fn tag(&mut self, byte: u8) -> bool {
        let Some(sigil) = Sigil::from_byte(byte) else { return false };
        let sigil_at = self.at;
        let next = self.char_at(self.at + 1);
        let opens = match self.table.fold(next) {
            Fold::Word(letter) => sigil != Sigil::Cashtag || letter.is_alphabetic(),
            Fold::Expand(_) => true,
            Fold::Symbol(_) => sigil == Sigil::Hashtag && next.is_alphanumeric(),
            Fold::Connector => next == '_',
            _ => false,
        };
        if !opens || sigil_at == self.word_end {
            return false;
        }
        self.at += 1;
        self.tokens.buffer.extend([byte, b' ']);
        let (from, mut bare) = self.letters();
        let mut host_at = None;
        let mut characters = 0;
        while let Some(c) = self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            let after = self.at + c.len_utf8();
            match (c, self.table.fold(c)) {
                ('_', _) => {}
                ('.' | '-' | '@', _) if sigil == Sigil::Account && self.continues(after) => {
                    if c != '-' {
                        host_at.get_or_insert((self.tokens.buffer.len(), self.at));
                    }
                }
                (_, Fold::Symbol(_)) if sigil == Sigil::Hashtag && c.is_alphanumeric() => {
                    characters += 1;
                }
                _ => break,
            }
            push(&mut self.tokens.buffer, c);
            if bare {
                push(&mut self.tokens.bare, c);
            }
            self.at = after;
            bare = self.more_letters(from, bare);
        }
        self.close_tag(sigil, sigil_at, from, bare, characters);
        if let Some((to, byte_to)) = host_at {
            self.local_name(sigil, from, to, sigil_at..byte_to);
        }
        self.word_end = self.at;
        self.previous = None;
        true
    }

    /// Whether a name goes on with a letter at `at`.
    fn continues(&self, at: usize) -> bool {
        matches!(self.table.fold(self.char_at(at)), Fold::Word(_) | Fold::Expand(_))
    }

    /// Reads on inside a tag whose word began at `from`, keeping one bare spelling for all of it.
    fn more_letters(&mut self, from: usize, bare: bool) -> bool {
        let kept = if bare { std::mem::take(&mut self.tokens.bare) } else { Vec::new() };
        let (part, part_bare) = self.letters();
        if !bare && !part_bare {
            return false;
        }
        let tail = if part_bare {
            std::mem::take(&mut self.tokens.bare)
        } else {
            self.tokens.buffer[part..].to_vec()
        };
        let head = if bare { kept } else { self.tokens.buffer[from..part].to_vec() };
        self.tokens.bare = [head, tail].concat();
        true
    }

    fn close_tag(
        &mut self,
        sigil: Sigil,
        sigil_at: usize,
        from: usize,
        bare: bool,
        characters: u32,
    ) {
        let start = self.tokens.position;
        let end = start + characters.max(1) - 1;
        self.tokens.position = end + 1;
        let bytes = sigil_at..self.at;
        if self.finish(from, bare, (start, end), bytes.clone(), Some(sigil)).is_none()
            || characters == 0
        {
            return;
        }
        // A hashtag in a script without spaces is also found by its characters.
        let mut position = start;
        for (offset, c) in self.text.get(bytes.clone()).unwrap_or_default().char_indices() {
            let Fold::Symbol(symbol) = self.table.fold(c) else { continue };
            let from = self.tokens.buffer.len();
            push(&mut self.tokens.buffer, symbol);
            let at = bytes.start + offset;
            self.finish(from, false, (position, position), at..at + c.len_utf8(), None);
            position += 1;
        }
    }

    /// `@bahn.example.org` is also `@bahn`: the name without the host it lives on.
    fn local_name(&mut self, sigil: Sigil, from: usize, to: usize, bytes: Range<usize>) {
        let tokens = &mut *self.tokens;
        let position = tokens.position - 1;
        if to > tokens.buffer.len() || to <= from {
            return;
        }
        tokens.buffer.extend([sigil.byte(), b' ']);
        let start = tokens.buffer.len();
        tokens.buffer.extend_from_within(from..to);
        self.finish(start, false, (position, position), bytes, Some(sigil));
    }
}
