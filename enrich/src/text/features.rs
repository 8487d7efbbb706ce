//! Hashed features of a text: character 2- to 5-grams, words, pairs of words and negated words.
//!
//! The trainer and the models read texts through this one function, so they cannot drift apart.
//! A feature is a 64-bit polynomial hash; its upper bits are well mixed and serve as an index.
//!
//! | step | why |
//! |---|---|
//! | lower case; `ä ö ü ß` as `ae oe ue ss` | both German spellings meet |
//! | every digit is `0` | prices and times are alike |
//! | a character three times in a row is two | `sooo` and `soo` meet, and differ from `so` |
//! | variation selectors and skin tones go | one emoji, one feature |
//! | grams run over word boundaries | endings, particles, compounds' parts, emoticons |
//! | the three words behind a negator count once more, marked | `nicht gut` is not `gut` |
//!
//! No allocation per feature; a [`FeatureReader`] keeps its buffers from text to text.

/// Takes the features of a text, in runs of at most [`RUN`]: weights lie all over a table larger than
/// the near caches, and reads wait for memory together only when they are known together.
pub trait FeatureSink {
    /// Character n-grams.
    fn grams(&mut self, hashes: &[u64]);
    /// Words, signs, emoji, pairs of words and negated words.
    fn words(&mut self, hashes: &[u64]);
}

/// Most features in a run.
pub const RUN: usize = 64;

/// Reads a byte of each feature's weights, so that all of a run are fetched while the first are
/// still on their way.
#[inline]
pub fn warm(hashes: &[u64], byte: impl Fn(u64) -> u8) {
    std::hint::black_box(hashes.iter().fold(0, |bytes, &hash| bytes ^ byte(hash)));
}

/// Longest n-gram of characters.
const LONGEST: usize = 5;
/// Words that a negator reaches.
const REACH: u8 = 3;
/// Odd, with bits spread evenly (the golden ratio's, as in Knuth 1998, 6.4).
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
const PAIR: u64 = 0xd1b5_4a32_d192_ed03;
const NEGATED: u64 = 0x2545_f491_4f6c_dd1d;

/// Words that turn round what follows, folded, for the languages that the models are trained on.
const NEGATORS: &str = "nicht nich net nie niemals kein keine keinen keiner keinem keines ohne weder \
    not no never none without cannot cant dont wont isnt wasnt doesnt didnt nothing nobody \
    ne pas jamais rien aucun aucune sans ni plus nada nunca jamás sin ningún ninguna tampoco \
    non mai nessun nessuno nessuna niente senza mica não nao nem sem nenhum nenhuma \
    niet geen nooit zonder nie bez ani inte ingen inget aldrig utan не нет ни без никогда nem nincs \
    ne nije nisu nema nikada nikoli brez não не няма никога nuk mos pa";

/// What a character is to the tokeniser.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    /// White space.
    Gap,
    /// An emoji, or a character of a script that is written without gaps.
    Single,
    Sign,
}

/// Reads texts into features.
#[derive(Clone, Debug)]
pub struct FeatureReader {
    folded: Vec<u32>,
    run: Vec<u64>,
    /// Hashes of the negators, sorted.
    negators: Vec<u64>,
}

impl Default for FeatureReader {
    fn default() -> Self {
        let mut negators: Vec<u64> = NEGATORS
            .split_whitespace()
            .map(|word| word.chars().fold(0, |hash, letter| mix(hash, u32::from(letter))))
            .collect();
        negators.sort_unstable();
        negators.dedup();
        Self { folded: Vec::new(), run: Vec::with_capacity(RUN), negators }
    }
}

impl FeatureReader {
    /// Gives the features of a normalised text to `sink`, in order. A text without any character
    /// has none.
    pub fn read(&mut self, text: &str, sink: &mut impl FeatureSink) {
        self.fold(text);
        if self.folded.len() > 2 {
            self.grams(sink);
            self.words(sink);
        }
    }

