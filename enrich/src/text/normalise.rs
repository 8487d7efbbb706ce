//! Normalising for scoring: one pass, one allocation, never longer than a small multiple of the
//! input.
//!
//! | in the text | becomes | because |
//! |---|---|---|
//! | decomposed letters (`u` + `¨`) | composed (NFC) | one spelling a word |
//! | `https://…`, `http://…`, `www.…` | `http` | XLM-T's convention, so later models read the same |
//! | `@name` | `@user` | same; who is addressed carries no sentiment |
//! | `&amp;` and its like | the character | left over from markup at careless sources |
//! | zero-width and control characters | nothing | they hide words from a lexicon |
//! | a letter, sign or emoji repeated | at most three of it | `soooooo` stays emphatic and bounded |
//! | white space | one space or one newline | a newline ends a clause |
//!
//! Emoji stay. Placeholders follow Barbieri et al. 2022 (XLM-T).

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Longest run of one character that stays.
const RUN: usize = 3;

/// The text as models read it. Linear in the length of `text`, with no other bound: a mention's
/// text was bounded before (`echolot_schemas::limits`).
pub fn normalise(text: &str) -> String {
    let mut out = Normal { out: String::with_capacity(text.len()), last: '\n', run: 0 };
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        out.read(text);
    } else {
        out.read(&text.nfc().collect::<String>());
    }
    out.finish()
}

struct Normal {
    out: String,
    /// The last character written, and how often in a row.
    last: char,
    run: usize,
}

impl Normal {
    fn read(&mut self, text: &str) {
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let skip = match next {
                'h' | 'H' | 'w' | 'W' if !self.last.is_alphanumeric() => self.address(rest),
                '@' if !self.last.is_alphanumeric() => self.handle(rest),
                '&' => self.entity(rest),
                _ => None,
            };
            rest = if let Some(length) = skip {
                &rest[length..]
            } else {
                self.push(next);
                &rest[next.len_utf8()..]
            };
        }
    }

    /// Writes the placeholder when an address begins here, and says how long the address is.
    fn address(&mut self, rest: &str) -> Option<usize> {
        ["https://", "http://", "www."].iter().find(|start| begins_with(rest, start))?;
        self.push_all("http");
        Some(rest.find(char::is_whitespace).unwrap_or(rest.len()))
    }

    fn handle(&mut self, rest: &str) -> Option<usize> {
        let name = rest[1..].find(|c: char| !(c.is_alphanumeric() || c == '_'));
        let length = 1 + name.unwrap_or(rest.len() - 1);
        (length > 1).then(|| {
            self.push_all("@user");
            length
        })
    }

    fn entity(&mut self, rest: &str) -> Option<usize> {
        const ENTITIES: [(&str, char); 7] = [
            ("&amp;", '&'),
            ("&lt;", '<'),
            ("&gt;", '>'),
            ("&quot;", '"'),
            ("&apos;", '\''),
            ("&#39;", '\''),
            ("&nbsp;", ' '),
        ];
        let (name, character) = ENTITIES.iter().find(|(name, _)| rest.starts_with(name))?;
        self.push(*character);
        Some(name.len())
    }

    fn push_all(&mut self, text: &str) {
        self.out.push_str(text);
        self.run = 1;
        self.last = text.chars().next_back().unwrap_or(self.last);
    }

    fn push(&mut self, character: char) {
        if character.is_whitespace() {
            return self.push_space(character);
        }
        if invisible(character, self.last) {
            return;
        }
        if character == self.last {
            self.run += 1;
            // 1000000 is not an emphatic 1000.
            if self.run > RUN && !character.is_numeric() {
                return;
            }
        } else {
            self.last = character;
            self.run = 1;
        }
        self.out.push(character);
    }

    fn push_space(&mut self, character: char) {
        let newline = matches!(character, '\n' | '\r' | '\u{2028}' | '\u{2029}');
        match (self.last, newline) {
            ('\n', _) | (' ', false) => {}
            (' ', true) => {
                self.out.pop();
                self.out.push('\n');
                self.last = '\n';
            }
            (_, newline) => {
                self.last = if newline { '\n' } else { ' ' };
                self.out.push(self.last);
            }
        }
        self.run = 1;
    }

    fn finish(mut self) -> String {
        self.out.truncate(self.out.trim_end().len());
        self.out
    }
}

/// True for what no reader sees. Joiners carry meaning in Persian, Indic scripts and emoji, so they
/// go only where they hide a Latin word.
fn invisible(character: char, before: char) -> bool {
    match character {
        '\u{ad}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{feff}' => true,
        '\u{200c}' | '\u{200d}' => before.is_ascii() || ('\u{c0}'..='\u{24f}').contains(&before),
        _ => character.is_control(),
    }
}

fn begins_with(text: &str, ascii: &str) -> bool {
    text.as_bytes()
        .get(..ascii.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(ascii.as_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::normalise;

    #[test]
    fn addresses_and_handles_become_placeholders() {
        assert_eq!(
            normalise("@tramio_hilft schaut: HTTPS://a.example/x?y=1 (www.b.example)"),
            "@user schaut: http (http"
        );
        assert_eq!(
            normalise("mail@example.org bleibt, @ allein auch"),
            "mail@example.org bleibt, @ allein auch"
        );
    }

    #[test]
    fn what_hides_a_word_goes_and_emoji_stay() {
        assert_eq!(
            normalise("schl\u{200b}ec\u{ad}ht\u{202e} \u{7}👩\u{200d}💻❤\u{fe0f}"),
            "schlecht 👩\u{200d}💻❤\u{fe0f}"
        );
    }

    #[test]
    fn decomposed_umlauts_are_composed() {
        assert_eq!(normalise("scho\u{308}n"), "schön");
    }

    #[test]
    fn repetition_is_kept_as_three_but_numbers_as_they_are() {
        assert_eq!(normalise("sooooo gut!!!!!!! 1000000 😡😡😡😡😡"), "sooo gut!!! 1000000 😡😡😡");
    }

    #[test]
    fn entities_are_read_once_only() {
        assert_eq!(normalise("&lt;3 &amp;amp; Kaffee &amp Kuchen"), "<3 &amp; Kaffee &amp Kuchen");
    }

    #[test]
    fn white_space_collapses_and_newlines_survive() {
        assert_eq!(normalise("  eins \t zwei \r\n\n drei\u{a0}vier  "), "eins zwei\ndrei vier");
    }

    proptest! {
        #[test]
        fn no_text_panics_or_grows_beyond_its_placeholders(text in any::<String>()) {
            // `@a` becomes `@user`; composing may expand a character to at most three times its size.
            prop_assert!(normalise(&text).len() <= 3 * text.len());
        }
    }
}
