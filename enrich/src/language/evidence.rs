//! What in a text speaks for which language, apart from whichlang's vote.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::hinted::{DetectorError, LANGUAGES};
use crate::text::{TokenKind, fold_word, tokens};

/// Function words of each language, embedded.
pub(super) const FUNCTION_WORDS: &str = include_str!("../../lexicons/function_words.tsv");

/// A set of [`LANGUAGES`], by index.
pub(super) type Set = u16;

/// Writing systems that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    Latin,
    Cyrillic,
    Arabic,
    Devanagari,
    Hangul,
    /// Kana, or Han beside kana.
    Japanese,
    /// Han alone.
    Han,
    Other,
}

const SCRIPTS: [Script; 8] = [
    Script::Latin,
    Script::Cyrillic,
    Script::Arabic,
    Script::Devanagari,
    Script::Hangul,
    Script::Japanese,
    Script::Han,
    Script::Other,
];

/// What one pass over a text finds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Evidence {
    /// Letters of the commonest script.
    pub(super) letters: u32,
    /// The commonest script, when there are letters.
    pub(super) script: Option<Script>,
    /// Words in all.
    pub(super) words: u32,
    /// By language: function words found, each shared among the languages that have it.
    pub(super) function_words: [f32; LANGUAGES.len()],
    /// By language: Latin letters with a diacritic that it does not write.
    pub(super) foreign_letters: [u16; LANGUAGES.len()],
}

/// What speaks for a language, by what is found in a text.
#[derive(Debug)]
pub(super) struct Witnesses {
    /// Function words by folded spelling.
    words: HashMap<String, Set, FixedState>,
    /// Lower-case Latin letters outside of ASCII, by who writes them.
    letters: HashMap<char, Set, FixedState>,
}

impl Witnesses {
    pub(super) fn new() -> Result<Self, DetectorError> {
        let mut words: HashMap<String, Set, FixedState> = HashMap::default();
        for line in FUNCTION_WORDS.lines().skip(1) {
            let (code, list) = line.split_once('\t').ok_or(DetectorError::FunctionWords(line))?;
            let at = LANGUAGES
                .iter()
                .position(|language| language.code == code)
                .ok_or(DetectorError::FunctionWords(line))?;
            for word in list.split(' ') {
                let mut folded = String::new();
                fold_word(word, &mut folded);
                *words.entry(folded).or_default() |= 1 << at;
            }
        }
        let mut letters: HashMap<char, Set, FixedState> = HashMap::default();
        for (at, language) in LANGUAGES.iter().enumerate() {
            for letter in language.letters.chars() {
                *letters.entry(letter).or_default() |= 1 << at;
            }
        }
        Ok(Self { words, letters })
    }

    /// Reads a text. `scratch` is kept from text to text.
    pub(super) fn read(&self, text: &str, scratch: &mut String) -> Evidence {
        let mut found = Evidence::default();
        let mut scripts = [0_u32; SCRIPTS.len()];
        for token in tokens(text, |_| false).filter(|token| token.kind == TokenKind::Word) {
            // Placeholders for addresses and handles are in no language.
            if matches!(token.text, "http" | "user") {
                continue;
            }
            if token.text.is_ascii() {
                let letters = token.text.bytes().filter(u8::is_ascii_alphabetic).count();
                // A text is bounded far below the range of this count.
                scripts[Script::Latin as usize] += u32::try_from(letters).unwrap_or(u32::MAX);
            } else {
                self.read_letters(token.text, &mut scripts, &mut found);
            }
            found.words += 1;
            fold_word(token.text, scratch);
            if let Some(&languages) = self.words.get(scratch.as_str()) {
                let share = 1.0 / languages.count_ones() as f32;
                for (at, sum) in found.function_words.iter_mut().enumerate() {
                    *sum += share * f32::from(languages >> at & 1);
                }
            }
        }
        if scripts[Script::Japanese as usize] > 0 {
            scripts[Script::Japanese as usize] +=
                std::mem::take(&mut scripts[Script::Han as usize]);
        }
        let commonest = SCRIPTS.into_iter().max_by_key(|script| scripts[*script as usize]);
        found.letters = commonest.map_or(0, |script| scripts[script as usize]);
        found.script = commonest.filter(|_| found.letters > 0);
        found
    }

    fn read_letters(&self, word: &str, scripts: &mut [u32; SCRIPTS.len()], found: &mut Evidence) {
        for letter in word.chars().filter(|letter| letter.is_alphabetic()) {
            let script = script(letter);
            scripts[script as usize] += 1;
            if script == Script::Latin && !letter.is_ascii() {
                let lower = letter.to_lowercase().next().unwrap_or(letter);
                let writers = self.letters.get(&lower).copied().unwrap_or(0);
                for (at, count) in found.foreign_letters.iter_mut().enumerate() {
                    *count = count.saturating_add(u16::from(writers >> at & 1 == 0));
                }
            }
        }
    }
}

fn script(letter: char) -> Script {
    match letter {
        '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' | 'ﬀ'..='ﬆ' => Script::Latin,
        '\u{400}'..='\u{52f}' => Script::Cyrillic,
        '\u{600}'..='\u{6ff}'
        | '\u{750}'..='\u{77f}'
        | '\u{fb50}'..='\u{fdff}'
        | '\u{fe70}'..='\u{fefe}' => Script::Arabic,
        '\u{900}'..='\u{97f}' => Script::Devanagari,
        '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7af}' => {
            Script::Hangul
        }
        '\u{3040}'..='\u{30ff}' | '\u{ff66}'..='\u{ff9d}' => Script::Japanese,
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' => Script::Han,
        _ => Script::Other,
    }
}
