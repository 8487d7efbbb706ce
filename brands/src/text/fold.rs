//! When two characters count as the same.
//!
//! Compatibility decomposition (Unicode Annex 15), lower case, then marks are dropped. A letter
//! whose mark has a spelling of its own in German or Danish folds to two forms: *transcribed*
//! (`ü` -> `ue`) and *bare* (`ü` -> `u`), so `Müller` equals `Mueller` and `Muller`, while
//! `neue` never equals `neu`.
//!
//! Everything in the Basic Multilingual Plane is computed once into a table of 256 KiB.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{compose, is_combining_mark};

/// What one character of a text contributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fold<'t> {
    /// Ends a word.
    Separator,
    /// Ends a word, yet the two sides may be written as one: hyphen, apostrophe, underscore.
    Connector,
    /// Invisible or a dropped mark: neither ends a word nor adds to it.
    Ignored,
    /// One letter or digit of a word.
    Word(char),
    /// Several letters, or two forms.
    Expand(&'t Expansion),
    /// A word by itself: a character of a script written without spaces, or an emoji.
    Symbol(char),
    /// Half of a flag emoji.
    Region(char),
}

/// A character that folds to more than one letter, or to two forms.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Expansion {
    /// Umlauts written out: `ü` -> `ue`.
    pub(crate) transcribed: Box<str>,
    /// Marks dropped: `ü` -> `u`.
    pub(crate) bare: Box<str>,
}

const SEPARATOR: u32 = 0;
const CONNECTOR: u32 = 1;
const IGNORED: u32 = 2;
const WORD: u32 = 3;
const EXPAND: u32 = 4;
const SYMBOL: u32 = 5;
const CLASS_SHIFT: u32 = 24;
const PAYLOAD: u32 = (1 << CLASS_SHIFT) - 1;
const PLANE: u32 = 0x1_0000;

/// The folding of every character of the Basic Multilingual Plane.
pub(crate) struct Table {
    entries: Box<[u32]>,
    expansions: Vec<Expansion>,
}

static TABLE: LazyLock<Table> = LazyLock::new(Table::compute);

impl Table {
    /// The one table; the first call computes it in some milliseconds.
    pub(crate) fn get() -> &'static Self {
        &TABLE
    }

    fn compute() -> Self {
        let mut expansions = Vec::new();
        let entries = (0..PLANE)
            .map(|code| {
                char::from_u32(code).map_or(SEPARATOR << CLASS_SHIFT, |c| entry(c, &mut expansions))
            })
            .collect();
        Self { entries, expansions }
    }

    /// Folds one character.
    #[inline]
    pub(crate) fn fold(&self, c: char) -> Fold<'_> {
        let Some(&entry) = self.entries.get(c as usize) else {
            return fold_beyond(c);
        };
        let payload = entry & PAYLOAD;
        match entry >> CLASS_SHIFT {
            WORD => Fold::Word(char::from_u32(payload).unwrap_or(c)),
            EXPAND => self.expansions.get(payload as usize).map_or(Fold::Separator, Fold::Expand),
            SYMBOL => Fold::Symbol(char::from_u32(payload).unwrap_or(c)),
            IGNORED => Fold::Ignored,
            CONNECTOR => Fold::Connector,
            _ => Fold::Separator,
        }
    }
}

fn entry(c: char, expansions: &mut Vec<Expansion>) -> u32 {
    let pack = |class: u32, payload: u32| class << CLASS_SHIFT | payload;
    if is_invisible(c) || is_dropped_mark(c) {
        return pack(IGNORED, 0);
    }
    if is_connector(c) {
        return pack(CONNECTOR, 0);
    }
    if is_unspaced(c) {
        let composed = std::iter::once(c).nfkc().next().unwrap_or(c);
        return pack(SYMBOL, composed as u32);
    }
    if is_pictograph(c) {
        return pack(SYMBOL, c as u32);
    }
    let (transcribed, bare) = letters(c);
    let mut chars = bare.chars();
    match (chars.next(), chars.next()) {
        (None, _) => pack(SEPARATOR, 0),
        (Some(single), None) if transcribed == bare => pack(WORD, single as u32),
        _ => {
            let index = u32::try_from(expansions.len()).unwrap_or(PAYLOAD).min(PAYLOAD);
            expansions.push(Expansion { transcribed: transcribed.into(), bare: bare.into() });
            pack(EXPAND, index)
        }
    }
}

/// The letters of `c` with umlauts transcribed, and with marks dropped; empty for punctuation.
fn letters(c: char) -> (String, String) {
    let mut transcribed = String::new();
    let mut bare = String::new();
    for part in c.to_lowercase().nfkd().flat_map(char::to_lowercase) {
        if let Some(extra) = bare.chars().next_back().and_then(|base| transcription(base, part)) {
            transcribed.push(extra);
        } else if is_dropped_mark(part) {
            // A mark that no spelling writes out.
        } else if let Some((long, short)) = undecomposed(part) {
            transcribed.push_str(long);
            bare.push_str(short);
        } else if part.is_alphanumeric() || is_combining_mark(part) {
            transcribed.push(part);
            bare.push(part);
        }
    }
    // Decompositions such as `½` or `㎞` are letters in disguise; `ℓ/㎏` mixes stay words too.
    (transcribed, bare)
}

/// The letter that a spelling without marks adds after `base`: `u` + diaeresis -> `e`.
pub(crate) const fn transcription(base: char, mark: char) -> Option<char> {
    match (base, mark) {
        ('a' | 'o' | 'u', '\u{308}') => Some('e'),
        ('a', '\u{30A}') => Some('a'),
        _ => None,
    }
}

