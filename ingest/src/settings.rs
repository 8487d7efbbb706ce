//! `[ingest]` and `[privacy]`: see `default.toml` beside this crate for every option explained.

use std::{
    collections::{BTreeMap, HashSet},
    net::SocketAddr,
    ops::RangeInclusive,
    time::Duration,
};

use bytesize::ByteSize;
use echolot_pipeline::settings::{Problems, Secret};
use echolot_schemas::{SourceName, limits};
use serde::Deserialize;

use crate::{files::TimeZoneRule, http::HttpSettings, keep::KeepRule};

/// `[privacy]`: what is kept about authors.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivacySettings {
    /// Key of the pseudonyms; empty to have one made in the data directory.
    pub author_key: Secret,
    /// Store visible handles beside pseudonyms. Never done for internal sources.
    pub keep_handles: bool,
}

/// `[ingest]`: how mentions come in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IngestSettings {
    /// Sources inside the company, besides internal senders: no author is ever kept.
    pub internal_sources: Vec<String>,
    /// HTTP push.
    pub push: PushSettings,
    /// Backfilled files.
    pub files: FilesSettings,
    /// How sources reach out.
    pub http: HttpSettings,
    /// Time between two searches for mentions of authors who are gone.
    #[serde(with = "humantime_serde")]
    pub purge_every: Duration,
}

/// `[ingest.push]`: `POST /v1/mentions`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PushSettings {
    /// `address:port` to listen on. Off loopback every sender needs a secret.
    pub listen: String,
    /// Largest body as sent.
    pub body_limit: ByteSize,
    /// Largest body after decompression.
    pub decompressed_limit: ByteSize,
    /// Most mentions in one request.
    pub items_limit: usize,
    /// How far a signature's time may be off, either way.
    #[serde(with = "humantime_serde")]
    pub signature_window: Duration,
    /// How long the head of a request may take.
    #[serde(with = "humantime_serde")]
    pub header_timeout: Duration,
    /// How long the body of a request may take.
    #[serde(with = "humantime_serde")]
    pub body_timeout: Duration,
    /// How long a request waits for the log's acknowledgement.
    #[serde(with = "humantime_serde")]
    pub publish_timeout: Duration,
    /// What `Retry-After` says, in whole seconds.
    #[serde(with = "humantime_serde")]
    pub retry_after: Duration,
    /// Most connections; further ones wait to be accepted.
    pub connections: usize,
    /// Most requests at work; further ones are answered 429.
    pub requests_in_flight: usize,
    /// Most body bytes at work; what would pass it is answered 429.
    pub bytes_in_flight: ByteSize,
    /// Who may push, by source name.
    pub senders: BTreeMap<String, SenderSettings>,
}

/// `[ingest.push.senders.NAME]`: one that may push.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SenderSettings {
    /// Key of its signatures.
    #[serde(default)]
    pub secret: Secret,
    /// True for a source inside the company: no author is ever kept.
    #[serde(default)]
    pub internal: bool,
    /// Which of its mentions enter the log.
    #[serde(default)]
    pub keep: KeepRule,
}

/// `[ingest.files]`: `echolot backfill`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilesSettings {
    /// Source of records that name none, when the command names none either.
    pub source: String,
    /// Which mentions enter the log.
    pub keep: KeepRule,
    /// Time zone of times without an offset; empty to refuse them.
    pub time_zone: String,
    /// Longest line or record; a longer one is skipped and rejected.
    pub line_limit: ByteSize,
    /// Most records in a page: what is published and acknowledged together.
    pub page_records: usize,
    /// Most bytes in a page.
    pub page_bytes: ByteSize,
}

impl PrivacySettings {
    /// Notes everything wrong with these settings.
    pub fn validate(&self, problems: &mut Problems) {
        if !self.author_key.is_empty()
            && let Err(error) = crate::privacy::AuthorKey::read(&self.author_key)
        {
            problems.check(false, "privacy.author_key", error.to_string());
        }
    }
}

