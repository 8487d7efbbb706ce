//! What stays of a text: a hash of its words, and a sketch of its word pairs.
//!
//! The sketch is `MinHash` (Broder, "On the resemblance and containment of documents", 1997): for each
//! of 64 orderings of all word pairs the smallest of the text. The part of places where two
//! sketches agree estimates the Jaccard similarity of the texts, with a standard error below 0.07.
//! `SimHash`, made for long pages, changes too many bits when one word of a short post changes.

use super::repost::Repost;
use crate::post::Post;
use crate::text::Sigil;
use crate::text::tokens::{Place, Tokens};

/// Orderings in a sketch.
pub const ORDERINGS: usize = 64;
/// Words from which a text has a sketch; shorter ones agree by chance.
pub const MIN_WORDS: usize = 4;

/// A text's hash and sketch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// Hash of all words in order: equal for texts that differ in case, signs, links, names only.
    pub exact: u64,
    /// The smallest word pair in each ordering; `None` for texts of fewer than [`MIN_WORDS`] words.
    pub sketch: Option<Box<[u16; ORDERINGS]>>,
}

impl Fingerprint {
    /// Of a mention's words, without accounts and links, and of a repost only what it repeats. A
    /// mention without any other word is told by its links and accounts as written.
    pub fn of(post: &Post<'_>, tokens: &Tokens, repost: Option<&Repost<'_>>) -> Self {
        let body_at = repost.map_or(0, |repost| repost.body_at);
        let mut words = Vec::new();
        let mut next = 0;
        for (index, form) in tokens.forms().iter().enumerate() {
            // The first form of each position; the others are spellings of it.
            let fresh = form.start >= next && form.start == form.end;
            let repeated =
                tokens.place(index) == Place::Title || form.byte_from as usize >= body_at;
            if fresh && repeated && form.sigil != Some(Sigil::Account) {
                words.push(hash(tokens.spelling(form).as_bytes()));
                next = form.start + 1;
            }
        }
        if words.is_empty() {
            words.push(hash(post.text.trim().as_bytes()));
        }
        let exact = words.iter().fold(SEED, |state, word| mix(state ^ word));
        let sketch = (words.len() >= MIN_WORDS).then(|| Box::new(sketch(&words)));
        Self { exact, sketch }
    }
}

/// In how many of the orderings two sketches agree.
pub fn agreeing(a: &[u16; ORDERINGS], b: &[u16; ORDERINGS]) -> usize {
    a.iter().zip(b).filter(|(a, b)| a == b).count()
}

const SEED: u64 = 0x9E37_79B9_7F4A_7C15;

/// FNV-1a, finished by [`mix`]; fixed, so that stored fingerprints stay comparable.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    mix(bytes.iter().fold(0xCBF2_9CE4_8422_2325, |state, byte| {
        (state ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3)
    }))
}

/// The finisher of `SplitMix64` (Steele, Lea and Flood, OOPSLA 2014).
pub(super) const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// An odd factor for each ordering.
const FACTORS: [u64; ORDERINGS] = {
    let mut factors = [0; ORDERINGS];
    let mut ordering = 0;
    while ordering < ORDERINGS {
        factors[ordering] = mix((ordering as u64 + 1).wrapping_mul(SEED)) | 1;
        ordering += 1;
    }
    factors
};

fn sketch(words: &[u64]) -> [u16; ORDERINGS] {
    let mut smallest = [u32::MAX; ORDERINGS];
    for pair in words.windows(2) {
        let [first, second] = pair else { continue };
        let pair = mix(first.rotate_left(1) ^ second);
        for (factor, smallest) in FACTORS.iter().zip(&mut smallest) {
            // Multiply-shift.
            let place = pair.wrapping_mul(*factor) >> 32;
            *smallest = (*smallest).min(place as u32);
        }
    }
    // The low bits of the smallest differ as often as the whole, and halve the memory.
    smallest.map(|value| (mix(u64::from(value)) & 0xFFFF) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Fingerprint {
        let mut tokens = Tokens::default();
        tokens.read(None, text);
        Fingerprint::of(&Post::text(text), &tokens, super::super::repost::detect(text).as_ref())
    }

    fn alike(a: &str, b: &str) -> f64 {
        agreeing(&of(a).sketch.unwrap(), &of(b).sketch.unwrap()) as f64 / ORDERINGS as f64
    }

    #[test]
    fn case_signs_links_and_names_do_not_make_a_text_another() {
        let original = of("Die Bahn streikt ab Montag: https://t.co/a");
        assert_eq!(original.exact, of("die BAHN streikt, ab Montag! https://t.co/b").exact);
        assert_eq!(original.exact, of("RT @anna: Die Bahn streikt ab Montag").exact);
        assert_ne!(original.exact, of("Die Bahn streikt ab Dienstag").exact);
    }

    #[test]
    fn the_sketch_estimates_how_many_word_pairs_are_shared() {
        let a = "win a free phone now just follow the link and enter your name today friends";
        let b = "win a free phone now just follow the link and enter your name today guys";
        let c = "the weather in the north stays cold until the end of next week they say";
        assert!(alike(a, b) > 0.7, "{}", alike(a, b));
        assert!(alike(a, c) < 0.2, "{}", alike(a, c));
    }

    #[test]
    fn short_texts_have_no_sketch() {
        assert!(of("guten Morgen zusammen").sketch.is_none());
    }

    #[test]
    fn fingerprints_stay_the_same_between_versions() {
        assert_eq!(of("Die Bahn streikt ab Montag").exact, 0x62CA_814B_AFC8_D1A7);
    }
}
