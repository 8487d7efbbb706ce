//! The walk over reviews.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use echolot_schemas::{SourceName, Timestamp, coverage::GapReason};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    http::{Answer, Fetch},
    source::{Notice, Observation, Page, SourceFault},
    sources::{
        SourceContext,
        googleplay::{
            GooglePlayOptions, TOKEN,
            account::Account,
            review::{self, List, Review},
        },
        polled::{
            self, Platform, Step,
            answer::{Rest, json},
            options::address,
            recheck::Recheck,
            seen::Seen,
            span::{before, note_short_walk},
            token::Tokens,
        },
    },
    submission::malformed_json,
};

/// What the API serves.
const SERVED: Duration = Duration::from_hours(7 * 24);
/// A review is looked at again for so long: well within what is served, so that one which merely
/// grew old is never taken for a deleted one.
const RECHECKED_FOR: Duration = Duration::from_hours(6 * 24);
/// Most reviews that are looked at again.
const RECHECKED: usize = 2000;
/// Reviews looked at again in one turn: of 200 requests an hour, 60 at the usual interval.
const LOOKS: usize = 10;
/// Answers of a hundred reviews in one walk.
const ANSWERS: usize = 20;

#[derive(Debug)]
pub(crate) struct GooglePlay {
    name: SourceName,
    rest: Rest,
    access: Result<Account, SecretString>,
    tokens: Tokens,
    api: String,
    packages: Vec<String>,
}

/// Where to go on, by package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct At {
    apps: BTreeMap<String, App>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct App {
    seen: Seen,
    /// Also remembers when each review was first seen.
    recheck: Recheck,
    /// When the list was last walked: milliseconds.
    walked: i64,
}

impl App {
    fn new(now: Timestamp) -> Self {
        let floor = before(now, SERVED);
        Self { seen: Seen::up_to(floor), recheck: Recheck::default(), walked: now.as_millis() }
    }
}

impl GooglePlay {
    pub(crate) fn new(
        options: &GooglePlayOptions,
        context: &SourceContext,
        access: Result<Account, SecretString>,
    ) -> Self {
        Self {
            name: context.name.clone(),
            rest: Rest::new(context.http.clone(), context.clock.clone(), TOKEN),
            access,
            tokens: Tokens::default(),
            api: options.api.clone(),
            packages: options.packages.clone(),
        }
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, SourceFault> {
        let path = format!("{}/androidpublisher/v3/applications/{path}", self.api);
        let fetch = Fetch::get(address(&path, query)?);
        match &self.access {
            Ok(account) => self.tokens.ask(&self.rest, |now| account.request(now), fetch).await,
            Err(token) => self.rest.any(fetch.bearer(token.expose_secret())).await,
        }
    }

    /// New and changed reviews, oldest change first, and whether the walk met what was seen.
    async fn walk(
        &self,
        package: &str,
        seen: &Seen,
    ) -> Result<(BTreeMap<(Timestamp, String), Box<RawValue>>, bool), SourceFault> {
        let mut found = BTreeMap::new();
        let mut token: Option<String> = None;
        for _ in 0..ANSWERS {
            let mut query = vec![("maxResults", "100")];
            if let Some(token) = &token {
                query.push(("token", token));
            }
            let answer = self.rest.judge(self.get(&format!("{package}/reviews"), &query).await?)?;
            let list: List = json(&answer)?;
            let mut met = false;
            for json in list.reviews {
                let Ok(review) = serde_json::from_str::<Review>(json.get()) else { continue };
                let Some(at) = review.modified() else { continue };
                if seen.is_new(at, &review.id) {
                    found.insert((at, review.id), json);
                } else {
                    met = true;
                }
            }
            token = list.token_pagination.next_page_token;
            if met || token.is_none() {
                return Ok((found, true));
            }
        }
        Ok((found, false))
    }

    async fn look_again(
        &self,
        page: &mut Page,
        package: &str,
        app: &mut App,
        now: Timestamp,
    ) -> Result<(), SourceFault> {
        for id in app.recheck.due(now, LOOKS) {
            let answer = self.get(&format!("{package}/reviews/{id}"), &[]).await?;
            if answer.status == 404 {
                for gone in [id.clone(), review::reply_id(&id)] {
                    page.observations.push(Observation::deleted(&self.name, gone));
                }
                app.recheck.gone(&id);
                continue;
            }
            let answer = self.rest.judge(answer)?;
            let review: Box<RawValue> = json(&answer)?;
            add(page, &self.name, package, &review, app.recheck.published(&id));
            app.recheck.looked_at(&id, now, RECHECKED_FOR);
        }
        Ok(())
    }
}

/// Adds a review and the developer's reply. `first` is when it was first seen, where that is known.
pub(crate) fn add(
    page: &mut Page,
    source: &SourceName,
    package: &str,
    json: &RawValue,
    first: Option<Timestamp>,
) {
    let original = Bytes::copy_from_slice(json.get().as_bytes());
    match serde_json::from_slice::<Review>(&original) {
        Ok(review) => {
            for submission in review.submissions(package, first) {
                let id = submission.id.clone();
                polled::add(page, source, &id, Ok(Some(submission)), original.clone());
            }
        }
        Err(error) => {
            let rejection = malformed_json(&original, &error);
            polled::add(page, source, "", Err(rejection), original);
        }
    }
}

impl Platform for GooglePlay {
    type Place = At;

    async fn begin(&self, now: Timestamp) -> Result<At, SourceFault> {
        let app = |package: &String| (package.clone(), App::new(now));
        Ok(At { apps: self.packages.iter().map(app).collect() })
    }

    async fn poll(&self, place: &At, now: Timestamp) -> Result<Step<At>, SourceFault> {
        let (mut page, mut at) = (Page::default(), place.clone());
        for package in &self.packages {
            let app = at.apps.entry(package.clone()).or_insert_with(|| App::new(now));
            let served_from = before(now, SERVED);
            if app.walked < served_from.as_millis() {
                let from = Timestamp::from_millis(app.walked);
                let why = GapReason::ClampedCursor;
                page.notices.push(Notice::Gap { from, to: served_from, why });
            }
            let (found, whole) = self.walk(package, &app.seen).await?;
            if !whole {
                let oldest = found.first_key_value().map(|((modified, _), _)| *modified);
                note_short_walk(&mut page, &app.seen, oldest);
            }
            for ((modified, id), json) in found {
                app.seen.note(modified, &id);
                app.recheck.add(&id, modified, now, RECHECKED);
                add(&mut page, &self.name, package, &json, app.recheck.published(&id));
            }
            app.walked = now.as_millis();
            self.look_again(&mut page, package, app, now).await?;
        }
        Ok(Step { page, place: at, more: false })
    }
}
