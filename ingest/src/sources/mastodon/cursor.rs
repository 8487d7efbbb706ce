//! How far each timeline is read.

use std::{collections::BTreeMap, fmt, str::FromStr};

use super::timeline::Timeline;

/// The newest status seen of each timeline, by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor(BTreeMap<String, String>);

/// A saved cursor that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no cursor of Mastodon")]
pub struct InvalidCursor(String);

impl Cursor {
    /// The newest status seen of `timeline`.
    pub fn newest(&self, timeline: &Timeline) -> Option<&str> {
        self.0.get(&timeline.to_string()).map(String::as_str)
    }

    /// `timeline` showed the status `id`.
    ///
    /// Ids grow with their length and then in the order of their characters. What an instance
    /// learns of late has an id of its past, and must not turn the cursor back.
    pub fn pass(&mut self, timeline: &Timeline, id: &str) {
        let newest = self.0.entry(timeline.to_string()).or_default();
        if (id.len(), id) > (newest.len(), newest.as_str()) {
            id.clone_into(newest);
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        serde_json::to_string(&self.0).map_err(|_| fmt::Error)?.fmt(f)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_str(text)
            .map(Self)
            .map_err(|_| InvalidCursor(text.chars().take(80).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_that_comes_late_does_not_turn_the_cursor_back() {
        let mut cursor = Cursor::default();
        for id in ["99", "100", "98"] {
            cursor.pass(&Timeline::Public, id);
        }
        let cursor: Cursor = cursor.to_string().parse().unwrap();
        assert_eq!(cursor.newest(&Timeline::Public), Some("100"));
        assert_eq!(cursor.newest(&Timeline::Local), None);
        assert!("17".parse::<Cursor>().is_err());
    }
}
