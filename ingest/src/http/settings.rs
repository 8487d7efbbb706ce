//! `[ingest.http]`: how sources reach out.

use std::time::Duration;

use bytesize::ByteSize;
use echolot_pipeline::settings::Problems;
use serde::Deserialize;

use crate::http::guard::Allowed;

/// `[ingest.http]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpSettings {
    /// Who runs this, for the User-Agent: a web page or an e-mail address.
    pub contact: String,
    /// Addresses, networks and host names that may be reached although they are not public.
    pub allow: Vec<String>,
    /// How long name look-up, connection and TLS may take.
    #[serde(with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// How long the head of an answer may take.
    #[serde(with = "humantime_serde")]
    pub header_timeout: Duration,
    /// How long an answer may pause between two parts.
    #[serde(with = "humantime_serde")]
    pub idle_timeout: Duration,
    /// How long a whole exchange may take, after its turn has come.
    #[serde(with = "humantime_serde")]
    pub total_timeout: Duration,
    /// Largest answer, unpacked.
    pub body_limit: ByteSize,
    /// Most requests at work at one host.
    pub requests_per_host: usize,
    /// Least time between two requests to one host, where a source does not know better.
    #[serde(with = "humantime_serde")]
    pub pace: Duration,
}

impl HttpSettings {
    /// Notes everything wrong with these settings.
    pub fn validate(&self, problems: &mut Problems) {
        let mut check = |ok, path: &str, message: &str| {
            problems.check(ok, &format!("ingest.http.{path}"), message);
        };
        let plain = |c: char| c.is_ascii_graphic() || c == ' ';
        check(
            self.contact.len() <= 200 && self.contact.chars().all(plain),
            "contact",
            "must be at most 200 ASCII characters, such as https://example.org/echolot",
        );
        let range = Duration::from_millis(50)..=Duration::from_mins(10);
        for (name, value) in [
            ("connect_timeout", self.connect_timeout),
            ("header_timeout", self.header_timeout),
            ("idle_timeout", self.idle_timeout),
            ("total_timeout", self.total_timeout),
        ] {
            check(range.contains(&value), name, "must be 50ms to 10m");
        }
        check(
            (ByteSize::kib(64)..=ByteSize::mib(256)).contains(&self.body_limit),
            "body_limit",
            "must be 64KiB to 256MiB",
        );
        check((1..=64).contains(&self.requests_per_host), "requests_per_host", "must be 1 to 64");
        check(self.pace <= Duration::from_mins(1), "pace", "must be at most 1m");
        for entry in &self.allow {
            if let Err(error) = entry.parse::<Allowed>() {
                problems.check(false, "ingest.http.allow", error.to_string());
            }
        }
    }
}
