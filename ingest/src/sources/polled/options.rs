//! Checks that options of several platforms share.

use echolot_pipeline::settings::{Problems, Secret};
use url::Url;

use crate::source::SourceFault;

/// Notes a secret that is missing, with where to get one, or whose file cannot be read.
pub(crate) fn check_secret(secret: &Secret, path: &str, missing: &str, problems: &mut Problems) {
    if secret.is_empty() {
        problems.check(false, path, format!("is missing; {missing}"));
    } else if let Err(error) = secret.read() {
        problems.check(false, path, error.to_string());
    }
}

/// Notes an address that is none. It ends without a slash.
pub(crate) fn check_base(base: &str, path: &str, problems: &mut Problems) {
    let fits = Url::parse(base).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
        && !base.ends_with('/');
    problems.check(
        fits,
        path,
        "must be an address such as https://example.org, without a / at its end",
    );
}

/// Notes parts of an address that would change what is asked.
pub(crate) fn check_names(names: &[String], path: &str, allowed: &str, problems: &mut Problems) {
    for name in names {
        let fits = !name.is_empty()
            && name.len() <= 128
            && name.chars().all(|c| c.is_ascii_alphanumeric() || allowed.contains(c));
        let shown: String = name.chars().take(80).collect();
        problems.check(
            fits,
            path,
            format!("{shown:?} must be 1 to 128 letters, digits or any of {allowed:?}"),
        );
    }
}

/// The text of a secret.
pub(crate) fn read_secret(secret: &Secret) -> Result<secrecy::SecretString, SourceFault> {
    secret.read().map_err(|error| SourceFault::Unauthorised(error.to_string()))
}

/// An address of parts that were checked.
pub(crate) fn address(text: &str, query: &[(&str, &str)]) -> Result<Url, SourceFault> {
    let mut url = Url::parse(text)
        .map_err(|error| SourceFault::Fatal(format!("{text:.200} is no address: {error}")))?;
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}
