//! `YouTube`: comments below chosen videos, or below all videos of chosen channels.
//!
//! Threads are listed newest first and walked back to what was seen. Threads are looked at again,
//! fifty for a unit of quota: replies, edits, likes and deletions show there. The units used are kept
//! in the cursor; when they are used up the source waits for midnight in California.

mod comment;
mod platform;
mod quota;

use std::time::Duration;

use bytes::Bytes;
use echolot_pipeline::{
    settings::{Problems, Secret},
    stage::Rejection,
};
use serde::Deserialize;

use self::platform::YouTube;
use crate::{
    source::{Page, SourceFault},
    sources::{
        Parts, SampleContext, SourceContext, SourceOptions,
        polled::{
            self, Polled,
            options::{check_base, check_names, check_secret, read_secret},
        },
    },
    submission::malformed_json,
};

/// Where a key comes from.
const KEY: &str = "make one at https://console.cloud.google.com/apis/credentials, in a project with \
    the YouTube Data API v3 enabled; set it, or file:PATH";

/// Options of `kind = "youtube"`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct YouTubeOptions {
    /// The API key.
    key: Secret,
    /// Ids of channels (`UC…`), all videos of which are followed.
    channels: Vec<String>,
    /// Ids of videos.
    videos: Vec<String>,
    /// Units of quota to use a day.
    daily_units: u64,
    /// How far back the first walk goes.
    #[serde(with = "humantime_serde")]
    lookback: Duration,
    /// How long threads are looked at again.
    #[serde(with = "humantime_serde")]
    recheck_for: Duration,
    /// Where the API is.
    api: String,
}

impl Default for YouTubeOptions {
    fn default() -> Self {
        Self {
            key: Secret::default(),
            channels: Vec::new(),
            videos: Vec::new(),
            daily_units: 9000,
            lookback: Duration::from_hours(7 * 24),
            recheck_for: Duration::from_hours(14 * 24),
            api: "https://www.googleapis.com".to_owned(),
        }
    }
}

/// How often it is asked where the settings do not say.
const INTERVAL: Duration = Duration::from_mins(5);

impl SourceOptions for YouTubeOptions {
    fn validate(&self, path: &str, problems: &mut Problems) {
        let at = |name: &str| format!("{path}.{name}");
        check_secret(&self.key, &at("key"), KEY, problems);
        problems.check(
            !self.channels.is_empty() || !self.videos.is_empty(),
            &at("channels"),
            "channels and videos are both empty; name some by their ids",
        );
        check_names(&self.channels, &at("channels"), "_-", problems);
        check_names(&self.videos, &at("videos"), "_-", problems);
        problems.check(
            (1..=10_000_000).contains(&self.daily_units),
            &at("daily_units"),
            "must be 1 to 10000000; Google grants 10000 a day unless asked for more",
        );
        check_base(&self.api, &at("api"), problems);
    }

    fn build(&self, context: SourceContext) -> Result<Parts, SourceFault> {
        let platform = YouTube::new(self, &context, read_secret(&self.key)?);
        Ok(Parts::pulled(Polled::new(context, platform, INTERVAL)))
    }

    fn judge_sample(&self, context: &SampleContext<'_>, sample: Bytes) -> Result<Page, Rejection> {
        let list: comment::List =
            serde_json::from_slice(&sample).map_err(|error| malformed_json(&sample, &error))?;
        let mut page = Page::default();
        for item in &list.items {
            match serde_json::from_str(item.get()) {
                Ok(thread) => platform::add_thread(&mut page, context.name, &thread),
                Err(error) => {
                    let original = Bytes::copy_from_slice(item.get().as_bytes());
                    let rejection = malformed_json(&original, &error);
                    let id = comment::id(item).unwrap_or_default();
                    polled::add(&mut page, context.name, &id, Err(rejection), original);
                }
            }
        }
        Ok(page)
    }
}
