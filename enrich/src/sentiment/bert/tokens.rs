//! Texts to token ids.

use tokenizers::{Tokenizer, TruncationParams};

use super::folder::{FolderError, ModelFolder};

/// A folder's tokenizer, cutting at the folder's length.
pub(super) struct Tokens {
    tokenizer: Tokenizer,
    folder_file: std::path::PathBuf,
}

impl Tokens {
    pub(super) fn read(folder: &ModelFolder) -> Result<Self, FolderError> {
        let path = folder.path.join("tokenizer.json");
        let malformed = |problem: String| FolderError::Malformed { path: path.clone(), problem };
        let mut tokenizer =
            Tokenizer::from_file(&path).map_err(|error| malformed(error.to_string()))?;
        let cut = TruncationParams { max_length: folder.manifest.longest, ..Default::default() };
        tokenizer.with_truncation(Some(cut)).map_err(|error| malformed(error.to_string()))?;
        tokenizer.with_padding(None);
        Ok(Self { tokenizer, folder_file: path })
    }

    /// Ids of each text, special tokens included, never none.
    pub(super) fn ids<'a>(
        &self,
        texts: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<Vec<i64>>, FolderError> {
        texts
            .map(|text| {
                let encoding = self.tokenizer.encode_fast(text, true).map_err(|error| {
                    FolderError::Malformed {
                        path: self.folder_file.clone(),
                        problem: error.to_string(),
                    }
                })?;
                Ok(encoding.get_ids().iter().map(|&id| i64::from(id)).collect())
            })
            .collect()
    }
}
