//! The sources: one file (or folder) a platform, and the list of them.
//!
//! ```text
//!  [sources.NAME] kind = "feed" ─▶ KINDS ─▶ SourceOptions ─validate─▶ problems with paths
//!                                               │ build
//!                                               ▼
//!                              Parts { source: pulled by a Collector, hook: calls us }
//! ```
//!
//! A new kind is one module and one line in [`KINDS`]. Every field of its options has a default, so
//! that a missing one is told by `validate` in the platform's own words (where to get a token) and
//! not by the parser.

mod discourse;
mod feed;
mod googleplay;
mod hackernews;
pub mod jetstream;
pub mod mastodon;
pub mod mattermost;
mod polled;
mod reddit;
mod settings;
pub mod stream;
mod viva;
mod webhook;
mod youtube;

use std::{fmt, path::Path, sync::Arc};

use bytes::Bytes;
use echolot_pipeline::{clock::Clock, settings::Problems, stage::Rejection};
use echolot_schemas::SourceName;
use serde::de::DeserializeOwned;

pub use self::settings::{CommonSettings, SourceSettings, SourcesSettings};
use crate::{
    hooks::Hook,
    http::HttpClient,
    keep::KeepRule,
    source::{AnySource, Page, SourceFault},
};

/// One kind of source.
#[derive(Clone, Copy)]
pub struct Kind {
    /// What `kind` says in the settings.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// Reads its options, those that all sources share taken out.
    read: fn(serde_json::Value) -> Result<Arc<dyn SourceOptions>, serde_json::Error>,
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kind").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Kind {
    /// A kind whose options are an `O`.
    pub const fn new<O: SourceOptions + DeserializeOwned + 'static>(
        name: &'static str,
        about: &'static str,
    ) -> Self {
        Self { name, about, read: |json| Ok(Arc::new(serde_json::from_value::<O>(json)?)) }
    }

    /// True when the platform is always inside a company.
    pub fn is_internal(&self) -> bool {
        (self.read)(serde_json::json!({})).is_ok_and(|options| options.internal())
    }

    /// Reads options of this kind.
    pub fn read(
        &self,
        options: serde_json::Value,
    ) -> Result<Arc<dyn SourceOptions>, serde_json::Error> {
        (self.read)(options)
    }
}

/// Every kind, by name.
pub const KINDS: &[Kind] = &[
    Kind::new::<discourse::DiscourseOptions>("discourse", "a Discourse forum, asked or calling"),
    Kind::new::<feed::FeedOptions>("feed", "RSS, Atom and JSON Feed"),
    Kind::new::<jetstream::JetstreamOptions>("jetstream", "Bluesky, over its public firehose"),
    Kind::new::<mastodon::MastodonOptions>("mastodon", "timelines of a Mastodon instance"),
    Kind::new::<mattermost::MattermostOptions>("mattermost", "channels of a Mattermost team"),
    Kind::new::<googleplay::GooglePlayOptions>("googleplay", "Google Play: reviews of own apps"),
    Kind::new::<hackernews::HackerNewsOptions>("hackernews", "Hacker News: stories and comments"),
    Kind::new::<reddit::RedditOptions>("reddit", "Reddit: posts and comments of subreddits"),
    Kind::new::<viva::VivaOptions>("viva", "Viva Engage: messages of the intranet, internal"),
    Kind::new::<webhook::WebhookOptions>("webhook", "Any sender of JSON, by a mapping"),
    Kind::new::<youtube::YouTubeOptions>("youtube", "YouTube: comments by video or channel"),
];

/// The kind of this name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// What a source is built with.
#[derive(Clone, Debug)]
pub struct SourceContext {
    /// Its configured name.
    pub name: SourceName,
    /// What all sources have.
    pub common: CommonSettings,
    /// The way out.
    pub http: HttpClient,
    /// What time it is.
    pub clock: Clock,
}

/// What a configured source consists of: at least one of both.
#[derive(Default)]
pub struct Parts {
    /// Is asked for pages.
    pub source: Option<AnySource>,
    /// Calls us.
    pub hook: Option<Arc<dyn Hook>>,
}

impl Parts {
    /// A source that is asked.
    pub fn pulled(source: impl crate::source::Source + 'static) -> Self {
        Self { source: Some(AnySource::new(source)), hook: None }
    }

    /// A source that calls.
    pub fn hooked(hook: impl Hook + 'static) -> Self {
        Self { source: None, hook: Some(Arc::new(hook)) }
    }
}

/// The options of one kind.
pub trait SourceOptions: fmt::Debug + Send + Sync {
    /// Notes everything wrong with them; they stand under `path` (`sources.NAME`).
    fn validate(&self, path: &str, problems: &mut Problems);

    /// True when the platform is always inside a company, whatever the settings say.
    fn internal(&self) -> bool {
        false
    }

    /// Which of its mentions enter the log where the settings do not say.
    fn keep(&self) -> KeepRule {
        KeepRule::All
    }

    /// Builds the source. Nothing is connected yet.
    fn build(&self, context: SourceContext) -> Result<Parts, SourceFault>;

    /// What a recorded answer of the platform says: for `echolot source test --sample` and tests.
    /// Reads exactly as the running source does. An error refuses the whole file.
    fn judge_sample(&self, context: &SampleContext<'_>, sample: Bytes) -> Result<Page, Rejection>;
}

/// Where a sample comes from.
#[derive(Clone, Copy, Debug)]
pub struct SampleContext<'a> {
    /// Which source to read it as.
    pub name: &'a SourceName,
    /// The file, for those whose format shows in the name.
    pub file: &'a Path,
    /// The options that all sources share.
    pub common: &'a CommonSettings,
    /// What time it is: stands in where a platform gives none.
    pub clock: &'a Clock,
}
