//! `[sources.NAME]` with `kind = "mastodon"`.

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
    reader::{self, Heard, malformed},
    source::MastodonSource,
    timeline::Timeline,
};
use crate::{
    keep::KeepRule,
    rejected::Place,
    source::{Page, SourceFault},
    sources::{Parts, SampleContext, SourceContext, SourceOptions, stream::StreamSettings},
    submission::excerpt,
};

/// Where a token comes from.
pub(super) const TOKEN_HINT: &str =
    "make a token with the scope `read:statuses` at Preferences > Development of the instance";
/// 300 requests in 5 minutes are allowed to one address or user.
const PACE: Duration = Duration::from_secs(1);
/// Most timelines of a source.
const TIMELINES: usize = 100;

/// The options of a Mastodon source.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MastodonOptions {
    /// The instance.
    pub url: Option<Url>,
    /// `public`, `public:local` and hashtags.
    pub timelines: Vec<Timeline>,
    /// A user's token, or `file:PATH`; needed to stream, and where the timelines are closed.
    pub token: Secret,
    /// Whether to listen to the instance's stream instead of asking again and again.
    pub streaming: bool,
    /// Least time between two requests.
    #[serde(with = "humantime_serde")]
    pub pace: Duration,
    /// What all streams have.
    pub stream: StreamSettings,
}

impl Default for MastodonOptions {
    fn default() -> Self {
        Self {
            url: None,
            timelines: Vec::new(),
            token: Secret::default(),
            streaming: false,
            pace: PACE,
            stream: StreamSettings::default(),
        }
    }
}

impl SourceOptions for MastodonOptions {
    fn validate(&self, path: &str, problems: &mut Problems) {
        let is_instance = |url: &Url| matches!(url.scheme(), "http" | "https") && url.path() == "/";
        problems.check(
            self.url.as_ref().is_some_and(is_instance),
            &format!("{path}.url"),
            "must be the address of an instance, such as https://mastodon.social",
        );
        problems.check(
            (1..=TIMELINES).contains(&self.timelines.len()),
            &format!("{path}.timelines"),
            format!("must name 1 to {TIMELINES}: \"public\", \"public:local\" or \"#hashtag\""),
        );
        problems.check(
            !self.streaming || !self.token.is_empty(),
            &format!("{path}.token"),
            format!("is needed to stream; {TOKEN_HINT}"),
        );
        if let Err(error) = self.token.read() {
            problems.check(false, &format!("{path}.token"), error.to_string());
        }
        problems.check(
            self.pace <= Duration::from_mins(1),
            &format!("{path}.pace"),
            "must be at most 1m",
        );
        self.stream.validate(path, problems);
    }

    /// What an instance knows of the whole network is too much to keep; what was chosen is not.
    fn keep(&self) -> KeepRule {
        if self.timelines.contains(&Timeline::Public) { KeepRule::Matches } else { KeepRule::All }
    }

    fn build(&self, context: SourceContext) -> Result<Parts, SourceFault> {
        Ok(Parts::pulled(MastodonSource::new(self, context)?))
    }

    /// A sample is the answer of a timeline, a single status, or a file of the stream's frames.
    fn judge_sample(&self, context: &SampleContext<'_>, sample: Bytes) -> Result<Page, Rejection> {
        let mut page = Page::default();
        if sample.trim_ascii_start().starts_with(b"[") {
            let listed = reader::timeline(context.name, &sample).map_err(|error| Rejection {
                reason: Reason::Malformed,
                detail: format!("no timeline: {}", excerpt(&error)),
            })?;
            for item in listed.into_iter().filter_map(|listed| listed.item) {
                match item {
                    Ok(observation) => page.observations.push(observation),
                    Err(rejected) => page.rejected.push(*rejected),
                }
            }
            return Ok(page);
        }
        if let Ok(status) = serde_json::from_slice(&sample) {
            page.observations.extend(reader::observe(context.name, status, sample));
            return Ok(page);
        }
        for (line, number) in sample.split(|byte| *byte == b'\n').zip(1..) {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let original = sample.slice_ref(line);
            match reader::frame(context.name, &String::from_utf8_lossy(line), &original) {
                Ok(Heard::Status { observation, .. }) => {
                    page.observations.extend(observation.map(|observation| *observation));
                }
                Ok(Heard::Gone(observation)) => page.observations.push(*observation),
                Ok(Heard::Refused { .. } | Heard::Nothing) => {}
                Err(error) => {
                    let place = Place::Line { file: None, line: number };
                    page.rejected.push(malformed(place, &error, original));
                }
            }
        }
        Ok(page)
    }
}
