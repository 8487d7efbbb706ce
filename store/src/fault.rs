//! What can go wrong with the store, and what the runtime should do about it.

use std::time::Duration;

use clickhouse::error::Error;
use echolot_pipeline::stage::Fault;

use crate::Action;

/// A server that fails in mid-query may answer with megabytes.
const LONGEST_DETAIL: usize = 500;

/// A statement that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It took too long. It may still take effect.
    #[error("ClickHouse did not finish to {action} within {after:?}")]
    Timeout {
        /// What was tried.
        action: Action,
        /// The limit that was reached.
        after: Duration,
    },
    /// Nobody answered, or the connection broke. It may have taken effect.
    #[error(
        "ClickHouse cannot be reached to {action}: {detail}; is it running, and clickhouse.url right?"
    )]
    Unreachable {
        /// What was tried.
        action: Action,
        /// What the network said.
        detail: String,
    },
    /// The server said no.
    #[error("ClickHouse would not {action}: {detail}{advice}", advice = advice(*action, *code))]
    Server {
        /// What was tried.
        action: Action,
        /// ClickHouse's error code.
        code: u32,
        /// ClickHouse's words, at most 500 characters.
        detail: String,
    },
    /// The answer or the table is not what this build knows.
    #[error(
        "cannot {action}: {detail}; do the tables and this build belong together? `echolot migrate` brings tables up to date"
    )]
    Mismatch {
        /// What was tried.
        action: Action,
        /// Where they differ.
        detail: String,
    },
    /// A password file cannot be read.
    #[error("{0}")]
    Secret(String),
    /// The connection cannot be secured as the settings say.
    #[error("cannot set up TLS towards ClickHouse: {0}")]
    Tls(String),
    /// A generation that is asked for is not there.
    #[error("generation {0} does not exist; `echolot migrate` makes it")]
    NoGeneration(u32),
    /// A generation that the views show.
    #[error("generation {0} is promoted; promote another one before dropping it")]
    Promoted(u32),
    /// A migration file that was changed after it had been applied.
    #[error(
        "migration {number:04} of {database} was applied with another content (sha256 {applied}, now {now}); restore the file and put the change into a new migration"
    )]
    Altered {
        /// Which database.
        database: String,
        /// Its number.
        number: u32,
        /// SHA-256 of the applied one.
        applied: String,
        /// SHA-256 of the present one.
        now: String,
    },
}

/// What the runtime should do about an error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Transient,
    Refused,
    Fatal,
}

/// ClickHouse's error codes (src/Common/ErrorCodes.cpp) by what they mean here.
///
/// | class | codes |
/// |---|---|
/// | refused: a row is at fault | cannot parse (6, 25, 26, 27, 38, 41, 72), incorrect data (117), out of bounds (69, 128, 131, 321), conversion (70), NULL (349), constraint (469), unknown enum element (691) |
/// | fatal: an operator must act | schema (10, 16, 20, 44, 47, 53, 60, 81, 218), statement (36, 42, 43, 48, 62, 115, 179, 184, 215, 452), login and rights (192, 193, 194, 291, 497, 516) |
/// | transient: all others | among them network (32, 198, 209, 210, 279), time and load (159, 160, 202, 203, 252, 439), memory (241), disk (74, 75, 76, 243), read-only (164, 242), keeper (225, 285, 286, 319, 999), a table still being loaded (695, 696), cancelled (236, 394, 735) |
///
/// Unknown codes are transient: waiting loses nothing, while a dead letter or a stopped role might
/// be wrong.
fn class(code: u32) -> Class {
    match code {
        6 | 25..=27 | 38 | 41 | 69 | 70 | 72 | 117 | 128 | 131 | 321 | 349 | 469 | 691 => {
            Class::Refused
        }
        10
        | 16
        | 20
        | 36
        | 42
        | 43
        | 44
        | 47
        | 48
        | 53
        | 60
        | 62
        | 81
        | 115
        | 179
        | 184
        | 192..=194
        | 215
        | 218
        | 291
        | 452
        | 497
        | 516 => Class::Fatal,
        _ => Class::Transient,
    }
}

