//! `[sources.NAME]` with `kind = "mattermost"`.

use std::time::Duration;

use bytes::Bytes;
use echolot_pipeline::{
    settings::{Problems, Secret},
    stage::Rejection,
};
use echolot_schemas::dead_letter::Reason;
use serde::Deserialize;
use url::Url;

use super::{
    event::{Event, Numbered},
    rest::{Posts, observe},
    source::{MattermostSource, malformed},
};
use crate::{
    rejected::Place,
    source::{Page, SourceFault},
    sources::{Parts, SampleContext, SourceContext, SourceOptions, stream::StreamSettings},
};

/// Where a token comes from.
pub(super) const TOKEN_HINT: &str = "make a personal access token or a bot account at Integrations > Bot Accounts, and add it to \
     the channels";
/// Most channels of a source.
const CHANNELS: usize = 500;

/// The options of a Mattermost source.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MattermostOptions {
    /// The server.
    pub url: Option<Url>,
    /// Token of a bot or a person, or `file:PATH`.
    pub token: Secret,
    /// Name of the team, as in its address.
    pub team: String,
    /// Names of the channels, as in their addresses.
    pub channels: Vec<String>,
    /// What all streams have.
    pub stream: StreamSettings,
}

impl SourceOptions for MattermostOptions {
    fn validate(&self, path: &str, problems: &mut Problems) {
        let is_server = |url: &Url| matches!(url.scheme(), "http" | "https") && url.path() == "/";
        problems.check(
            self.url.as_ref().is_some_and(is_server),
            &format!("{path}.url"),
            "must be the address of a server, such as https://chat.example.org",
        );
        problems.check(
            !self.token.is_empty(),
            &format!("{path}.token"),
            format!("is missing; {TOKEN_HINT}"),
        );
        if let Err(error) = self.token.read() {
            problems.check(false, &format!("{path}.token"), error.to_string());
        }
        // The names become parts of a path.
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let is_name =
            |name: &String| !name.is_empty() && name.len() <= 64 && name.bytes().all(plain);
        problems.check(
            is_name(&self.team),
            &format!("{path}.team"),
            "must be the team's name as in its address",
        );
        problems.check(
            (1..=CHANNELS).contains(&self.channels.len()) && self.channels.iter().all(is_name),
            &format!("{path}.channels"),
            format!("must name 1 to {CHANNELS} channels as in their addresses"),
        );
        self.stream.validate(path, problems);
    }

    fn internal(&self) -> bool {
        true
    }

    fn build(&self, context: SourceContext) -> Result<Parts, SourceFault> {
        Ok(Parts::pulled(MattermostSource::new(self, context)?))
    }

    /// A sample is the answer about a channel's posts, or a file of the websocket's messages.
    fn judge_sample(&self, context: &SampleContext<'_>, sample: Bytes) -> Result<Page, Rejection> {
        let mut page = Page::default();
        let link = |id: &str| format!("https://mattermost.invalid/{}/pl/{id}", self.team);
        if let Ok(posts) = serde_json::from_slice::<Posts>(&sample) {
            let observed = posts.in_order().filter_map(|post| observe(context.name, post, link));
            page.observations.extend(observed);
            return Ok(page);
        }
        for (line, number) in sample.split(|byte| *byte == b'\n').zip(1..) {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let text = std::str::from_utf8(line).map_err(|error| Rejection {
                reason: Reason::Malformed,
                detail: error.to_string(),
            })?;
            match Numbered::read(text) {
                Ok(Numbered { event: Event::Posted(post), .. }) => {
                    page.observations.extend(observe(context.name, *post, link));
                }
                Ok(Numbered { event: Event::Deleted(post), .. }) => {
                    page.observations.extend(observe(context.name, post.deleted(), link));
                }
                Ok(_) => {}
                Err(error) => {
                    let place = Place::Line { file: None, line: number };
                    page.rejected.push(malformed(place, &error));
                }
            }
        }
        Ok(page)
    }
}

/// Most time between two requests of a catch-up.
pub(super) const PACE: Duration = Duration::from_millis(100);
