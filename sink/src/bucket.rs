//! Ten seconds of mentions, by their sort time.

use echolot_schemas::Timestamp;

/// Length of a bucket: short enough that recomputing the present one stays cheap at any rate,
/// long enough that a day has few of them.
const SECONDS: i64 = 10;

/// Ten seconds of mentions: seconds since 1970, a multiple of ten, as in the column `bucket`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Bucket(u32);

impl Bucket {
    /// The bucket of a sort time. A time that fits no bucket is refused with its row.
    pub(crate) fn of(published_at: Timestamp) -> Self {
        let start = published_at.as_seconds().div_euclid(SECONDS) * SECONDS;
        Self(u32::try_from(start.max(0)).unwrap_or(u32::MAX))
    }

    /// As a literal in a statement.
    pub(crate) const fn as_seconds(self) -> u32 {
        self.0
    }
}