impl IngestSettings {
    /// Notes everything wrong with these settings.
    pub fn validate(&self, problems: &mut Problems) {
        for name in &self.internal_sources {
            check_name(name, "ingest.internal_sources", problems);
        }
        self.push.validate(problems);
        self.files.validate(problems);
        self.http.validate(problems);
        problems.check(
            (Duration::from_secs(1)..=Duration::from_hours(24)).contains(&self.purge_every),
            "ingest.purge_every",
            "must be 1s to 24h",
        );
    }

    /// Every source inside the company. Names that break the rule are left to [`Self::validate`].
    pub fn internal_sources(&self) -> HashSet<SourceName> {
        let senders = self.push.senders.iter().filter(|(_, sender)| sender.internal);
        self.internal_sources
            .iter()
            .chain(senders.map(|(name, _)| name))
            .filter_map(|name| SourceName::new(name.as_str()).ok())
            .collect()
    }

    /// Whether some source keeps matches only, and so needs the brand files.
    pub fn needs_brands(&self) -> bool {
        let senders = self.push.senders.values().map(|sender| sender.keep);
        senders.chain([self.files.keep]).any(|keep| keep == KeepRule::Matches)
    }

    /// Every source that the settings name: the only ones that become metric labels.
    pub fn source_names(&self) -> impl Iterator<Item = &str> {
        let senders = self.push.senders.keys().map(String::as_str);
        senders.chain([self.files.source.as_str()])
    }
}

impl PushSettings {
    fn validate(&self, problems: &mut Problems) {
        let mut check = |ok, path: &str, message: &str| {
            problems.check(ok, &format!("ingest.push.{path}"), message);
        };
        let brief = Duration::from_millis(100)..=Duration::from_mins(10);
        let between = |range: &RangeInclusive<Duration>, value| range.contains(&value);
        check(
            (ByteSize::kib(1)..=ByteSize::mib(256)).contains(&self.body_limit),
            "body_limit",
            "must be 1KiB to 256MiB",
        );
        check(
            self.decompressed_limit >= self.body_limit
                && self.decompressed_limit <= ByteSize::gib(1),
            "decompressed_limit",
            "must be at least body_limit and at most 1GiB",
        );
        check((1..=1_000_000).contains(&self.items_limit), "items_limit", "must be 1 to 1000000");
        check(
            (Duration::from_secs(1)..=Duration::from_hours(1)).contains(&self.signature_window),
            "signature_window",
            "must be 1s to 1h",
        );
        for (name, value) in [
            ("header_timeout", self.header_timeout),
            ("body_timeout", self.body_timeout),
            ("publish_timeout", self.publish_timeout),
        ] {
            check(between(&brief, value), name, "must be 100ms to 10m");
        }
        check(
            (Duration::from_secs(1)..=Duration::from_hours(1)).contains(&self.retry_after),
            "retry_after",
            "must be 1s to 1h",
        );
        check((1..=100_000).contains(&self.connections), "connections", "must be 1 to 100000");
        check(
            (1..=100_000).contains(&self.requests_in_flight),
            "requests_in_flight",
            "must be 1 to 100000",
        );
        check(
            self.bytes_in_flight >= self.decompressed_limit,
            "bytes_in_flight",
            "must be at least decompressed_limit, or the largest request could never be taken",
        );
        self.validate_senders(problems);
    }

    fn validate_senders(&self, problems: &mut Problems) {
        let address = self.listen.parse::<SocketAddr>();
        problems.check(
            address.is_ok(),
            "ingest.push.listen",
            "must be an address and a port, such as 127.0.0.1:8091",
        );
        let exposed = address.is_ok_and(|address| !address.ip().is_loopback());
        for (name, sender) in &self.senders {
            let path = format!("ingest.push.senders.{name}");
            check_name(name, &path, problems);
            if sender.secret.is_empty() {
                problems.check(
                    !exposed,
                    &format!("{path}.secret"),
                    format!(
                        "is needed because {} is not on loopback; `openssl rand -hex 32` makes one",
                        self.listen
                    ),
                );
            } else if let Err(error) = sender.secret.read() {
                problems.check(false, &format!("{path}.secret"), error.to_string());
            }
        }
    }
}