/// Letters that Unicode does not decompose: transcribed and bare form.
const fn undecomposed(c: char) -> Option<(&'static str, &'static str)> {
    Some(match c {
        'ß' => ("ss", "ss"),
        'æ' => ("ae", "ae"),
        'œ' => ("oe", "oe"),
        'ø' => ("oe", "o"),
        'đ' | 'ð' => ("d", "d"),
        'ł' => ("l", "l"),
        'ħ' => ("h", "h"),
        'ŧ' => ("t", "t"),
        'þ' => ("th", "th"),
        'ı' => ("i", "i"),
        'ς' => ("σ", "σ"),
        _ => return None,
    })
}

/// Folds characters beyond the Basic Multilingual Plane: emoji, rare ideographs, styled letters.
fn fold_beyond(c: char) -> Fold<'static> {
    match c {
        '\u{1F1E6}'..='\u{1F1FF}' => Fold::Region(c),
        '\u{1F3FB}'..='\u{1F3FF}' | '\u{E0001}'..='\u{E01EF}' => Fold::Ignored,
        '\u{1F000}'..='\u{1F0FF}' | '\u{1F200}'..='\u{1FAFF}' | '\u{20000}'..='\u{3FFFF}' => {
            Fold::Symbol(c)
        }
        _ => {
            let (_, bare) = letters(c);
            // Styled letters fold to exactly one plain letter; nothing out there folds to more.
            bare.chars().next().map_or(Fold::Separator, Fold::Word)
        }
    }
}

/// Composes a kana and a voicing mark written as two characters (half-width forms do).
pub(crate) fn voiced(kana: char, mark: char) -> Option<char> {
    match mark {
        '\u{3099}' | '\u{FF9E}' => compose(kana, '\u{3099}'),
        '\u{309A}' | '\u{FF9F}' => compose(kana, '\u{309A}'),
        _ => None,
    }
}

/// Characters that no reader sees: zero-width, direction controls, variation selectors.
pub(crate) const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

/// Marks that may be left out in writing. Vowel signs of Indic scripts are letters and stay.
const fn is_dropped_mark(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36F}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5BD}' | '\u{5BF}'..='\u{5C7}'
        | '\u{610}'..='\u{61A}' | '\u{640}' | '\u{64B}'..='\u{65F}' | '\u{670}'
        | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}'
        | '\u{3099}' | '\u{309A}' | '\u{FF9E}' | '\u{FF9F}' | '\u{FE20}'..='\u{FE2F}')
}

/// Characters inside a word that some writers leave out.
pub(crate) const fn is_connector(c: char) -> bool {
    matches!(
        c,
        '-' | '\''
            | '_'
            | '`'
            | '\u{B4}'
            | '\u{2BC}'
            | '\u{2010}'
            | '\u{2011}'
            | '\u{2018}'
            | '\u{2019}'
            | '\u{FF07}'
    )
}

/// Scripts written without spaces, matched by character: Han, Kana, Hangul, Thai, Lao, Khmer,
/// Myanmar.
const fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{E01}'..='\u{E3A}' | '\u{E40}'..='\u{E4E}' | '\u{E81}'..='\u{EDF}'
        | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17D3}'
        | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{3096}' | '\u{309D}'..='\u{309F}'
        | '\u{30A1}'..='\u{30FA}' | '\u{30FC}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}' | '\u{FF66}'..='\u{FF9D}')
}

/// Emoji of the Basic Multilingual Plane.
const fn is_pictograph(c: char) -> bool {
    matches!(c,
        '\u{203C}' | '\u{2049}' | '\u{2194}'..='\u{21AA}' | '\u{2300}'..='\u{23FF}'
        | '\u{25AA}'..='\u{25FE}' | '\u{2600}'..='\u{27BF}' | '\u{2B00}'..='\u{2BFF}' | '\u{3030}' | '\u{303D}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(word: &str) -> (String, String) {
        let table = Table::get();
        let (mut long, mut short) = (String::new(), String::new());
        for c in word.chars() {
            match table.fold(c) {
                Fold::Word(w) => {
                    long.push(w);
                    short.push(w);
                }
                Fold::Expand(e) => {
                    long.push_str(&e.transcribed);
                    short.push_str(&e.bare);
                }
                other => panic!("{c:?} folded to {other:?}"),
            }
        }
        (long, short)
    }

    #[test]
    fn umlauts_fold_to_a_transcribed_and_a_bare_form() {
        assert_eq!(forms("MÜLLER"), ("mueller".into(), "muller".into()));
        assert_eq!(forms("Größe"), ("groesse".into(), "grosse".into()));
        assert_eq!(forms("STRAẞE"), ("strasse".into(), "strasse".into()));
        assert_eq!(forms("Ångström"), ("aangstroem".into(), "angstrom".into()));
    }

    #[test]
    fn marks_and_styles_of_other_scripts_are_dropped() {
        assert_eq!(forms("Citroën").0, "citroen");
        assert_eq!(forms("Łódź").0, "lodz");
        assert_eq!(forms("İstanbul").0, "istanbul");
        assert_eq!(forms("ΣΊΣΥΦΟΣ").0, forms("σίσυφος").0);
        assert_eq!(forms("ﬁn").0, "fin");
        assert_eq!(forms("𝐁𝐚𝐡𝐧").0, "bahn");
        assert_eq!(forms("ＢＡＨＮ").0, "bahn");
    }

    #[test]
    fn classes_tell_words_from_signs() {
        let table = Table::get();
        assert_eq!(table.fold('三'), Fold::Symbol('三'));
        assert_eq!(table.fold('👍'), Fold::Symbol('👍'));
        assert_eq!(table.fold('\u{200B}'), Fold::Ignored);
        assert_eq!(table.fold('’'), Fold::Connector);
        assert_eq!(table.fold('€'), Fold::Separator);
        assert_eq!(table.fold('–'), Fold::Separator);
    }
}
