//! Words, emoji, emoticons and clause marks of a normalised text, in order.

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// As it stands in the text.
    pub text: &'a str,
    /// What it is.
    pub kind: TokenKind,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Letters and digits of any script, with apostrophes inside (`don't`, `geht's`).
    Word,
    /// One emoji scalar; skin tones, joiners and variation selectors are no tokens.
    Emoji,
    /// A face of punctuation, such as `:-)`.
    Emoticon,
    /// `,`, `;`, `:` or a dash between spaces: ends a clause.
    Pause,
    /// `.`, `…` or a newline: ends a sentence.
    Stop,
    /// `!`
    Exclamation,
    /// `?`
    Question,
}

/// Longest emoticon, in bytes.
const EMOTICON_BYTES: usize = 8;

/// The tokens of `text`. `is_emoticon` decides on every run of punctuation up to the next white
/// space, of 2 to 8 bytes.
///
/// Words end at anything that is no letter, digit or apostrophe, so `Service-Chaos` is two words
/// and `#danke` is one.
pub fn tokens<F>(text: &str, is_emoticon: F) -> impl Iterator<Item = Token<'_>>
where
    F: Fn(&str) -> bool,
{
    Tokens { rest: text, is_emoticon }
}

struct Tokens<'a, F> {
    rest: &'a str,
    is_emoticon: F,
}

impl<'a, F: Fn(&str) -> bool> Iterator for Tokens<'a, F> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let first = self.rest.chars().next()?;
            if first == ' ' {
                self.rest = &self.rest[1..];
                continue;
            }
            if first.is_alphanumeric() {
                return Some(self.take(word_length(self.rest), TokenKind::Word));
            }
            if is_emoji(first) {
                return Some(self.take(first.len_utf8(), TokenKind::Emoji));
            }
            if let Some(length) = self.emoticon_length(first) {
                return Some(self.take(length, TokenKind::Emoticon));
            }
            let kind = match first {
                '.' | '\n' | '…' | '。' => Some(TokenKind::Stop),
                '!' | '！' | '¡' => Some(TokenKind::Exclamation),
                '?' | '？' => Some(TokenKind::Question),
                ',' | ';' | ':' | '–' | '—' | '(' | ')' | '،' | '、' | '，' => {
                    Some(TokenKind::Pause)
                }
                '-' if self.rest[1..].starts_with(' ') => Some(TokenKind::Pause),
                _ => None,
            };
            let token = self.take(first.len_utf8(), kind.unwrap_or(TokenKind::Stop));
            if kind.is_some() {
                return Some(token);
            }
        }
    }
}

impl<'a, F: Fn(&str) -> bool> Tokens<'a, F> {
    fn take(&mut self, length: usize, kind: TokenKind) -> Token<'a> {
        let (text, rest) = self.rest.split_at(length);
        self.rest = rest;
        Token { text, kind }
    }

    fn emoticon_length(&self, first: char) -> Option<usize> {
        if !first.is_ascii_punctuation() {
            return None;
        }
        // One byte more than the longest tells a face from the head of a longer run.
        let head = &self.rest.as_bytes()[..self.rest.len().min(EMOTICON_BYTES + 1)];
        let length = head.iter().position(u8::is_ascii_whitespace).unwrap_or(head.len());
        let face = self.rest.get(..length)?;
        (2..=EMOTICON_BYTES).contains(&length).then_some(())?;
        (self.is_emoticon)(face).then_some(length)
    }
}

fn word_length(text: &str) -> usize {
    let ascii = text.bytes().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(text.len());
    if text.as_bytes().get(ascii).is_none_or(|next| next.is_ascii() && *next != b'\'') {
        return ascii;
    }
    let mut end = 0;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let inside = character.is_alphanumeric()
            || is_mark(character)
            || (matches!(character, '\'' | '’')
                && characters.peek().is_some_and(|(_, next)| next.is_alphabetic()));
        if !inside {
            break;
        }
        end = at + character.len_utf8();
    }
    end
}

/// Combining marks of Latin and Devanagari and the joiners: part of the word they stand in.
fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{93a}'..='\u{94d}' | '\u{200c}' | '\u{200d}')
}

