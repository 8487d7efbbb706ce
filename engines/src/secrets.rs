//! Generated passwords, kept in files that only their owner can read.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use rand::distr::{Alphanumeric, SampleString};
use secrecy::SecretString;

use crate::EngineError;

/// 32 letters and digits, about 190 bits.
const PASSWORD_CHARS: usize = 32;

/// The password in the file at `path`, generated there when it is missing.
pub(crate) fn read_or_generate(path: &Path) -> Result<SecretString, EngineError> {
    match fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => Ok(text.trim().into()),
        Ok(_) => generate(path),
        Err(error) if error.kind() == ErrorKind::NotFound => generate(path),
        Err(error) => Err(EngineError::home("read", path)(error)),
    }
}

fn generate(path: &Path) -> Result<SecretString, EngineError> {
    let password = Alphanumeric.sample_string(&mut rand::rng(), PASSWORD_CHARS);
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| {
            writeln!(file, "{password}")?;
            file.sync_all()
        })
        .map_err(EngineError::home("write", path))?;
    Ok(password.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_password_is_generated_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.password");
        let first = read_or_generate(&path).unwrap();
        let second = read_or_generate(&path).unwrap();
        assert_eq!(first.expose_secret(), second.expose_secret());
        assert_eq!(first.expose_secret().len(), PASSWORD_CHARS);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn an_empty_password_file_is_filled() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.password");
        fs::write(&path, "\n").unwrap();
        let password = read_or_generate(&path).unwrap();
        assert_eq!(password.expose_secret().len(), PASSWORD_CHARS);
    }
}