fn advice(action: Action, code: u32) -> &'static str {
    match code {
        497 if action == Action::Answer => {
            "; this user may only read the published views, see docs/tables.md"
        }
        60 | 81 => "; `echolot migrate` creates what is missing",
        192..=194 | 516 => "; check clickhouse.user and clickhouse.password",
        291 | 497 => "; the user needs all rights on the database and its generations",
        243 => "; free some disk space",
        164 => "; this user may only read",
        252 => "; merges lag behind inserts",
        _ => "",
    }
}

impl StoreError {
    /// The store's answer to `action`.
    pub(crate) fn new(action: Action, error: Error, after: Duration) -> Self {
        match error {
            Error::TimedOut => Self::Timeout { action, after },
            Error::Network(_) | Error::Decompression(_) | Error::Compression(_) => {
                Self::Unreachable { action, detail: capped(&chain(&error)) }
            }
            Error::BadResponse(text) => match code_of(&text) {
                Some(code) => Self::Server { action, code, detail: capped(&text) },
                // A proxy's page, or a body cut off.
                None => Self::Unreachable { action, detail: capped(&text) },
            },
            Error::NotEnoughData => Self::Unreachable { action, detail: error.to_string() },
            other => Self::Mismatch { action, detail: capped(&chain(&other)) },
        }
    }

    /// True when trying again may help.
    pub fn is_transient(&self) -> bool {
        matches!(Fault::from(self.clone()), Fault::Transient(_))
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        match error {
            StoreError::Timeout { .. } | StoreError::Unreachable { .. } => Self::Transient(text),
            StoreError::Server { action, code, .. } => match class(code) {
                Class::Transient => Self::Transient(text),
                // Only an insert of mentions carries rows that could be at fault.
                Class::Refused if action == Action::Insert => Self::Refused(text),
                Class::Refused | Class::Fatal => Self::Fatal(text),
            },
            StoreError::Mismatch { .. }
            | StoreError::Secret(_)
            | StoreError::Tls(_)
            | StoreError::NoGeneration(_)
            | StoreError::Promoted(_)
            | StoreError::Altered { .. } => Self::Fatal(text),
        }
    }
}

/// `Code: 252. DB::Exception: …`, wherever in the answer it stands.
fn code_of(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("Code: ")?;
    let digits: &str = &rest[..rest.bytes().take_while(u8::is_ascii_digit).count()];
    digits.parse().ok()
}

/// The client's own error says only "network error"; the reason is behind it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn capped(text: &str) -> String {
    text.trim().chars().take(LONGEST_DETAIL).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(action: Action, answer: &str) -> Fault {
        let error = Error::BadResponse(answer.to_owned());
        StoreError::new(action, error, Duration::from_secs(1)).into()
    }

    #[test]
    fn a_full_disk_waits_a_bad_row_is_refused_and_a_wrong_password_stops() {
        let disk = fault(Action::Insert, "Code: 243. DB::Exception: Cannot reserve 1 MiB");
        assert!(matches!(disk, Fault::Transient(text) if text.contains("free some disk space")));
        let row = fault(Action::Insert, "Code: 469. DB::Exception: Constraint is violated");
        assert!(matches!(row, Fault::Refused(_)));
        let login = fault(Action::Connect, "Code: 516. DB::Exception: Authentication failed");
        assert!(matches!(login, Fault::Fatal(text) if text.contains("clickhouse.password")));
    }

    #[test]
    fn only_an_insert_can_blame_a_row() {
        let recompute = fault(Action::Recompute, "Code: 469. DB::Exception: Constraint");
        assert!(matches!(recompute, Fault::Fatal(_)));
    }

    #[test]
    fn a_megabyte_of_error_is_capped() {
        let long = format!("Code: 241. DB::Exception: {}", "x".repeat(1 << 20));
        let Fault::Transient(text) = fault(Action::Insert, &long) else { panic!("not transient") };
        assert!(text.len() < 600, "{}", text.len());
    }

    #[test]
    fn an_answer_without_a_code_is_the_networks_fault() {
        let page = fault(Action::Insert, "<html>502 Bad Gateway</html>");
        assert!(matches!(page, Fault::Transient(text) if text.contains("502")));
    }
}
