//! Bounds on a query, each with its reason.

/// Bytes of a query. Longer ones are pasted lists; split them into brands.
pub const MAX_QUERY_BYTES: usize = 64 * 1024;
/// Parentheses within parentheses; evaluation recurses as deep.
pub const MAX_DEPTH: usize = 48;
/// Words, phrases and fields of a query; each is looked at for every candidate mention.
pub const MAX_TERMS: usize = 2_000;
/// Words of one phrase; its positions are compared word by word.
pub const MAX_PHRASE_WORDS: usize = 32;
/// Characters of one word; longer than any word of a language.
pub const MAX_WORD_CHARS: usize = 100;
/// Wildcards in one word; each can double the places to try.
pub const MAX_WILDCARDS: usize = 6;
/// Characters in a row that a word with a leading `*` needs; fewer lie inside nearly every word.
pub const MIN_INFIX_CHARS: usize = 3;
/// Characters in a row that any other word with wildcards needs.
pub const MIN_FRAGMENT_CHARS: usize = 2;
/// Words with a leading `*` in a query; each is compared at many places of every text.
pub const MAX_INFIX_TERMS: usize = 100;
/// Reach of `NEAR`, in words; a longer one crosses whole posts and means `AND`.
pub const MAX_NEAR: u32 = 100;
