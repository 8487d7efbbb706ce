//! The words of a query, cut by the rules that cut a mention.

use super::Sigil;
use super::fold::{self, Fold, Table};
use super::glob::{Glob, Piece};

/// One word to be found at one position.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern {
    /// Only words behind this sigil match; `None` matches with and without one.
    pub sigil: Option<Sigil>,
    /// The spellings, any of which matches: umlauts transcribed, marks dropped.
    pub forms: Vec<Glob>,
}

/// What stands between blanks in a query: one word, or several when signs divide it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The words, at consecutive positions.
    pub parts: Vec<Pattern>,
    /// The spelling without connectors: `E-Mail` is also `Email`.
    pub joined: Option<Pattern>,
    /// Whether a sign that carries meaning was dropped: `C++` is searched as `c`.
    pub lost_signs: bool,
}

impl Pattern {
    /// Whether a form of a mention matches.
    pub fn matches(&self, spelling: &str, sigil: Option<Sigil>) -> bool {
        (self.sigil.is_none() || self.sigil == sigil)
            && self.forms.iter().any(|form| form.matches(spelling))
    }
}

/// Why a word of a query cannot be searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordFault {
    /// No letter, digit or emoji.
    Empty,
    /// `*` or `?` touches a character of a script without spaces.
    WildcardBesideCharacter,
}

/// Cuts one word of a query (no blanks inside).
pub fn cut(written: &str) -> Result<Word, WordFault> {
    let mut cutter = Cutter::default();
    let mut rest = written;
    let sigil = written.bytes().next().and_then(Sigil::from_byte);
    if let Some(sigil) = sigil {
        let name = &written[1..];
        let length = tag_length(name, sigil);
        if length > 0 {
            cutter.sigil = Some(sigil);
            cutter.tag(&name[..length]);
            rest = &name[length..];
        }
    }
    cutter.words(rest)?;
    cutter.close();
    if cutter.parts.is_empty() {
        return Err(WordFault::Empty);
    }
    let joined = cutter.joined();
    Ok(Word { parts: cutter.parts, joined, lost_signs: cutter.lost_signs })
}

/// Bytes of `name` that belong to a tag.
fn tag_length(name: &str, sigil: Sigil) -> usize {
    let table = Table::get();
    let continues = |rest: &str| {
        rest.chars().next().is_some_and(|c| {
            matches!(c, '*' | '?') || matches!(table.fold(c), Fold::Word(_) | Fold::Expand(_))
        })
    };
    for (at, c) in name.char_indices() {
        let belongs = match table.fold(c) {
            Fold::Word(letter) => at > 0 || sigil != Sigil::Cashtag || letter.is_alphabetic(),
            Fold::Expand(_) | Fold::Ignored => true,
            Fold::Symbol(_) => sigil == Sigil::Hashtag && c.is_alphanumeric(),
            Fold::Connector | Fold::Separator if matches!(c, '_' | '*' | '?') => true,
            Fold::Connector | Fold::Separator => {
                at > 0
                    && sigil == Sigil::Account
                    && matches!(c, '.' | '-' | '@')
                    && continues(&name[at + c.len_utf8()..])
            }
            Fold::Region(_) => false,
        };
        if !belongs {
            return at;
        }
    }
    name.len()
}

#[derive(Default)]
struct Cutter {
    parts: Vec<Pattern>,
    sigil: Option<Sigil>,
    transcribed: Vec<Piece>,
    bare: Vec<Piece>,
    /// Whether a sign other than a connector came after the last part.
    separator: bool,
    /// Whether such a sign, or a character that is a word, keeps the parts apart.
    apart: bool,
    lost_signs: bool,
}

impl Cutter {
    fn push(&mut self, piece: Piece) {
        // Runs of stars mean one star.
        if piece == Piece::Many && self.transcribed.last() == Some(&Piece::Many) {
            return;
        }
        self.transcribed.push(piece);
        self.bare.push(piece);
    }

