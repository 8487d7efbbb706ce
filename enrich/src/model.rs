//! Provenance: which model said something.

use echolot_schemas::enriched::ModelRef;
use sha2::{Digest, Sha256};

/// Names a model. `parts` are its weights, word lists and parameters; the hash covers all of them,
/// each with its length, so that no two lists of parts share a hash.
pub fn model_ref(id: &str, version: &str, parts: &[&[u8]]) -> ModelRef {
    ModelRef { id: id.to_owned(), version: version.to_owned(), hash: short_hash(parts) }
}

/// First 12 hex digits of the SHA-256 over `parts`.
pub(crate) fn short_hash(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(&hash.finalize()[..6])
}