    /// Writes the folded characters, with one gap before and behind.
    fn fold(&mut self, text: &str) {
        let folded = &mut self.folded;
        folded.clear();
        folded.push(GAP);
        for character in text.chars() {
            let lower = match character {
                'A'..='Z' => u32::from(character) | 0x20,
                '0'..='9' => u32::from('0'),
                '\0'..='\u{7f}' => u32::from(character),
                'ä' | 'Ä' => {
                    folded.extend([u32::from('a'), u32::from('e')]);
                    continue;
                }
                'ö' | 'Ö' => {
                    folded.extend([u32::from('o'), u32::from('e')]);
                    continue;
                }
                'ü' | 'Ü' => {
                    folded.extend([u32::from('u'), u32::from('e')]);
                    continue;
                }
                'ß' => {
                    folded.extend([u32::from('s'), u32::from('s')]);
                    continue;
                }
                '’' | '‘' => u32::from('\''),
                '\u{fe0e}' | '\u{fe0f}' | '\u{200d}' | '\u{1f3fb}'..='\u{1f3ff}' => continue,
                other => u32::from(other.to_lowercase().next().unwrap_or(other)),
            };
            let last = folded.len() - 1;
            let lower = if lower == u32::from('\n') { GAP } else { lower };
            let repeated = folded[last] == lower;
            let again = repeated && (lower == GAP || (last > 0 && folded[last - 1] == lower));
            if !again || lower == u32::from('0') {
                folded.push(lower);
            }
        }
        if folded.last() != Some(&GAP) {
            folded.push(GAP);
        }
    }

    fn grams(&mut self, sink: &mut impl FeatureSink) {
        let Self { folded, run, .. } = self;
        run.clear();
        for window in folded.windows(LONGEST) {
            if run.len() + LONGEST > RUN {
                sink.grams(run);
                run.clear();
            }
            let mut hash = mix(0, window[0]);
            for &code in &window[1..] {
                hash = mix(hash, code);
                run.push(hash);
            }
        }
        sink.grams(run);
        run.clear();
        // The last places have room for shorter grams only: too few of them for more than one run.
        let from = folded.len().saturating_sub(LONGEST - 1);
        for start in from..folded.len() {
            let mut hash = mix(0, folded[start]);
            for &code in &folded[start + 1..] {
                hash = mix(hash, code);
                run.push(hash);
            }
        }
        sink.grams(run);
    }

    fn words(&mut self, sink: &mut impl FeatureSink) {
        let mut run = std::mem::take(&mut self.run);
        run.clear();
        let (mut before, mut reach) = (0, 0_u8);
        let mut at = 0;
        while at < self.folded.len() {
            // A token has at most three features.
            if run.len() + 3 > RUN {
                sink.words(&run);
                run.clear();
            }
            let kind = kind(self.folded[at]);
            let end = match kind {
                Kind::Gap => {
                    at += 1;
                    continue;
                }
                Kind::Single => at + 1,
                Kind::Letter | Kind::Sign => self.end_of(at, kind),
            };
            let token = &self.folded[at..end];
            let hash = token.iter().fold(0, |hash, &code| mix(hash, code));
            run.push(hash);
            if kind == Kind::Letter {
                run.push(before ^ hash.wrapping_mul(PAIR));
                before = hash;
                if reach > 0 {
                    reach -= 1;
                    run.push(hash ^ NEGATED);
                }
                if self.negates(hash, token) {
                    reach = REACH;
                }
            } else if ends_sentence(token[0]) {
                (before, reach) = (0, 0);
            }
            at = end;
        }
        sink.words(&run);
        self.run = run;
    }

    /// Where the token that begins at `start` ends: apostrophes belong to words.
    fn end_of(&self, start: usize, of: Kind) -> usize {
        let inside = |at: usize| {
            let code = self.folded[at];
            kind(code) == of
                || (of == Kind::Letter
                    && code == u32::from('\'')
                    && self.folded.get(at + 1).is_some_and(|&next| kind(next) == of))
        };
        (start + 1..self.folded.len()).find(|&at| !inside(at)).unwrap_or(self.folded.len())
    }