    fn letter(&mut self, c: char) -> bool {
        match Table::get().fold(c) {
            Fold::Word(letter) => self.push(Piece::Char(letter)),
            Fold::Expand(expansion) => {
                self.transcribed.extend(expansion.transcribed.chars().map(Piece::Char));
                self.bare.extend(expansion.bare.chars().map(Piece::Char));
            }
            Fold::Ignored => {
                if let Some(Piece::Char(base)) = self.transcribed.last()
                    && let Some(extra) = fold::transcription(*base, c)
                {
                    self.transcribed.push(Piece::Char(extra));
                }
            }
            _ => match c {
                '*' => self.push(Piece::Many),
                '?' => self.push(Piece::One),
                _ => return false,
            },
        }
        true
    }

    fn tag(&mut self, name: &str) {
        for c in name.chars() {
            if !self.letter(c) {
                // A sign or a character of a script without spaces: as written, like in texts.
                self.push(Piece::Char(c));
            }
        }
        self.close();
        self.separator = true;
    }

    fn words(&mut self, written: &str) -> Result<(), WordFault> {
        let table = Table::get();
        let mut chars = written.chars().peekable();
        let mut after_symbol = false;
        while let Some(c) = chars.next() {
            if self.letter(c) {
                if after_symbol && matches!(c, '*' | '?') {
                    return Err(WordFault::WildcardBesideCharacter);
                }
                after_symbol &= table.fold(c) == Fold::Ignored;
                continue;
            }
            after_symbol = false;
            match table.fold(c) {
                Fold::Symbol(mut symbol) => {
                    if matches!(self.transcribed.last(), Some(Piece::Many | Piece::One)) {
                        return Err(WordFault::WildcardBesideCharacter);
                    }
                    if let Some(composed) =
                        chars.peek().and_then(|&mark| fold::voiced(symbol, mark))
                    {
                        symbol = composed;
                        chars.next();
                    }
                    self.symbol(&[symbol]);
                    after_symbol = true;
                }
                Fold::Region(first) => match chars.peek().map(|&next| table.fold(next)) {
                    Some(Fold::Region(second)) => {
                        chars.next();
                        self.symbol(&[first, second]);
                    }
                    _ => self.symbol(&[first]),
                },
                Fold::Connector => self.close(),
                _ => {
                    self.lost_signs |= matches!(c, '+' | '#' | '$' | '@' | '%');
                    self.close();
                    self.separator = true;
                }
            }
        }
        Ok(())
    }

    fn symbol(&mut self, chars: &[char]) {
        self.close();
        self.apart = true;
        let form = Glob(chars.iter().copied().map(Piece::Char).collect());
        self.part(Pattern { sigil: None, forms: vec![form] });
    }

    /// Ends the part under way, if any.
    fn close(&mut self) {
        if self.transcribed.is_empty() {
            return;
        }
        let mut forms =
            vec![Glob(std::mem::take(&mut self.transcribed)), Glob(std::mem::take(&mut self.bare))];
        forms.dedup();
        let sigil = self.sigil.take();
        self.part(Pattern { sigil, forms });
    }

    fn part(&mut self, pattern: Pattern) {
        self.apart |= self.separator && !self.parts.is_empty();
        self.separator = false;
        self.parts.push(pattern);
    }

    /// The spelling as one word, when only connectors stand between the parts.
    fn joined(&self) -> Option<Pattern> {
        if self.parts.len() < 2 || self.apart {
            return None;
        }
        let spell = |bare: bool| {
            let pick =
                |part: &Pattern| if bare { part.forms.last() } else { part.forms.first() }.cloned();
            Glob(self.parts.iter().filter_map(pick).flat_map(|glob| glob.0).collect())
        };
        let mut forms = vec![spell(false), spell(true)];
        forms.dedup();
        Some(Pattern { sigil: None, forms })
    }
}
