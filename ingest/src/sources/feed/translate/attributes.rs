//! Attributes of one element, by their lower-case local names.

use quick_xml::events::BytesStart;

use super::reference::resolve;

/// Most attributes read of one element.
const MOST: usize = 64;

#[derive(Clone, Debug, Default)]
pub(super) struct Attributes(Vec<(String, String)>);

impl Attributes {
    /// Takes them as HTML has them: without quotes, without values, twice.
    pub(super) fn read(start: &BytesStart<'_>) -> Self {
        let mut read = Vec::new();
        for attribute in start.html_attributes().with_checks(false).flatten().take(MOST) {
            let name = attribute.key.local_name().into_inner().to_ascii_lowercase();
            if attribute.key.as_namespace_binding().is_none() {
                read.push((name, resolve(&attribute.value)));
            }
        }
        Self(read)
    }

    /// The first of this name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim())
    }
}

#[cfg(test)]
impl From<&[(&str, &str)]> for Attributes {
    fn from(pairs: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self(pairs.iter().map(own).collect())
    }
}
