//! OAuth tokens (RFC 6749): fetched when needed, kept until they end.

use std::time::Duration;

use echolot_schemas::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::{
    http::{Answer, Fetch},
    source::SourceFault,
    sources::polled::{
        answer::{Rest, json},
        span::after,
    },
};

/// A token is renewed so long before its end.
const AHEAD: Duration = Duration::from_mins(2);

/// The present token of one source.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<Option<Token>>);

#[derive(Clone, Debug)]
struct Token {
    text: SecretString,
    ends: Timestamp,
}

/// What a token end point answers (RFC 6749, section 5.1).
#[derive(Deserialize)]
struct Issued {
    access_token: SecretString,
    #[serde(default = "an_hour")]
    expires_in: u64,
}

const fn an_hour() -> u64 {
    3600
}

impl Tokens {
    /// The answer to `request` with a token. When the platform refuses a token that was kept, it is
    /// asked once more with a fresh one: tokens are revoked before their time.
    pub(crate) async fn ask(
        &self,
        rest: &Rest,
        issue: impl Fn(Timestamp) -> Result<Fetch, SourceFault> + Sync,
        request: Fetch,
    ) -> Result<Answer, SourceFault> {
        let (token, fresh) = self.token(rest, &issue).await?;
        let answer = rest.any(request.clone().bearer(token.expose_secret())).await?;
        if answer.status != 401 || fresh {
            return Ok(answer);
        }
        *self.0.lock().await = None;
        let (token, _) = self.token(rest, &issue).await?;
        rest.any(request.bearer(token.expose_secret())).await
    }

    /// The token, and whether it was fetched just now.
    async fn token(
        &self,
        rest: &Rest,
        issue: &(impl Fn(Timestamp) -> Result<Fetch, SourceFault> + Sync),
    ) -> Result<(SecretString, bool), SourceFault> {
        let mut kept = self.0.lock().await;
        let now = rest.clock().now();
        if let Some(token) = &*kept
            && now < token.ends
        {
            return Ok((token.text.clone(), false));
        }
        let answer = rest.any(issue(now)?).await?;
        // Token end points say 400 for a grant that is no good (RFC 6749, section 5.2).
        if answer.status == 400 {
            return Err(SourceFault::Unauthorised(refusal(&answer)));
        }
        let issued: Issued = json(&rest.judge(answer)?)?;
        let lasts = Duration::from_secs(issued.expires_in.min(7 * 86_400)).saturating_sub(AHEAD);
        let ends = after(now, lasts);
        let text = issued.access_token;
        *kept = Some(Token { text: text.clone(), ends });
        Ok((text, true))
    }
}

fn refusal(answer: &Answer) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
        #[serde(default)]
        error_description: String,
    }
    let host = answer.url.host_str().unwrap_or_default();
    let Refusal { error, error_description } = serde_json::from_slice(&answer.body)
        .unwrap_or(Refusal { error: "400".to_owned(), error_description: String::new() });
    format!("{host} issues no token: {error:.80} {error_description:.200}")
}
