//! Words with wildcards: `*` any run of characters, `?` exactly one.
//!
//! Matching keeps one restart point, the last star, so it costs at most word length times
//! pattern length; both are bounded ([`crate::query::limits`], [`super::tokens::MAX_WORD_BYTES`]).

/// One piece of a [`Glob`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Piece {
    /// This character.
    Char(char),
    /// Any one character: `?`.
    One,
    /// Any run of characters, also none: `*`.
    Many,
}

/// A folded word with wildcards.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Glob(pub Vec<Piece>);

impl Glob {
    /// The word itself when it holds no wildcard.
    pub fn literal(&self) -> Option<String> {
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Char(c) => Some(*c),
                Piece::One | Piece::Many => None,
            })
            .collect()
    }

    /// Number of characters that are not wildcards.
    pub fn literal_chars(&self) -> usize {
        self.0.iter().filter(|piece| matches!(piece, Piece::Char(_))).count()
    }

    /// Number of wildcards.
    pub fn wildcards(&self) -> usize {
        self.0.len() - self.literal_chars()
    }

    /// The runs of literal characters, as ranges of pieces.
    pub fn fragments(&self) -> Vec<std::ops::Range<usize>> {
        let mut runs = Vec::new();
        let mut from = 0;
        for run in self.0.split(|piece| !matches!(piece, Piece::Char(_))) {
            if !run.is_empty() {
                runs.push(from..from + run.len());
            }
            from += run.len() + 1;
        }
        runs
    }

    /// Whether `word` matches from its first to its last character.
    pub fn matches(&self, word: &str) -> bool {
        let pieces = &self.0;
        let mut at = 0;
        let mut rest = word.chars();
        let mut restart: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            let before = rest.clone();
            let next = rest.next();
            match (pieces.get(at), next) {
                (Some(Piece::Many), _) => {
                    rest = before.clone();
                    restart = Some((at, before));
                    at += 1;
                    continue;
                }
                (None, None) => return true,
                (Some(Piece::One), Some(_)) => {
                    at += 1;
                    continue;
                }
                (Some(Piece::Char(want)), Some(have)) if *want == have => {
                    at += 1;
                    continue;
                }
                _ => {}
            }
            let Some((star, mut from)) = restart.take() else {
                return false;
            };
            if from.next().is_none() {
                return false;
            }
            rest = from.clone();
            restart = Some((star, from));
            at = star + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(pattern: &str) -> Glob {
        Glob(
            pattern
                .chars()
                .map(|c| match c {
                    '*' => Piece::Many,
                    '?' => Piece::One,
                    c => Piece::Char(c),
                })
                .collect(),
        )
    }

    #[test]
    fn stars_and_question_marks_match_whole_words() {
        for (pattern, word, expected) in [
            ("bahn", "bahn", true),
            ("bahn*", "bahnhof", true),
            ("bahn*", "bahn", true),
            ("*bahn", "eisenbahn", true),
            ("*bahn", "bahnhof", false),
            ("b?hn", "bahn", true),
            ("b?hn", "bähn", true),
            ("b?hn", "bhn", false),
            ("a*b*c", "axxbxxbc", true),
            ("a*b*c", "axxbxxb", false),
            ("*a?", "aaab", true),
            ("ab?*", "ab", false),
        ] {
            assert_eq!(glob(pattern).matches(word), expected, "{pattern} on {word}");
        }
    }

    #[test]
    fn many_stars_on_a_long_word_stay_cheap() {
        let pattern = glob(&format!("{}b", "a*".repeat(8)));
        assert!(!pattern.matches(&"a".repeat(256)));
    }
}
