//! The file of weights: written by `enrich/train`, carried by the binary.
//!
//! ```text
//! "ECHOLAN1" │ u32 length of the header │ header (JSON) │ 2^bits × one i8 for each language
//! ```

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const MAGIC: &[u8; 8] = b"ECHOLAN1";
/// Languages that a file may hold.
pub const MOST_LANGUAGES: usize = 32;
const MOST_BITS: u32 = 18;
const MEND: &str = "restore it from the repository, or train it anew (enrich/train/README.md), and \
                    build again";

/// Weights that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {problem}; {MEND}")]
pub struct WeightsError {
    name: &'static str,
    problem: String,
}

/// What stands before the weights.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Raised with every training.
    pub version: String,
    /// Bits of an index.
    pub bits: u32,
    /// What one step of a weight is worth.
    pub scale: f32,
    /// Sums are divided by it.
    pub temperature: f32,
    /// ISO 639-1 codes, in the order of the weights.
    pub languages: Vec<String>,
    /// SHA-256 of the weights, in hex digits.
    pub sha256: String,
}

/// Weights of `N` languages with their header.
#[derive(Debug)]
pub(super) struct Weights<const N: usize> {
    pub(super) header: Header,
    rows: &'static [[u8; N]],
}

impl<const N: usize> Weights<N> {
    /// Reads the file `name`; checks shape and checksum.
    pub(super) fn read(name: &'static str, file: &'static [u8]) -> Result<Self, WeightsError> {
        let wrong = |problem: String| WeightsError { name, problem };
        let parts = || {
            let (length, rest) = file.strip_prefix(MAGIC)?.split_first_chunk::<4>()?;
            rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
        };
        let (header, rows) =
            parts().ok_or_else(|| wrong("no weights of the language detector".to_owned()))?;
        let header: Header = serde_json::from_slice(header)
            .map_err(|error| wrong(format!("its header is wrong: {error}")))?;
        if header.bits > MOST_BITS || header.languages.len() > MOST_LANGUAGES {
            return Err(wrong("its header asks for too many weights".to_owned()));
        }
        let said = header.languages.len() << header.bits;
        if header.languages.len() != N {
            return Err(wrong(format!(
                "holds {} languages where this program expects {N}",
                header.languages.len()
            )));
        }
        if rows.len() != said {
            return Err(wrong(format!(
                "holds {} weights where its header says {said}",
                rows.len()
            )));
        }
        let found = hex::encode(Sha256::digest(rows));
        if found != header.sha256 {
            return Err(wrong(format!("SHA-256 of its weights is {found}, not {}", header.sha256)));
        }
        Ok(Self { header, rows: rows.as_chunks().0 })
    }

    /// The weights of a feature, one for each language.
    #[inline]
    pub(super) fn row(&self, hash: u64) -> &[u8; N] {
        // Shape was checked, and an index has that many bits.
        &self.rows[crate::sentiment::linear::index(hash, self.header.bits)]
    }
}

/// The file for these weights; fills in the checksum.
pub fn write(mut header: Header, weights: &[i8]) -> serde_json::Result<Vec<u8>> {
    let bytes: Vec<u8> = weights.iter().map(|weight| weight.cast_unsigned()).collect();
    header.sha256 = hex::encode(Sha256::digest(&bytes));
    let text = serde_json::to_vec(&header)?;
    // A header is some hundred bytes.
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    Ok([MAGIC.as_slice(), &length.to_le_bytes(), &text, &bytes].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Vec<u8> {
        let header = Header {
            version: "1".to_owned(),
            bits: 1,
            scale: 1.0,
            temperature: 1.0,
            languages: vec!["de".to_owned(), "en".to_owned()],
            sha256: String::new(),
        };
        write(header, &[1, -1, 2, -2]).unwrap()
    }

    #[test]
    fn what_was_written_is_read() {
        let weights = Weights::<2>::read("w.bin", file().leak()).unwrap();
        assert_eq!(*weights.row(1 << 63), [2, 254]);
    }

    #[test]
    fn damaged_weights_are_refused_with_what_to_do() {
        let mut flipped = file();
        *flipped.last_mut().unwrap() ^= 1;
        let mut cut = file();
        cut.pop();
        for (file, part) in
            [(flipped, "SHA-256"), (cut, "holds 3 weights"), (vec![1], "no weights")]
        {
            let told = Weights::<2>::read("w.bin", file.leak()).unwrap_err().to_string();
            assert!(told.contains(part) && told.contains("train it anew"), "{told}");
        }
    }
}
