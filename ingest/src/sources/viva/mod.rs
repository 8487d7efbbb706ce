//! Viva Engage, the intranet's network: messages by the Yammer REST API.
//!
//! Ids count up, so the cursor is the newest id; what came since is asked for with `newer_than` and
//! walked backwards with `older_than`. The API tells of no deletions, so messages are looked at
//! again one by one. Its owner is one's own company: mentions are internal, no author is read.

mod message;
mod platform;

use std::time::Duration;

use bytes::Bytes;
use echolot_pipeline::{
    settings::{Problems, Secret},
    stage::Rejection,
};
use serde::Deserialize;

use self::platform::Viva;
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

/// Where a token comes from.
const TOKEN: &str = "a network admin registers an app at https://www.yammer.com/client_applications \
    and grants a token to a user who may read the groups; set it, or file:PATH";

/// Options of `kind = "viva"`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct VivaOptions {
    /// Where the API is.
    api: String,
    /// The token.
    token: Secret,
    /// Ids of the groups to follow; none for all that the token's user sees.
    groups: Vec<String>,
    /// How long messages are looked at again for edits and deletions.
    #[serde(with = "humantime_serde")]
    recheck_for: Duration,
}

impl Default for VivaOptions {
    fn default() -> Self {
        Self {
            api: "https://www.yammer.com".to_owned(),
            token: Secret::default(),
            groups: Vec::new(),
            recheck_for: Duration::from_hours(7 * 24),
        }
    }
}

/// How often it is asked where the settings do not say.
const INTERVAL: Duration = Duration::from_mins(1);

impl SourceOptions for VivaOptions {
    fn validate(&self, path: &str, problems: &mut Problems) {
        check_base(&self.api, &format!("{path}.api"), problems);
        check_secret(&self.token, &format!("{path}.token"), TOKEN, problems);
        check_names(&self.groups, &format!("{path}.groups"), "", problems);
    }

    fn internal(&self) -> bool {
        true
    }

    fn build(&self, context: SourceContext) -> Result<Parts, SourceFault> {
        let platform = Viva::new(self, &context, read_secret(&self.token)?);
        Ok(Parts::pulled(Polled::new(context, platform, INTERVAL)))
    }

    fn judge_sample(&self, context: &SampleContext<'_>, sample: Bytes) -> Result<Page, Rejection> {
        let listed: message::Messages =
            serde_json::from_slice(&sample).map_err(|error| malformed_json(&sample, &error))?;
        let mut page = Page::default();
        for json in listed.messages {
            let id = message::id(&json).unwrap_or_default().to_string();
            let original = Bytes::from(String::from(Box::<str>::from(json)));
            polled::add(&mut page, context.name, &id, message::read(&original), original);
        }
        Ok(page)
    }
}