/// True for pictographs: the symbol blocks from Miscellaneous Symbols up to Dingbats and the
/// emoji planes, without skin tones and flags' letters.
pub fn is_emoji(character: char) -> bool {
    matches!(character, '\u{2600}'..='\u{27bf}' | '\u{2b50}' | '\u{2b55}' | '\u{1f300}'..='\u{1f3fa}' | '\u{1f400}'..='\u{1faff}')
}

/// Writes the spelling that word lists are keyed by into `out`, and says whether a letter was drawn
/// out.
///
/// Lower case; `ä ö ü ß` as `ae oe ue ss`, so that both spellings meet; `’` as `'`; a letter three
/// times in a row as two (`tolll` is `toll`, `sooo` is `soo`).
pub fn fold_word(word: &str, out: &mut String) -> bool {
    out.clear();
    let (mut last, mut run, mut drawn_out) = ('\0', 0_u32, false);
    // Nearly every word: nothing to transcribe and nothing drawn out.
    if word.is_ascii()
        && !word
            .as_bytes()
            .windows(3)
            .any(|run| run.iter().all(|b| b.eq_ignore_ascii_case(&run[0])))
    {
        out.push_str(word);
        out.make_ascii_lowercase();
        return false;
    }
    for character in word.chars() {
        let lower = if character.is_ascii() {
            character.to_ascii_lowercase()
        } else {
            // The few characters whose lower case is several are in no word list.
            character.to_lowercase().next().unwrap_or(character)
        };
        run = if lower == last { run + 1 } else { 1 };
        last = lower;
        let umlaut = match lower {
            'ä' => Some("ae"),
            'ö' => Some("oe"),
            'ü' => Some("ue"),
            'ß' => Some("ss"),
            _ => None,
        };
        match umlaut {
            // No word doubles an umlaut.
            Some(spelling) if run == 1 => out.push_str(spelling),
            Some(_) => drawn_out |= run > 2,
            None if run > 2 && lower.is_alphabetic() => drawn_out = true,
            None => out.push(if lower == '’' { '\'' } else { lower }),
        }
    }
    drawn_out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kinds(text: &str) -> Vec<(&str, TokenKind)> {
        tokens(text, |face| matches!(face, ":)" | ":-(" | "<3"))
            .map(|token| (token.text, token.kind))
            .collect()
    }

    #[test]
    fn words_of_any_script_and_their_marks_are_told_apart() {
        use TokenKind::{Exclamation, Pause, Stop, Word};
        assert_eq!(
            kinds("Service-Chaos, geht’s? не работает! #danke."),
            [
                ("Service", Word),
                ("Chaos", Word),
                (",", Pause),
                ("geht’s", Word),
                ("?", TokenKind::Question),
                ("не", Word),
                ("работает", Word),
                ("!", Exclamation),
                ("danke", Word),
                (".", Stop)
            ]
        );
    }

    #[test]
    fn faces_are_found_behind_a_word_and_not_inside_a_longer_run() {
        assert_eq!(
            kinds("super:) <3 x:-(((((((((("),
            [
                ("super", TokenKind::Word),
                (":)", TokenKind::Emoticon),
                ("<3", TokenKind::Emoticon),
                ("x", TokenKind::Word),
                (":", TokenKind::Pause),
                ("(", TokenKind::Pause),
                ("(", TokenKind::Pause),
                ("(", TokenKind::Pause),
                ("(", TokenKind::Pause),
                ("(", TokenKind::Pause),
                ("(", TokenKind::Pause),
                ("(", TokenKind::Pause),
                ("(", TokenKind::Pause),
                ("(", TokenKind::Pause),
                ("(", TokenKind::Pause),
            ]
        );
    }

    #[test]
    fn both_spellings_of_an_umlaut_meet() {
        let mut out = String::new();
        assert!(!fold_word("Größe", &mut out));
        assert_eq!(out, "groesse");
        assert!(fold_word("TOLLLL", &mut out));
        assert_eq!(out, "toll");
        assert!(fold_word("Tollll", &mut out));
        assert_eq!(out, "toll");
        assert!(fold_word("schööön", &mut out));
        assert_eq!(out, "schoen");
    }

    proptest! {
        #[test]
        fn tokens_stand_in_the_text_in_order(text in any::<String>()) {
            let mut rest = text.as_str();
            for token in tokens(&text, |_| true) {
                let at = rest.find(token.text);
                prop_assert!(at.is_some());
                rest = &rest[at.unwrap_or(0) + token.text.len()..];
            }
        }
    }
}
