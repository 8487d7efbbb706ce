//! The walk over listings.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use echolot_schemas::{SourceName, Timestamp};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    http::{Answer, Fetch},
    source::{Observation, Page, SourceFault},
    sources::{
        SourceContext,
        polled::{
            self, Platform, Step,
            answer::{Rest, json},
            options::address,
            recheck::Recheck,
            seen::Seen,
            span::{after, before, note_short_walk, until},
            token::Tokens,
        },
        reddit::{
            RedditOptions, TOKEN,
            thing::{self, Head, Listing, State},
        },
    },
};

/// A listing shows at most 1,000 items, a hundred at a time.
const SLICES: usize = 10;
/// Most names in one request to `/api/info`.
const NAMES: usize = 100;
/// Requests to `/api/info` in one turn.
const LOOKS: usize = 5;
/// Most items that are looked at again: about 400 kB of cursor.
const RECHECKED: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Reddit {
    name: SourceName,
    rest: Rest,
    tokens: Tokens,
    basic: SecretString,
    refresh: SecretString,
    api: String,
    login: String,
    lists: Vec<String>,
    lookback: Duration,
    recheck_for: Duration,
    /// When Reddit takes requests again, where it said that none are left.
    closed_until: Mutex<Option<Timestamp>>,
}

/// Where to go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct At {
    /// What was seen of each listing.
    lists: BTreeMap<String, Seen>,
    recheck: Recheck,
}

impl Reddit {
    pub(crate) fn new(
        options: &RedditOptions,
        context: &SourceContext,
        secret: &SecretString,
        refresh: SecretString,
    ) -> Self {
        let mut lists = Vec::new();
        for subreddit in &options.subreddits {
            lists.extend(options.posts.then(|| format!("r/{subreddit}/new")));
            lists.extend(options.comments.then(|| format!("r/{subreddit}/comments")));
        }
        let basic = format!("{}:{}", options.client_id, secret.expose_secret());
        Self {
            name: context.name.clone(),
            rest: Rest::new(context.http.clone(), context.clock.clone(), TOKEN),
            tokens: Tokens::default(),
            basic: SecretString::from(format!("Basic {}", STANDARD.encode(basic))),
            refresh,
            api: options.api.clone(),
            login: options.login.clone(),
            lists,
            lookback: options.lookback,
            recheck_for: options.recheck_for,
            closed_until: Mutex::new(None),
        }
    }

