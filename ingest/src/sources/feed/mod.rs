//! RSS, Atom and JSON Feed: `kind = "feed"`.
//!
//! ```text
//!  each address, when its turn is ─▶ GET, If-None-Match ─▶ 304: nothing new, asked less often
//!        ▲                               │ 200
//!        │                               ▼
//!        └─ sooner again ◀── new ── entries beside those of the document before ─▶ page, cursor
//! ```
//!
//! An entry is told again only when it changed, so a feed that moves slowly costs nothing. Entries
//! without an id have their link or their words as one; those without a time have that of their first
//! reading. Where a document shares no entry with the one before, what stood in between may have
//! been missed, and that is told as a gap.

mod decode;
mod document;
mod json;
mod place;
mod source;
mod translate;

use std::time::Duration;

use bytes::Bytes;
use echolot_pipeline::{settings::Problems, stage::Rejection};
use serde::Deserialize;
use url::Url;

use self::{document::Document, source::FeedSource};
use crate::{
    rejected::{Place, Rejected},
    source::{Page, SourceFault},
    sources::{Parts, SampleContext, SourceContext, SourceOptions},
};

/// Asked so often when nothing else is said.
const INTERVAL: Duration = Duration::from_mins(10);

/// `[sources.NAME]` of kind `feed`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct FeedOptions {
    /// Addresses of feeds.
    urls: Vec<String>,
    /// A feed without news is asked less and less often, down to this; none for six times `interval`.
    #[serde(with = "humantime_serde")]
    longest_interval: Option<Duration>,
}

impl SourceOptions for FeedOptions {
    fn validate(&self, path: &str, problems: &mut Problems) {
        problems.check(
            (1..=1_000).contains(&self.urls.len()),
            &format!("{path}.urls"),
            "must name 1 to 1000 feeds",
        );
        for url in &self.urls {
            let web = Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            let message = format!("{url:.100} is no http or https address");
            problems.check(web, &format!("{path}.urls"), message);
        }
        problems.check(
            self.longest_interval.is_none_or(|longest| longest <= Duration::from_hours(24)),
            &format!("{path}.longest_interval"),
            "must be at most 24h",
        );
    }

    fn build(&self, context: SourceContext) -> Result<Parts, SourceFault> {
        let interval = context.common.interval.unwrap_or(INTERVAL);
        let longest = self.longest_interval.unwrap_or(interval * 6).max(interval);
        let urls = self
            .urls
            .iter()
            .map(|url| Url::parse(url))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| SourceFault::Fatal(format!("urls: {error}")))?;
        Ok(Parts::pulled(FeedSource::new(context, urls, interval, longest)))
    }

    fn judge_sample(&self, context: &SampleContext<'_>, sample: Bytes) -> Result<Page, Rejection> {
        let base = self.urls.first().and_then(|url| Url::parse(url).ok());
        let now = context.clock.now();
        let Document { items, broken } =
            document::read(context.name, &sample, None, base.as_ref(), now)?;
        let observations = items.into_iter().map(|item| item.observation).collect();
        let place = Place::NativeId(context.file.display().to_string());
        let rejected = broken.map(|rejection| Rejected::new(place, rejection, sample));
        Ok(Page { observations, rejected: rejected.into_iter().collect(), ..Page::default() })
    }
}
