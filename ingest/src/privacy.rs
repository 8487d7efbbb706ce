//! Authors as pseudonyms: the same author of a source always has the same one, and nobody without
//! the key can tell who it is.

use std::{
    fmt, fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use echolot_pipeline::settings::{Secret, SecretError};
use echolot_schemas::SourceName;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// Shortest key: below it, pseudonyms of known handles could be found by trying keys.
const KEY_BYTES_LEAST: usize = 16;
/// Random bytes in a key made here; written as twice as many hex digits.
const KEY_BYTES_MADE: usize = 32;
/// Bytes of the hash that a pseudonym keeps: 128 bits, so that no two authors ever meet.
const PSEUDONYM_BYTES: usize = 16;

/// The key behind all pseudonyms. With another key every author gets another pseudonym.
#[derive(Clone)]
pub struct AuthorKey(Hmac<Sha256>);

/// No key for pseudonyms.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The secret names a file that cannot be read.
    #[error("privacy.author_key: {0}")]
    Secret(#[from] SecretError),
    /// Too short to be safe.
    #[error(
        "privacy.author_key is {0} bytes, at least {KEY_BYTES_LEAST}; `openssl rand -hex 32` makes a good one"
    )]
    Short(usize),
    /// The key file can be neither read nor made.
    #[error("cannot read or make the author key in {path}: {source}", path = path.display())]
    File {
        /// The key file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl AuthorKey {
    /// The key that the settings name.
    pub fn read(secret: &Secret) -> Result<Self, KeyError> {
        Self::new(&secret.read()?)
    }

    /// The key in `path`; where there is none, a random one is made, readable by its owner only.
    ///
    /// Processes and threads that start together end up with the same key: it is written aside and then
    /// linked into place, which only one of them can do.
    pub fn read_or_create(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::File { path: path.to_owned(), source };
        if !path.try_exists().map_err(failed)? {
            create(path).map_err(failed)?;
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        Self::new(&SecretString::from(text.trim_end()))
    }

    fn new(key: &SecretString) -> Result<Self, KeyError> {
        let bytes = key.expose_secret().as_bytes();
        if bytes.len() < KEY_BYTES_LEAST {
            return Err(KeyError::Short(bytes.len()));
        }
        Hmac::new_from_slice(bytes).map(Self).map_err(|_| KeyError::Short(bytes.len()))
    }

    /// HMAC-SHA256 (RFC 2104) of source, unit separator and author: the first 32 hex digits.
    ///
    /// The source is part of it, so that one handle on two networks is two authors.
    pub fn pseudonym(&self, source: &SourceName, author: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(source.as_str().as_bytes());
        mac.update(&[0x1f]);
        mac.update(author.as_bytes());
        hex::encode(&mac.finalize().into_bytes()[..PSEUDONYM_BYTES])
    }
}

impl fmt::Debug for AuthorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorKey(…)")
    }
}

fn create(path: &Path) -> io::Result<()> {
    // Roles of one process start together too, so its id alone would not tell them apart.
    let aside = path.with_extension(format!("{:016x}.new", rand::random::<u64>()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
    let key: [u8; KEY_BYTES_MADE] = rand::random();
    let linked = writeln!(file, "{}", hex::encode(key))
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::hard_link(&aside, path));
    fs::remove_file(&aside)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn key(text: &str) -> AuthorKey {
        AuthorKey::new(&SecretString::from(text)).unwrap()
    }

    fn source(name: &str) -> SourceName {
        SourceName::new(name).unwrap()
    }

    #[test]
    fn the_same_author_has_the_same_pseudonym_and_another_source_another() {
        let key = key("0123456789abcdef");
        let forum = key.pseudonym(&source("forum"), "ada");
        assert_eq!(forum, key.pseudonym(&source("forum"), "ada"));
        assert_ne!(forum, key.pseudonym(&source("ideas"), "ada"));
        assert_eq!(forum.len(), 32);
    }

    #[test]
    fn a_pseudonym_is_the_keyed_hash_that_the_documentation_promises() {
        // printf 'forum\037ada' | openssl dgst -sha256 -hmac 0123456789abcdef | cut -c -32
        let pseudonym = key("0123456789abcdef").pseudonym(&source("forum"), "ada");
        assert_eq!(pseudonym, "586521aa19fc3612f1501e8a7d9e1c7f");
    }

    #[test]
    fn a_short_key_is_refused() {
        assert!(matches!(AuthorKey::new(&SecretString::from("short")), Err(KeyError::Short(5))));
    }

    #[test]
    fn a_key_that_was_made_is_found_again_and_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("author.key");
        let first = AuthorKey::read_or_create(&path).unwrap();
        let second = AuthorKey::read_or_create(&path).unwrap();
        let forum = source("forum");
        assert_eq!(first.pseudonym(&forum, "ada"), second.pseudonym(&forum, "ada"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
