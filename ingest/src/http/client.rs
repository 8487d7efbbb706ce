//! Requests and the rules around them.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use echolot_pipeline::clock;
use reqwest::{
    Client, Method, Response,
    header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue, LOCATION},
    redirect::Policy,
};
use tokio::time::timeout;
use url::Url;

use crate::http::{
    answer::{Answer, retry_after},
    connect::tls,
    fault::{HttpError, shown},
    guard::{Allowed, Guard, InvalidEntry},
    hosts::Hosts,
    resolve::{GuardedResolver, Lookup},
    settings::HttpSettings,
};

/// Most redirects behind one request.
const REDIRECTS: usize = 5;
/// How long a host is left alone that answered 429 without saying for how long.
const UNSAID_PAUSE: Duration = Duration::from_secs(30);

/// The client cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum HttpSetupError {
    /// An entry of the allow list.
    #[error("ingest.http.allow: {0}")]
    Allow(#[from] InvalidEntry),
    /// TLS or the client itself.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(String),
}

/// One request.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// GET unless said otherwise. Only GET and HEAD follow redirects.
    pub method: Method,
    /// Where.
    pub url: Url,
    /// Headers besides User-Agent. Credentials do not follow a redirect to another origin.
    pub headers: HeaderMap,
    /// What is sent.
    pub body: Option<Bytes>,
    /// Least time between two requests to this host; none for the configured one.
    pub pace: Option<Duration>,
    /// Largest answer, in bytes, where the configured one is too large.
    pub limit: Option<usize>,
}

impl Fetch {
    /// A GET.
    pub fn get(url: Url) -> Self {
        let (headers, body, pace, limit) = (HeaderMap::new(), None, None, None);
        Self { method: Method::GET, url, headers, body, pace, limit }
    }

    /// A POST.
    pub fn post(url: Url, body: impl Into<Bytes>) -> Self {
        Self { method: Method::POST, body: Some(body.into()), ..Self::get(url) }
    }

    /// With a header. A value that no header may have is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// With `Authorization: Bearer …`, marked as not to be logged.
    #[must_use]
    pub fn bearer(mut self, token: &str) -> Self {
        if let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {token}")) {
            value.set_sensitive(true);
            self.headers.insert(AUTHORIZATION, value);
        }
        self
    }

    /// With a pace of its own.
    #[must_use]
    pub fn pace(mut self, pace: Duration) -> Self {
        self.pace = Some(pace);
        self
    }
}

/// The guarded client. Cheap to clone; one for all sources.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: Client,
    hosts: Hosts,
    pub(super) resolver: GuardedResolver,
    pub(super) tls: Arc<rustls::ClientConfig>,
    pub(super) settings: Arc<HttpSettings>,
}

impl HttpClient {
    /// A client with the operator's choices.
    pub fn new(settings: &HttpSettings) -> Result<Self, HttpSetupError> {
        Self::with_lookup(settings, Lookup::system())
    }

    /// As [`HttpClient::new`], with another resolver.
    pub fn with_lookup(settings: &HttpSettings, lookup: Lookup) -> Result<Self, HttpSetupError> {
        let allowed: Vec<Allowed> =
            settings.allow.iter().map(|entry| entry.parse()).collect::<Result<_, _>>()?;
        let resolver = GuardedResolver { guard: Guard::new(allowed), lookup };
        let tls = tls()?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .dns_resolver(Arc::new(resolver.clone()))
            .redirect(Policy::none())
            .no_proxy()
            .user_agent(user_agent(&settings.contact))
            .connect_timeout(settings.connect_timeout)
            .read_timeout(settings.idle_timeout)
            .pool_max_idle_per_host(2)
            .build()
            .map_err(|error| HttpSetupError::Client(error.to_string()))?;
        let hosts = Hosts::new(settings.requests_per_host);
        Ok(Self {
            client,
            hosts,
            resolver,
            tls: Arc::new(tls),
            settings: Arc::new(settings.clone()),
        })
    }

    /// The answer to a request, whatever its status, behind at most five redirects.
    pub async fn fetch(&self, mut request: Fetch) -> Result<Answer, HttpError> {
        let mut all_permanent = true;
        let first = request.url.clone();
        for hop in 0..=REDIRECTS {
            self.resolver.guard.check_url(&request.url)?;
            let host = request.url.host_str().unwrap_or_default().to_owned();
            let pace = request.pace.unwrap_or(self.settings.pace);
            let _turn = self.hosts.enter(&host, pace).await?;
            let whole = self.settings.total_timeout;
            let answer = timeout(whole, self.exchange(&request)).await.map_err(|_| {
                HttpError::Timeout { url: shown(&request.url), phase: "the exchange", after: whole }
            })??;
            if matches!(answer.status.as_u16(), 429 | 503) {
                let asked = retry_after(&answer.headers, clock::now());
                let unsaid = (answer.status == 429).then_some(UNSAID_PAUSE);
                if let Some(pause) = asked.or(unsaid) {
                    self.hosts.close(&host, pause);
                }
            }
            let follows = matches!(request.method, Method::GET | Method::HEAD);
            if !follows || !matches!(answer.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                let moved = (hop > 0 && all_permanent).then(|| answer.url.clone());
                return Ok(Answer { moved, ..answer });
            }
            all_permanent &= matches!(answer.status.as_u16(), 301 | 308);
            let next = answer.header(&LOCATION).and_then(|to| request.url.join(to).ok());
            let Some(next) = next else { break };
            if next.origin() != request.url.origin() {
                forget_credentials(&mut request.headers);
            }
            request.url = next;
        }
        Err(HttpError::Redirects { url: shown(&first), limit: REDIRECTS })
    }

    async fn exchange(&self, request: &Fetch) -> Result<Answer, HttpError> {
        let mut builder = self
            .client
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone());
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let after = self.settings.header_timeout;
        let response = timeout(after, builder.send())
            .await
            .map_err(|_| HttpError::Timeout {
                url: shown(&request.url),
                phase: "the head of the answer",
                after,
            })?
            .map_err(|error| HttpError::unreachable(&request.url, &error))?;
        let configured = usize::try_from(self.settings.body_limit.as_u64()).unwrap_or(usize::MAX);
        let limit = request.limit.map_or(configured, |limit| limit.min(configured));
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read(response, &request.url, limit).await?;
        Ok(Answer { status, headers, url: request.url.clone(), moved: None, body })
    }
}

/// Bytes are counted as they come out of the decompressor, so a bomb is dropped half-way.
async fn read(mut response: Response, url: &Url, limit: usize) -> Result<Bytes, HttpError> {
    let mut body = BytesMut::new();
    let failed = |error: &reqwest::Error| HttpError::unreachable(url, error);
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
        if body.len() + chunk.len() > limit {
            return Err(HttpError::TooLarge { url: shown(url), limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Everything that may prove who we are stays with the origin that it was meant for.
fn forget_credentials(headers: &mut HeaderMap) {
    headers.remove(AUTHORIZATION);
    headers.remove(COOKIE);
    let named: Vec<HeaderName> = headers
        .iter()
        .filter(|(name, value)| value.is_sensitive() || name.as_str().starts_with("api-"))
        .map(|(name, _)| name.clone())
        .collect();
    for name in named {
        headers.remove(name);
    }
}

fn user_agent(contact: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    if contact.is_empty() {
        format!("echolot/{version}")
    } else {
        format!("echolot/{version} (+{contact})")
    }
}
