//! Answers of REST interfaces.

use echolot_pipeline::clock::Clock;
use serde::de::DeserializeOwned;

use crate::{
    http::{Answer, Fetch, HttpClient},
    source::SourceFault,
    submission::malformed_json,
};

/// The way to one platform.
#[derive(Clone, Debug)]
pub(crate) struct Rest {
    http: HttpClient,
    clock: Clock,
    /// Where a token comes from, for 401 and 403.
    hint: &'static str,
}

impl Rest {
    pub(crate) fn new(http: HttpClient, clock: Clock, hint: &'static str) -> Self {
        Self { http, clock, hint }
    }

    /// The answer, whatever its status.
    pub(crate) async fn any(&self, fetch: Fetch) -> Result<Answer, SourceFault> {
        Ok(self.http.fetch(fetch).await?)
    }

    /// The answer if it is a good one.
    pub(crate) async fn good(&self, fetch: Fetch) -> Result<Answer, SourceFault> {
        let answer = self.any(fetch).await?;
        self.judge(answer)
    }

    /// A bad status as what it means.
    pub(crate) fn judge(&self, answer: Answer) -> Result<Answer, SourceFault> {
        answer.or_fault(self.clock.now(), self.hint)
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }
}

/// The JSON of an answer. A broken one may be whole the next time, so it is waited out.
pub(crate) fn json<T: DeserializeOwned>(answer: &Answer) -> Result<T, SourceFault> {
    serde_json::from_slice(&answer.body).map_err(|error| {
        let rejection = malformed_json(&answer.body, &error);
        let path: String = answer.url.path().chars().take(200).collect();
        SourceFault::transient(format!(
            "{path} answered with unexpected JSON: {}",
            rejection.detail
        ))
    })
}
