//! Content hashes of brand definitions.

use sha2::{Digest, Sha256};

use super::brand::Brand;

/// Digits of a version: 48 bits, so two definitions of a brand never share one by chance.
const DIGITS: usize = 12;

/// Hash of parts, each closed so that no two lists of parts run together.
pub(super) fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).take(DIGITS).collect()
}

/// The version of a definition: of its canonical query and of lists whose order means nothing.
pub(super) fn of_brand(brand: &Brand) -> String {
    let sorted = |list: Vec<String>| {
        let mut list = list;
        list.sort();
        list.join("\n")
    };
    let alerts = &brand.alerts;
    let sensitivity =
        format!("{:?} {} {}", alerts.sensitivity, alerts.enabled, alerts.min_mentions);
    let parts = [
        brand.name.clone(),
        brand.group.clone(),
        brand.query.format(),
        sorted(brand.competitors.clone()),
        sorted(brand.owned_accounts.iter().map(ToString::to_string).collect()),
        sorted(brand.languages.clone()),
        sensitivity,
        sorted(alerts.channels.clone()),
    ];
    of(parts.iter().map(String::as_str))
}
