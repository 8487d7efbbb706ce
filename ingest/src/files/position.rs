//! Where a file goes on: the cursor's name and what it holds.

use std::{
    fmt,
    fs::File,
    io::{self, Read as _},
    path::Path,
    str::FromStr,
};

use sha2::{Digest as _, Sha256};

/// How much of a file is part of its name.
const NAMED_BYTES: u64 = 64 * 1024;

/// A cursor's name for a file: `file:` and the SHA-256 of its canonical path, its length and its
/// first 64 KiB. A file that was changed or replaced is another file, read from its beginning.
pub(crate) fn cursor_name(path: &Path) -> io::Result<String> {
    let canonical = path.canonicalize()?;
    let file = File::open(&canonical)?;
    let length = file.metadata()?.len();
    let mut head = Vec::new();
    file.take(NAMED_BYTES).read_to_end(&mut head)?;
    let mut hash = Sha256::new();
    hash.update(canonical.as_os_str().as_encoded_bytes());
    hash.update([0]);
    hash.update(length.to_le_bytes());
    hash.update(&head);
    Ok(format!("file:{}", hex::encode(hash.finalize())))
}

/// How far a file is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// Records that are in the log or dead letters.
    pub(crate) records: u64,
    /// True when these are all.
    pub(crate) finished: bool,
}

/// A cursor that no version of ours wrote.
#[derive(Debug, thiserror::Error)]
#[error("the cursor {0:?} names no place in a file; --again reads it from its beginning")]
pub(crate) struct UnknownPosition(String);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.finished { "finished " } else { "" }, self.records)
    }
}

impl FromStr for Position {
    type Err = UnknownPosition;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (finished, number) = match text.strip_prefix("finished ") {
            Some(number) => (true, number),
            None => (false, text),
        };
        let unknown = |_| UnknownPosition(text.chars().take(80).collect());
        Ok(Self { records: number.parse().map_err(unknown)?, finished })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written() {
        for text in ["0", "1200", "finished 184025"] {
            assert_eq!(text.parse::<Position>().unwrap().to_string(), text);
        }
        assert!("finished".parse::<Position>().is_err());
    }

    #[test]
    fn a_changed_file_has_another_cursor() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("posts.jsonl");
        std::fs::write(&path, "one").unwrap();
        let first = cursor_name(&path).unwrap();
        assert_eq!(cursor_name(&path).unwrap(), first);
        std::fs::write(&path, "two").unwrap();
        assert_ne!(cursor_name(&path).unwrap(), first);
    }
}
