//! Dead letters on their way to `mentions.dead` and back.

use echolot_schemas::{Timestamp, dead_letter::header};

use crate::stage::Rejection;

/// Longest detail kept: enough to act on, too short to smuggle a text through.
const DETAIL_BYTES: usize = 1024;

/// Where a refused record stood.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Topic without prefix.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
}

/// A record that a stage refused: the original bytes and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Which stage refused it.
    pub stage: String,
    /// Why.
    pub rejection: Rejection,
    /// Where it stood; none for what never reached a topic.
    pub origin: Option<Origin>,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value, byte for byte.
    pub payload: Vec<u8>,
    /// Its headers.
    pub headers: Vec<(String, Vec<u8>)>,
    /// When it was refused.
    pub at: Timestamp,
}

impl DeadLetter {
    /// The headers it had, and those that say why it died.
    pub(crate) fn all_headers(&self) -> Vec<(String, Vec<u8>)> {
        let mut all = self.headers.clone();
        let mut add = |name: &str, value: String| all.push((name.to_owned(), value.into_bytes()));
        add(header::STAGE, self.stage.clone());
        add(header::REASON, self.rejection.reason.as_str().to_owned());
        add(header::DETAIL, capped(&self.rejection.detail));
        add(header::AT, self.at.to_string());
        if let Some(origin) = &self.origin {
            add(header::TOPIC, origin.topic.clone());
            add(header::PARTITION, origin.partition.to_string());
            add(header::OFFSET, origin.offset.to_string());
        }
        all
    }
}

fn capped(detail: &str) -> String {
    let mut end = detail.len().min(DETAIL_BYTES);
    while !detail.is_char_boundary(end) {
        end -= 1;
    }
    detail[..end].to_owned()
}
