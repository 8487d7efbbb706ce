//! Asking an instance.

use std::time::Duration;

use echolot_pipeline::clock::Clock;
use echolot_schemas::{SourceName, Timestamp};
use reqwest::{StatusCode, header::HeaderName};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::{
    options::TOKEN_HINT,
    reader::{self, Listed},
    timeline::Timeline,
};
use crate::{
    http::{Answer, Fetch, HttpClient},
    source::SourceFault,
};

/// Most statuses that an instance shows at once.
pub(super) const LIMIT: usize = 40;
/// How long to wait before asking a timeline again that seems to be closed.
const CLOSED_PAUSE: Duration = Duration::from_mins(5);
/// How many requests are left, and when there will be more.
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// An instance, and who asks.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub name: SourceName,
    pub http: HttpClient,
    pub clock: Clock,
    pub url: Url,
    pub token: Option<SecretString>,
    pub pace: Duration,
}

/// A part of a timeline.
pub(super) struct Slice {
    /// Statuses, oldest first.
    pub listed: Vec<Listed>,
    /// True when there may be more right behind them.
    pub more: bool,
    /// How long the instance wants to be left alone, because no request is left.
    pub rest: Option<Duration>,
}

#[derive(Deserialize)]
struct About {
    configuration: Configuration,
}

#[derive(Deserialize)]
struct Configuration {
    urls: Urls,
}

#[derive(Deserialize)]
struct Urls {
    streaming: Url,
}

impl Instance {
    /// What `timeline` shows behind `newest`; its newest statuses where that is none.
    pub(super) async fn slice(
        &self,
        timeline: &Timeline,
        newest: Option<&str>,
    ) -> Result<Slice, SourceFault> {
        let (path, parameters) = timeline.path();
        let mut url = self.address(&path)?;
        url.query_pairs_mut()
            .append_pair("limit", &LIMIT.to_string())
            .extend_pairs(parameters)
            .extend_pairs(newest.map(|id| ("min_id", id)));
        let answer = self.get(url).await?;
        if self.token.is_none()
            && matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::UNPROCESSABLE_ENTITY)
        {
            return Err(SourceFault::Unauthorised(format!(
                "the admins of {} closed the timeline {timeline} to visitors; {TOKEN_HINT}",
                self.host()
            )));
        }
        let now = self.clock.now();
        let answer = answer.or_fault(now, TOKEN_HINT)?;
        let mut listed = reader::timeline(&self.name, &answer.body).map_err(|error| {
            SourceFault::transient(format!("{} answered no timeline: {error}", self.host()))
        })?;
        if listed.is_empty() && newest.is_none() && timeline.is_public() {
            return Err(SourceFault::Transient {
                detail: format!(
                    "{} shows an empty timeline {timeline}: nobody wrote yet, or its admins closed it",
                    self.host()
                ),
                retry_after: Some(CLOSED_PAUSE),
            });
        }
        let more = newest.is_some() && listed.len() >= LIMIT;
        listed.reverse();
        Ok(Slice { listed, more, rest: rest(&answer, now) })
    }

    /// The address of the instance's stream.
    pub(super) async fn stream(&self) -> Result<Url, SourceFault> {
        let answer = self.get(self.address("api/v2/instance")?).await?;
        let answer = answer.or_fault(self.clock.now(), TOKEN_HINT)?;
        let about: About = serde_json::from_slice(&answer.body).map_err(|error| {
            SourceFault::transient(format!(
                "{} does not say where it streams: {error}",
                self.host()
            ))
        })?;
        let stream = about.configuration.urls.streaming;
        let plain = self.url.scheme() == "http";
        if !(stream.scheme() == "wss" || plain && stream.scheme() == "ws") {
            return Err(SourceFault::Fatal(format!(
                "{} streams at {}: a token is sent over wss only",
                self.host(),
                stream.scheme()
            )));
        }
        stream
            .join("/api/v1/streaming")
            .map_err(|error| SourceFault::Fatal(format!("{}: {error}", self.host())))
    }

    fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    fn address(&self, path: &str) -> Result<Url, SourceFault> {
        self.url.join(path).map_err(|error| SourceFault::Fatal(format!("{path}: {error}")))
    }

    async fn get(&self, url: Url) -> Result<Answer, SourceFault> {
        let mut fetch = Fetch::get(url).pace(self.pace);
        if let Some(token) = &self.token {
            fetch = fetch.bearer(token.expose_secret());
        }
        Ok(self.http.fetch(fetch).await?)
    }
}

/// Until when the instance wants no more requests, where it says that none is left.
fn rest(answer: &Answer, now: Timestamp) -> Option<Duration> {
    if answer.header(&REMAINING)?.trim() != "0" {
        return None;
    }
    let reset: Timestamp = answer.header(&RESET)?.trim().parse().ok()?;
    u64::try_from(reset.as_millis() - now.as_millis()).ok().map(Duration::from_millis)
}
