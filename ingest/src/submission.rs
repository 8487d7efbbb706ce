//! Submissions out of JSON, and what to say about those that are none.

use std::str;

use echolot_pipeline::stage::Rejection;
use echolot_schemas::{dead_letter::Reason, limits, submission::Submission};
use serde::Deserialize;

/// Longest excerpt of a parser's message, which may quote what it read.
const DETAIL_CHARS: usize = 300;

/// Reads one submission as `POST /v1/mentions` takes it: every field known, none twice.
pub fn read_submission(json: &[u8]) -> Result<Submission, Rejection> {
    serde_json::from_slice(json).map_err(|error| malformed_json(json, &error))
}

/// Why `json` could not be read, without naming a line: the caller knows which one it is.
pub(crate) fn malformed_json(json: &[u8], error: &serde_json::Error) -> Rejection {
    let detail = if let Err(invalid) = str::from_utf8(json) {
        not_utf8(json, invalid.valid_up_to())
    } else {
        let message = error.to_string();
        let message = message.rsplit_once(" at line ").map_or(&*message, |(head, _)| head);
        format!("{} (column {})", excerpt(&message), error.column())
    };
    malformed(detail)
}

/// What a parser says, as far as it is short.
pub(crate) fn excerpt(error: &impl ToString) -> String {
    error.to_string().chars().take(DETAIL_CHARS).collect()
}

pub(crate) fn malformed(detail: impl Into<String>) -> Rejection {
    Rejection { reason: Reason::Malformed, detail: detail.into() }
}

/// Says which byte is no UTF-8 and what would mend it.
pub(crate) fn not_utf8(bytes: &[u8], at: usize) -> String {
    let byte = bytes.get(at).copied().unwrap_or_default();
    format!(
        "byte {} (0x{byte:02x}) is no valid UTF-8; `iconv -f WINDOWS-1252 -t UTF-8` may mend it",
        at + 1
    )
}

/// The native id in JSON that is otherwise no submission, so that its sender finds it again.
pub(crate) fn native_id(json: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Id {
        id: String,
    }
    let Id { id } = serde_json::from_slice(json).ok()?;
    (id.len() <= limits::NATIVE_ID_BYTES).then_some(id)
}
