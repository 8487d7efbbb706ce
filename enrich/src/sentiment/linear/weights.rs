//! The file of weights: written by `enrich/train`, carried by the binary.
//!
//! ```text
//! "ECHOLIN1" │ u32 length of the header │ header (JSON) │ 2^bits × (i8 negative, i8 positive)
//! ```
//!
//! Numbers are little-endian. A weight counts against neutral, whose own is always zero.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const MAGIC: &[u8; 8] = b"ECHOLIN1";
/// Most bits of an index: 8 MB of weights.
const MOST_BITS: u32 = 22;

/// Weights that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// Not such a file, or cut off in its header.
    #[error("{name}: no weights of the linear scorer; {MEND}")]
    NoWeights {
        /// Which weights.
        name: &'static str,
    },
    /// A header that is not understood.
    #[error("{name}: its header is wrong: {error}; {MEND}")]
    Header {
        /// Which weights.
        name: &'static str,
        /// What is wrong.
        error: serde_json::Error,
    },
    /// Not as many weights as the header says.
    #[error("{name}: holds {found} weights where its header says {said}; {MEND}")]
    Shape {
        /// Which weights.
        name: &'static str,
        /// Pairs of weights in the file.
        found: usize,
        /// Pairs of weights by the header.
        said: usize,
    },
    /// Other weights than were trained.
    #[error("{name}: SHA-256 of its weights is {found} where its header says {said}; {MEND}")]
    Checksum {
        /// Which weights.
        name: &'static str,
        /// Of the file.
        found: String,
        /// By the header.
        said: String,
    },
}

const MEND: &str = "restore it from the repository, or train it anew (enrich/train/README.md), and \
                    build again";

/// How the sum of a text's weights becomes probabilities.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Calibration {
    /// Sums are divided by it (Guo et al. 2017).
    pub temperature: f32,
    /// Added to the negative and the positive sum.
    pub bias: [f32; 2],
}

/// What stands before the weights.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Raised with every training.
    pub version: String,
    /// Bits of an index.
    pub bits: u32,
    /// What one step of a weight is worth: of character n-grams, of words.
    pub scale: [f32; 2],
    /// By language (ISO 639-1): the trained ones.
    pub languages: BTreeMap<String, Calibration>,
    /// For texts whose language is not known.
    pub others: Calibration,
    /// From this probability of the best class on an answer is certain.
    pub certain_from: f32,
    /// SHA-256 of the weights, in hex digits.
    pub sha256: String,
}

/// Weights with their header.
#[derive(Debug)]
pub struct Weights {
    /// What stands before them.
    pub header: Header,
    pairs: &'static [[u8; 2]],
}

impl Weights {
    /// Reads the file `name`; checks shape and checksum.
    pub fn read(name: &'static str, file: &'static [u8]) -> Result<Self, WeightsError> {
        let none = || WeightsError::NoWeights { name };
        let rest = file.strip_prefix(MAGIC).ok_or_else(none)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(none)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| none())?;
        let (header, pairs) = rest.split_at_checked(length).ok_or_else(none)?;
        let header: Header =
            serde_json::from_slice(header).map_err(|error| WeightsError::Header { name, error })?;
        let said = 1_usize << header.bits.min(MOST_BITS);
        if pairs.len() != 2 * said || header.bits > MOST_BITS {
            return Err(WeightsError::Shape { name, found: pairs.len() / 2, said });
        }
        let found = hex::encode(Sha256::digest(pairs));
        if found != header.sha256 {
            return Err(WeightsError::Checksum { name, found, said: header.sha256 });
        }
        Ok(Self { header, pairs: pairs.as_chunks().0 })
    }

    /// The file for these weights; fills in the checksum.
    pub fn write(mut header: Header, pairs: &[[i8; 2]]) -> serde_json::Result<Vec<u8>> {
        let bytes: Vec<u8> = pairs.iter().flatten().map(|weight| weight.cast_unsigned()).collect();
        header.sha256 = hex::encode(Sha256::digest(&bytes));
        let text = serde_json::to_vec(&header)?;
        // A header is some kilobytes.
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        Ok([MAGIC.as_slice(), &length.to_le_bytes(), &text, &bytes].concat())
    }

    /// Weights of a feature: negative, positive.
    #[inline]
    pub(super) fn pair(&self, hash: u64) -> [u8; 2] {
        // Shape was checked, and an index has that many bits.
        self.pairs[index(hash, self.header.bits)]
    }
}

/// Where a feature's weights stand.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "at most 22 bits are left")]
pub fn index(hash: u64, bits: u32) -> usize {
    (hash >> (64 - bits)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Vec<u8> {
        let calibration = Calibration { temperature: 1.0, bias: [0.0; 2] };
        let header = Header {
            version: "1".to_owned(),
            bits: 2,
            scale: [0.1; 2],
            languages: BTreeMap::new(),
            others: calibration,
            certain_from: 0.5,
            sha256: String::new(),
        };
        Weights::write(header, &[[1, -1], [2, -2], [3, -3], [4, -4]]).unwrap()
    }

    fn fault(file: Vec<u8>) -> String {
        Weights::read("weights.bin", file.leak()).unwrap_err().to_string()
    }

    #[test]
    fn what_was_written_is_read() {
        let weights = Weights::read("weights.bin", file().leak()).unwrap();
        assert_eq!(weights.pair(0b10 << 62), [3, 253]);
    }

    #[test]
    fn damaged_weights_are_refused_with_what_to_do() {
        let mut flipped = file();
        *flipped.last_mut().unwrap() ^= 1;
        let mut cut = file();
        cut.pop();
        for (told, part) in [
            (fault(flipped), "SHA-256"),
            (fault(cut), "holds 3 weights where its header says 4"),
            (fault(file()[..9].to_vec()), "no weights"),
            (fault(Vec::new()), "no weights"),
        ] {
            assert!(told.contains(part) && told.contains("train it anew"), "{told}");
        }
    }
}
