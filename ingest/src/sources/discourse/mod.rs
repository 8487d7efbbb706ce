//! Discourse: the posts of a forum, asked for at `/posts.json` and called in by webhooks.
//!
//! * Native id: `TOPIC/NUMBER`, which replies name as well. A post that is moved to another topic is
//!   another mention there, and the one it was is deleted.
//! * Sort time: `created_at`.
//! * Author: the user name; a user who is destroyed takes all mentions along.
//! * Tags: the category's slug, `staff`, `accepted-answer`. Likes are likes, reads are reach.
//!
//! Quotes of others and previews of links are not the author's words and are left out. Private
//! messages, whispers and what the system notes are no mentions.
//!
//! A recovered post is observed anew. Where its deletion had been seen, that stays the last word.

mod hook;
mod platform;
mod post;

use std::time::Duration;

use bytes::Bytes;
use echolot_pipeline::{
    settings::{Problems, Secret},
    stage::Rejection,
};
use serde::Deserialize;

use self::{hook::DiscourseHook, platform::Discourse, post::Forum};
use crate::{
    source::{Page, SourceFault},
    sources::{
        Parts, SampleContext, SourceContext, SourceOptions,
        polled::{
            Polled,
            options::{check_base, check_secret, read_secret},
        },
    },
};

/// Where a key comes from.
const KEY: &str = "an admin of the forum makes one (Admin > API > New API Key, scope posts:list); \
    needed where visitors may not read";
/// Where the secret of a webhook comes from.
const SECRET: &str = "poll is off, so the forum has to call: put the secret of its webhook here, or \
    file:PATH (Admin > API > Webhooks, events post, topic and user)";

/// Options of `kind = "discourse"`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DiscourseOptions {
    /// The forum.
    url: String,
    /// Key of its API; empty to read as a visitor.
    api_key: Secret,
    /// The user that the key reads as.
    api_username: String,
    /// Secret of the webhook that calls `/v1/hooks/NAME`; empty where there is none.
    secret: Secret,
    /// Whether the forum is asked as well.
    poll: bool,
    /// Posts before the newest to begin with.
    lookback: u64,
    /// How long posts are looked at again for edits, likes and deletions.
    #[serde(with = "humantime_serde")]
    recheck_for: Duration,
}

impl Default for DiscourseOptions {
    fn default() -> Self {
        Self {
            url: String::new(),
            api_key: Secret::default(),
            api_username: "system".to_owned(),
            secret: Secret::default(),
            poll: true,
            lookback: 200,
            recheck_for: Duration::from_hours(7 * 24),
        }
    }
}

/// How often it is asked where the settings do not say.
const INTERVAL: Duration = Duration::from_mins(1);

impl SourceOptions for DiscourseOptions {
    fn validate(&self, path: &str, problems: &mut Problems) {
        check_base(&self.url, &format!("{path}.url"), problems);
        if !self.api_key.is_empty() {
            check_secret(&self.api_key, &format!("{path}.api_key"), KEY, problems);
        }
        if !self.poll || !self.secret.is_empty() {
            check_secret(&self.secret, &format!("{path}.secret"), SECRET, problems);
        }
        problems.check(
            self.lookback <= 100_000,
            &format!("{path}.lookback"),
            "must be at most 100000",
        );
    }

    fn build(&self, context: SourceContext) -> Result<Parts, SourceFault> {
        let hook = if self.secret.is_empty() {
            None
        } else {
            Some(DiscourseHook::new(self, &context, &read_secret(&self.secret)?))
        };
        let mut parts = hook.map(Parts::hooked).unwrap_or_default();
        if self.poll {
            let key = Some(&self.api_key).filter(|key| !key.is_empty());
            let platform = Discourse::new(self, &context, key.map(read_secret).transpose()?);
            parts.source = Parts::pulled(Polled::new(context, platform, INTERVAL)).source;
        }
        Ok(parts)
    }

    /// A sample is an answer of `/posts.json` or the body of a webhook about a post.
    fn judge_sample(&self, context: &SampleContext<'_>, sample: Bytes) -> Result<Page, Rejection> {
        post::sample(context.name, &Forum::at(&self.url), &sample)
    }
}