    fn issue(&self) -> Result<Fetch, SourceFault> {
        let url = address(&format!("{}/api/v1/access_token", self.login), &[])?;
        let body = match self.refresh.expose_secret() {
            "" => "grant_type=client_credentials".to_owned(),
            token => url::form_urlencoded::Serializer::new(String::new())
                .append_pair("grant_type", "refresh_token")
                .append_pair("refresh_token", token)
                .finish(),
        };
        Ok(Fetch::post(url, body)
            .header(AUTHORIZATION, self.basic.expose_secret())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded"))
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, SourceFault> {
        self.check_open()?;
        let url = address(&format!("{}/{path}", self.api), query)?;
        let answer = self.tokens.ask(&self.rest, |_| self.issue(), Fetch::get(url)).await?;
        self.heed(&answer);
        Ok(answer)
    }

    fn closed_until(&self) -> std::sync::MutexGuard<'_, Option<Timestamp>> {
        self.closed_until.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn check_open(&self) -> Result<(), SourceFault> {
        let now = self.rest.clock().now();
        let Some(open) = *self.closed_until() else { return Ok(()) };
        match until(now, open) {
            Duration::ZERO => Ok(()),
            pause => Err(SourceFault::RateLimited {
                detail: "no requests are left (X-Ratelimit-Remaining)".to_owned(),
                retry_after: Some(pause),
            }),
        }
    }

    /// Notes when the next request may be made, where none are left.
    fn heed(&self, answer: &Answer) {
        let number =
            |name: &'static str| answer.header(&HeaderName::from_static(name))?.parse::<f64>().ok();
        let (left, reset) = (number("x-ratelimit-remaining"), number("x-ratelimit-reset"));
        let (Some(left), Some(reset)) = (left, reset) else { return };
        let closed = (left < 1.0).then(|| {
            let pause = Duration::try_from_secs_f64(reset.clamp(1.0, 600.0)).unwrap_or_default();
            after(self.rest.clock().now(), pause)
        });
        *self.closed_until() = closed;
    }

    /// What a status means for a subreddit: private, banned and quarantined ones answer 403 or 404.
    fn judge(&self, list: &str, answer: Answer) -> Result<Answer, SourceFault> {
        match answer.status.as_u16() {
            403 | 404 => Err(SourceFault::Closed(format!(
                "{list} answered {}: private, banned or misspelt; take it out of subreddits",
                answer.status
            ))),
            _ => self.rest.judge(answer),
        }
    }

    /// New items of a listing, oldest first, and whether the walk met what was seen.
    async fn walk(
        &self,
        list: &str,
        seen: &Seen,
    ) -> Result<(Vec<(Head, Box<RawValue>)>, bool), SourceFault> {
        let mut found: BTreeMap<(Timestamp, String), Box<RawValue>> = BTreeMap::new();
        let mut behind: Option<String> = None;
        let mut met = false;
        for _ in 0..SLICES {
            let mut query = vec![("limit", "100"), ("raw_json", "1")];
            if let Some(behind) = &behind {
                query.push(("after", behind));
            }
            let answer = self.judge(list, self.get(list, &query).await?)?;
            let Listing { data } = json(&answer)?;
            for child in data.children {
                let Some(head) = thing::head(&child) else { continue };
                if seen.is_new(head.created, &head.name) {
                    found.insert((head.created, head.name), child);
                } else {
                    met = true;
                }
            }
            behind = data.after;
            if met || behind.is_none() {
                break;
            }
        }
        // A listing that ends well before its thousandth item holds all there is.
        let whole = met || found.len() < (SLICES - 1) * 100;
        let head = |((created, name), child)| (Head { name, created }, child);
        Ok((found.into_iter().map(head).collect(), whole))
    }

    async fn look_again(
        &self,
        page: &mut Page,
        at: &mut At,
        now: Timestamp,
    ) -> Result<(), SourceFault> {
        let due = at.recheck.due(now, NAMES * LOOKS);
        for names in due.chunks(NAMES) {
            let joined = names.join(",");
            let query = [("id", joined.as_str()), ("raw_json", "1")];
            let Listing { data } = json(&self.rest.judge(self.get("api/info", &query).await?)?)?;
            for child in data.children {
                let Some(Head { name, .. }) = thing::head(&child) else { continue };
                if add(page, &self.name, child) {
                    at.recheck.gone(&name);
                }
            }
            // Those that are not answered about may be hidden for a while: asked again later.
            for name in names {
                at.recheck.looked_at(name, now, self.recheck_for);
            }
        }
        Ok(())
    }
}

/// Adds one child of a listing; true when it is gone.
pub(crate) fn add(page: &mut Page, source: &SourceName, child: Box<RawValue>) -> bool {
    let name = thing::head(&child).map(|head| head.name).unwrap_or_default();
    let original = Bytes::from(String::from(Box::<str>::from(child)));
    let read = match thing::read(&original) {
        Ok(State::Gone) => {
            page.observations.push(Observation::deleted(source, name));
            return true;
        }
        Ok(State::Said(submission)) => Ok(Some(*submission)),
        Ok(State::Other) => Ok(None),
        Err(rejection) => Err(rejection),
    };
    polled::add(page, source, &name, read, original);
    false
}

impl Platform for Reddit {
    type Place = At;

    async fn begin(&self, now: Timestamp) -> Result<At, SourceFault> {
        let floor = before(now, self.lookback);
        let lists = self.lists.iter().map(|list| (list.clone(), Seen::up_to(floor))).collect();
        Ok(At { lists, recheck: Recheck::default() })
    }

    async fn poll(&self, place: &At, now: Timestamp) -> Result<Step<At>, SourceFault> {
        let (mut page, mut at) = (Page::default(), place.clone());
        let mut left_out = 0;
        for list in &self.lists {
            let seen = at.lists.entry(list.clone()).or_insert_with(|| Seen::up_to(now));
            let (found, whole) = self.walk(list, seen).await?;
            if !whole {
                note_short_walk(&mut page, seen, found.first().map(|(head, _)| head.created));
            }
            for (head, child) in found {
                seen.note(head.created, &head.name);
                if !add(&mut page, &self.name, child) {
                    left_out += at.recheck.add(&head.name, head.created, now, RECHECKED);
                }
            }
        }
        if left_out > 0 {
            tracing::warn!(source = %self.name, left_out, "items are no longer looked at again");
        }
        self.look_again(&mut page, &mut at, now).await?;
        Ok(Step { page, place: at, more: false })
    }
}