    fn negates(&self, hash: u64, word: &[u32]) -> bool {
        const CONTRACTED: [u32; 3] = ['n' as u32, '\'' as u32, 't' as u32];
        word.ends_with(&CONTRACTED) || self.negators.binary_search(&hash).is_ok()
    }
}

const GAP: u32 = ' ' as u32;

fn mix(hash: u64, code: u32) -> u64 {
    (hash ^ u64::from(code)).wrapping_mul(FACTOR).rotate_left(29)
}

fn ends_sentence(code: u32) -> bool {
    [u32::from('.'), u32::from('!'), u32::from('?'), u32::from('…')].contains(&code)
}

fn kind(code: u32) -> Kind {
    match code {
        0x61..=0x7a | 0x30..=0x39 | 0xc0..=0xd6 | 0xd8..=0xf6 | 0xf8..=0x52f => Kind::Letter,
        GAP => Kind::Gap,
        0..=0x7f | 0x2000..=0x206f => Kind::Sign,
        // Han, kana, emoji.
        0x3040..=0x30ff | 0x3400..=0x9fff | 0x2600..=0x27bf | 0x1f000..=0x1faff => Kind::Single,
        other => match char::from_u32(other) {
            Some(letter) if letter.is_alphanumeric() || is_mark(other) => Kind::Letter,
            Some(space) if space.is_whitespace() => Kind::Gap,
            _ => Kind::Sign,
        },
    }
}

/// Vowel signs of the scripts from Hebrew to Thai: part of the word they stand in.
fn is_mark(code: u32) -> bool {
    matches!(code, 0x300..=0x36f | 0x591..=0x5c7 | 0x64b..=0x65f | 0x900..=0xe4f)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[derive(Default)]
    struct Found {
        grams: Vec<u64>,
        words: Vec<u64>,
    }

    impl FeatureSink for Found {
        fn grams(&mut self, hashes: &[u64]) {
            assert!(hashes.len() <= RUN);
            self.grams.extend(hashes);
        }
        fn words(&mut self, hashes: &[u64]) {
            assert!(hashes.len() <= RUN);
            self.words.extend(hashes);
        }
    }

    fn found(text: &str) -> Found {
        let mut found = Found::default();
        FeatureReader::default().read(text, &mut found);
        found
    }

    fn words(text: &str) -> HashSet<u64> {
        found(text).words.into_iter().collect()
    }

    #[test]
    fn spellings_that_mean_the_same_are_the_same() {
        assert_eq!(found("Schöne Grüße").grams, found("schoene gruesse").grams);
        assert_eq!(found("Sooo gut!!! 19:45").words, found("soo gut!! 20:15").words);
        assert_eq!(found("👍🏽").words, found("👍").words);
    }

    #[test]
    fn a_negated_word_is_a_feature_of_its_own() {
        let extra = |text: &str| words(text).difference(&words("gut")).count();
        assert_eq!(extra("gut"), 0);
        // `nicht`, its pair with nothing before, the pair `nicht gut`, and `gut` negated.
        assert_eq!(extra("nicht gut"), 4);
        assert!(extra("nicht. gut") < extra("nicht gut"), "a full stop ends its reach");
        assert!(words("don't like").len() > words("do like").len());
    }

    #[test]
    fn a_text_of_n_characters_has_all_grams_of_two_to_five() {
        // With a gap at both ends: 6 characters, 5 + 4 + 3 + 2 grams.
        assert_eq!(found("haus").grams.len(), 14);
        assert!(found("").grams.is_empty() && found("").words.is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_read_the_same_after_any_other(text in any::<String>(), other in any::<String>()) {
            let mut reader = FeatureReader::default();
            let (mut first, mut again) = (Found::default(), Found::default());
            reader.read(&other, &mut first);
            reader.read(&text, &mut again);
            let alone = found(&text);
            prop_assert_eq!(alone.grams, again.grams);
            prop_assert_eq!(alone.words, again.words);
        }
    }
}
