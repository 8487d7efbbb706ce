//! Hacker News: every story and comment, by the Firebase API.
//!
//! Ids count up, so the cursor is the next id. Three streams of requests: new ids up to `maxitem`;
//! `updates`, for edits, scores and deletions of the last minutes; and a second look at every item
//! once it is `recheck_after` old, because what changed while nobody listened is in no list.

mod item;
mod platform;

use std::time::Duration;

use bytes::Bytes;
use echolot_pipeline::{settings::Problems, stage::Rejection};
use serde::Deserialize;

use self::platform::HackerNews;
use crate::{
    source::{Page, SourceFault},
    sources::{
        Parts, SampleContext, SourceContext, SourceOptions,
        polled::{self, Polled, options::check_base},
    },
    submission::malformed_json,
};

/// Options of `kind = "hackernews"`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HackerNewsOptions {
    /// Where the API is.
    api: String,
    /// Number of items before the newest to begin with.
    lookback: u64,
    /// Age at which every item is looked at a second time; zero not to.
    #[serde(with = "humantime_serde")]
    recheck_after: Duration,
}

impl Default for HackerNewsOptions {
    fn default() -> Self {
        Self {
            api: "https://hacker-news.firebaseio.com".to_owned(),
            lookback: 200,
            recheck_after: Duration::from_mins(150),
        }
    }
}

/// How often it is asked where the settings do not say.
const INTERVAL: Duration = Duration::from_secs(30);

impl SourceOptions for HackerNewsOptions {
    fn validate(&self, path: &str, problems: &mut Problems) {
        check_base(&self.api, &format!("{path}.api"), problems);
        let most = Duration::from_hours(14 * 24);
        problems.check(
            self.recheck_after <= most,
            &format!("{path}.recheck_after"),
            "must be at most 14d",
        );
        problems.check(
            self.lookback <= 100_000,
            &format!("{path}.lookback"),
            "must be at most 100000",
        );
    }

    fn build(&self, context: SourceContext) -> Result<Parts, SourceFault> {
        let platform = HackerNews::new(self, &context);
        Ok(Parts::pulled(Polled::new(context, platform, INTERVAL)))
    }

    fn judge_sample(&self, context: &SampleContext<'_>, sample: Bytes) -> Result<Page, Rejection> {
        let item: item::Item =
            serde_json::from_slice(&sample).map_err(|error| malformed_json(&sample, &error))?;
        let mut page = Page::default();
        let id = item.id.to_string();
        if item.is_gone() {
            page.observations.push(crate::source::Observation::deleted(context.name, id));
        } else {
            polled::add(&mut page, context.name, &id, Ok(item.submission(None)), sample);
        }
        Ok(page)
    }
}
