//! `[sources.NAME.stream]`: options that all streaming sources have.

use std::time::Duration;

use bytesize::ByteSize;
use echolot_pipeline::settings::Problems;
use serde::Deserialize;

use super::{gathering::PageLimits, reconnects::Reconnects, session::SessionLimits};

/// Most items on a page.
const PAGE_ITEMS: usize = 2_000;
/// Most bytes on a page.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// `[sources.NAME.stream]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StreamSettings {
    /// Silence after which the connection is given up; half of it is waited before asking.
    #[serde(with = "humantime_serde")]
    pub idle_timeout: Duration,
    /// Largest frame; a larger one ends the connection.
    pub frame_limit: ByteSize,
    /// How long frames are gathered before they are published.
    #[serde(with = "humantime_serde")]
    pub linger: Duration,
    /// Pause before the first new connection; each further one is twice as long.
    #[serde(with = "humantime_serde")]
    pub reconnect_first: Duration,
    /// Longest pause before a new connection.
    #[serde(with = "humantime_serde")]
    pub reconnect_longest: Duration,
}

impl Default for StreamSettings {
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_secs(90),
            frame_limit: ByteSize::mib(2),
            linger: Duration::from_millis(500),
            reconnect_first: Duration::from_secs(1),
            reconnect_longest: Duration::from_mins(1),
        }
    }
}

impl StreamSettings {
    /// Notes everything wrong with them; they stand under `path`.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        let mut check = |ok, name: &str, message: &str| {
            problems.check(ok, &format!("{path}.stream.{name}"), message);
        };
        let hour = Duration::from_hours(1);
        check(
            (Duration::from_secs(1)..=hour).contains(&self.idle_timeout),
            "idle_timeout",
            "must be 1s to 1h",
        );
        check(
            (ByteSize::kib(64)..=ByteSize::mib(64)).contains(&self.frame_limit),
            "frame_limit",
            "must be 64KiB to 64MiB",
        );
        check(
            (Duration::from_millis(1)..=Duration::from_mins(1)).contains(&self.linger),
            "linger",
            "must be 1ms to 1m",
        );
        check(
            (Duration::from_millis(1)..=hour).contains(&self.reconnect_first),
            "reconnect_first",
            "must be 1ms to 1h",
        );
        check(
            (self.reconnect_first..=hour).contains(&self.reconnect_longest),
            "reconnect_longest",
            "must be reconnect_first to 1h",
        );
    }

    /// What a session puts up with.
    pub fn session(&self) -> SessionLimits {
        SessionLimits {
            ping_after: self.idle_timeout / 2,
            idle_timeout: self.idle_timeout,
            frame_bytes: usize::try_from(self.frame_limit.as_u64()).unwrap_or(usize::MAX),
        }
    }

    /// When a page is done.
    pub fn page(&self) -> PageLimits {
        PageLimits { items: PAGE_ITEMS, bytes: PAGE_BYTES, linger: self.linger }
    }

    /// The pauses between connections.
    pub fn reconnects(&self) -> Reconnects {
        Reconnects::new(self.reconnect_first, self.reconnect_longest)
    }
}