impl FilesSettings {
    fn validate(&self, problems: &mut Problems) {
        check_name(&self.source, "ingest.files.source", problems);
        if let Err(error) = TimeZoneRule::parse(&self.time_zone) {
            problems.check(false, "ingest.files.time_zone", error.to_string());
        }
        let mut check = |ok, path: &str, message: &str| {
            problems.check(ok, &format!("ingest.files.{path}"), message);
        };
        check(
            (ByteSize::b(limits::TEXT_BYTES as u64)..=ByteSize::mib(64)).contains(&self.line_limit),
            "line_limit",
            "must be 64KiB to 64MiB",
        );
        check((1..=1_000_000).contains(&self.page_records), "page_records", "must be 1 to 1000000");
        check(
            (ByteSize::kib(64)..=ByteSize::gib(1)).contains(&self.page_bytes),
            "page_bytes",
            "must be 64KiB to 1GiB",
        );
    }
}

fn check_name(name: &str, path: &str, problems: &mut Problems) {
    if let Err(error) = SourceName::new(name) {
        problems.check(false, path, error.to_string());
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    #[derive(Deserialize)]
    struct Root {
        ingest: IngestSettings,
        privacy: PrivacySettings,
    }

    fn with(change: impl FnOnce(&mut Root)) -> Vec<String> {
        let mut root: Root = toml::from_str(include_str!("../default.toml")).unwrap();
        change(&mut root);
        let mut problems = Problems::default();
        root.ingest.validate(&mut problems);
        root.privacy.validate(&mut problems);
        problems.into_vec().iter().map(ToString::to_string).collect()
    }

    fn sender(secret: &str) -> SenderSettings {
        SenderSettings {
            secret: Secret::from(SecretString::from(secret)),
            ..SenderSettings::default()
        }
    }

    #[test]
    fn the_shipped_defaults_are_valid() {
        assert_eq!(with(|_| ()), Vec::<String>::new());
    }

    #[test]
    fn a_sender_without_a_secret_is_refused_off_loopback_and_accepted_on_it() {
        let problems = with(|root| {
            root.ingest.push.listen = "0.0.0.0:8091".to_owned();
            root.ingest.push.senders.insert("forum".to_owned(), sender(""));
            root.ingest.push.senders.insert("ideas".to_owned(), sender("a good long secret"));
        });
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with("ingest.push.senders.forum.secret: is needed"));
        let problems = with(|root| {
            root.ingest.push.senders.insert("forum".to_owned(), sender(""));
        });
        assert_eq!(problems, Vec::<String>::new());
    }

    #[test]
    fn every_problem_is_told_at_once_with_its_path() {
        let problems = with(|root| {
            root.ingest.push.listen = "everywhere".to_owned();
            root.ingest.push.items_limit = 0;
            root.ingest.push.bytes_in_flight = ByteSize::kib(1);
            root.ingest.push.senders.insert("Forum!".to_owned(), sender("file:/does/not/exist"));
            root.ingest.files.time_zone = "Mars/Olympus".to_owned();
            root.ingest.files.page_records = 0;
            root.privacy.author_key = Secret::from(SecretString::from("short"));
        });
        let paths: Vec<_> = problems.iter().filter_map(|p| p.split(": ").next()).collect();
        assert_eq!(
            paths,
            [
                "ingest.push.items_limit",
                "ingest.push.bytes_in_flight",
                "ingest.push.listen",
                "ingest.push.senders.Forum!",
                "ingest.push.senders.Forum!.secret",
                "ingest.files.time_zone",
                "ingest.files.page_records",
                "privacy.author_key",
            ]
        );
    }

    #[test]
    fn internal_senders_and_named_sources_are_internal() {
        let mut root: Root = toml::from_str(include_str!("../default.toml")).unwrap();
        root.ingest.internal_sources = vec!["wiki".to_owned()];
        let internal = SenderSettings { internal: true, ..sender("") };
        root.ingest.push.senders.insert("intranet".to_owned(), internal);
        root.ingest.push.senders.insert("forum".to_owned(), sender(""));
        let mut names: Vec<_> =
            root.ingest.internal_sources().into_iter().map(String::from).collect();
        names.sort();
        assert_eq!(names, ["intranet", "wiki"]);
    }
}
