//! Reddit: posts and comments of chosen subreddits, by the OAuth API.
//!
//! Off unless the operator says that Reddit approved the use. Listings are walked from the newest
//! item back to what was seen; items are looked at again through `/api/info`, a hundred at a time,
//! which is where edits, scores and deletions come from. `X-Ratelimit-*` is kept to.

mod platform;
mod thing;

use std::time::Duration;

use bytes::Bytes;
use echolot_pipeline::{
    settings::{Problems, Secret},
    stage::Rejection,
};
use serde::Deserialize;

use self::platform::Reddit;
use crate::{
    source::{Page, SourceFault},
    sources::{
        Parts, SampleContext, SourceContext, SourceOptions,
        polled::{
            Polled,
            options::{check_base, check_names, check_secret, read_secret},
        },
    },
    submission::malformed_json,
};

/// Where a token comes from.
const TOKEN: &str = "create an app at https://www.reddit.com/prefs/apps, after Reddit approved your \
    use (https://support.reddithelp.com, \"Data API access\"); set it, or file:PATH";

/// Options of `kind = "reddit"`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RedditOptions {
    /// True once Reddit approved the use of its data; until then nothing is asked.
    approved: bool,
    /// The app's id.
    client_id: String,
    /// The app's secret.
    client_secret: Secret,
    /// A refresh token, to read what its user may read; empty to read as the app itself.
    refresh_token: Secret,
    /// Subreddits, without `r/`.
    subreddits: Vec<String>,
    /// Whether to follow posts.
    posts: bool,
    /// Whether to follow comments.
    comments: bool,
    /// How far back the first walk goes.
    #[serde(with = "humantime_serde")]
    lookback: Duration,
    /// How long items are looked at again.
    #[serde(with = "humantime_serde")]
    recheck_for: Duration,
    /// Where the API is.
    api: String,
    /// Where tokens are issued.
    login: String,
}

impl Default for RedditOptions {
    fn default() -> Self {
        Self {
            approved: false,
            client_id: String::new(),
            client_secret: Secret::default(),
            refresh_token: Secret::default(),
            subreddits: Vec::new(),
            posts: true,
            comments: true,
            lookback: Duration::from_hours(24),
            recheck_for: Duration::from_hours(7 * 24),
            api: "https://oauth.reddit.com".to_owned(),
            login: "https://www.reddit.com".to_owned(),
        }
    }
}

/// How often it is asked where the settings do not say.
const INTERVAL: Duration = Duration::from_mins(1);

impl SourceOptions for RedditOptions {
    fn validate(&self, path: &str, problems: &mut Problems) {
        let at = |name: &str| format!("{path}.{name}");
        problems.check(
            self.approved,
            &at("approved"),
            "must be true: Reddit's terms ask for approval of such a use first; \
             see https://support.reddithelp.com, \"Data API access\"",
        );
        problems.check(
            !self.client_id.is_empty(),
            &at("client_id"),
            format!("is missing; {TOKEN}"),
        );
        check_secret(&self.client_secret, &at("client_secret"), TOKEN, problems);
        if !self.refresh_token.is_empty() {
            check_secret(&self.refresh_token, &at("refresh_token"), TOKEN, problems);
        }
        problems.check(
            !self.subreddits.is_empty(),
            &at("subreddits"),
            "is empty; name some, such as [\"de\", \"Finanzen\"]",
        );
        check_names(&self.subreddits, &at("subreddits"), "_", problems);
        problems.check(
            self.posts || self.comments,
            &at("posts"),
            "posts and comments are both false, so nothing would be followed",
        );
        check_base(&self.api, &at("api"), problems);
        check_base(&self.login, &at("login"), problems);
    }

    fn build(&self, context: SourceContext) -> Result<Parts, SourceFault> {
        if !self.approved {
            return Err(SourceFault::Closed("approved is not true".to_owned()));
        }
        let secret = read_secret(&self.client_secret)?;
        let refresh = read_secret(&self.refresh_token)?;
        let platform = Reddit::new(self, &context, &secret, refresh);
        Ok(Parts::pulled(Polled::new(context, platform, INTERVAL)))
    }

    /// Takes a listing, or the two listings of a post and its comments.
    fn judge_sample(&self, context: &SampleContext<'_>, sample: Bytes) -> Result<Page, Rejection> {
        let malformed = |error| malformed_json(&sample, &error);
        let listings: Vec<thing::Listing> = if sample.trim_ascii_start().first() == Some(&b'[') {
            serde_json::from_slice(&sample).map_err(malformed)?
        } else {
            vec![serde_json::from_slice(&sample).map_err(malformed)?]
        };
        let mut page = Page::default();
        for child in listings.into_iter().flat_map(|listing| listing.data.children) {
            platform::add(&mut page, context.name, child);
        }
        Ok(page)
    }
}
