//! From text as people write it to tokens that can be compared.
//!
//! [`fold`](mod@fold) settles when two characters are equal, [`tokens`] cuts a mention into words with
//! their way back to the original bytes, [`words`] cuts the words of a query by the same rules,
//! and [`glob`] compares a word that holds wildcards.

pub(crate) mod fold;
pub mod glob;
mod reader;
mod tags;
pub mod tokens;
pub mod words;

/// The character in front of a tag: `#` hashtag, `@` mention of an account, `$` cashtag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sigil {
    /// `#bahn`
    Hashtag,
    /// `@DB_Bahn`
    Account,
    /// `$AAPL`
    Cashtag,
}

impl Sigil {
    /// The sigil as written.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Hashtag => b'#',
            Self::Account => b'@',
            Self::Cashtag => b'$',
        }
    }

    /// The sigil that `byte` is, if it is one.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            b'#' => Some(Self::Hashtag),
            b'@' => Some(Self::Account),
            b'$' => Some(Self::Cashtag),
            _ => None,
        }
    }
}

/// Folds a value that is compared as a whole (an author, a tag): case, diacritics and umlauts as
/// in words, everything else as written.
pub(crate) fn fold_value(value: &str) -> String {
    let table = fold::Table::get();
    let mut folded = String::with_capacity(value.len());
    for c in value.chars() {
        match table.fold(c) {
            fold::Fold::Word(w) | fold::Fold::Symbol(w) | fold::Fold::Region(w) => folded.push(w),
            fold::Fold::Expand(expansion) => folded.push_str(&expansion.transcribed),
            fold::Fold::Ignored => {
                if let Some(extra) =
                    folded.chars().next_back().and_then(|base| fold::transcription(base, c))
                {
                    folded.push(extra);
                }
            }
            fold::Fold::Connector | fold::Fold::Separator => folded.push(c),
        }
    }
    folded
}
