//! The walk over posts.
//!
//! `/posts.json?before=ID` lists up to 50 posts from `ID` downwards. A walk begins at the newest and
//! goes down to what was handed on before, and fifty ids further: a post that was long in the making
//! shows late, below others that were handed on. How far it came is part of the cursor, so that after
//! a long silence nothing is left out and nothing is asked twice. Whatever post is known and not
//! listed between two that are is gone; one that shows later still is found by the second look.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use bytes::Bytes;
use echolot_schemas::{SourceName, Timestamp};
use reqwest::header::HeaderName;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::{
    DiscourseOptions, KEY,
    post::{self, Forum, Listed, Standing},
};
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
        },
    },
    submission::malformed,
};

/// Ids below one at which older servers look for posts.
const WINDOW: u64 = 50;
/// Posts that are told apart although another with a higher id was handed on first: two that are
/// written at the same time may show in either order.
const RECENT: usize = 128;
/// Most posts that are looked at again, and most answers for that in one turn.
const RECHECKED: usize = 5000;
const LOOKS: usize = 5;
/// Names of categories are asked for this often.
const CATEGORIES_FOR: i64 = 60 * 60 * 1000;

#[derive(Debug)]
pub(super) struct Discourse {
    name: SourceName,
    rest: Rest,
    url: String,
    /// Key, and the user it reads as.
    login: Option<(SecretString, String)>,
    lookback: u64,
    recheck_for: Duration,
    /// The forum, and when its categories were asked for.
    forum: Mutex<Option<(Timestamp, Forum)>>,
}

/// Where to go on. Ids are the forum's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct At {
    /// Every post up to here was handed on.
    newest: u64,
    walk: Option<Walk>,
    recent: BTreeSet<u64>,
    /// Posts that are looked at again.
    told: BTreeMap<u64, Standing>,
    recheck: Recheck,
}

/// A walk that has not met what was handed on before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Walk {
    /// The newest post when it began.
    top: u64,
    /// Where the next answer begins.
    before: u64,
    /// What was recent when it began.
    #[serde(default)]
    known: BTreeSet<u64>,
}

/// An answer: posts by id, and whether every one of them has an id.
struct List {
    posts: BTreeMap<u64, Bytes>,
    rest: Vec<Bytes>,
}

impl Discourse {
    pub(super) fn new(
        options: &DiscourseOptions,
        context: &SourceContext,
        key: Option<SecretString>,
    ) -> Self {
        Self {
            name: context.name.clone(),
            rest: Rest::new(context.http.clone(), context.clock.clone(), KEY),
            url: options.url.clone(),
            login: key.map(|key| (key, options.api_username.clone())),
            lookback: options.lookback,
            recheck_for: options.recheck_for,
            forum: Mutex::default(),
        }
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, SourceFault> {
        let mut fetch = Fetch::get(address(&format!("{}/{path}", self.url), query)?);
        if let Some((key, user)) = &self.login {
            fetch = fetch
                .header(HeaderName::from_static("api-key"), key.expose_secret())
                .header(HeaderName::from_static("api-username"), user);
        }
        self.rest.good(fetch).await
    }

    /// Posts from `before` downwards, or from the newest.
    async fn list(&self, before: Option<u64>) -> Result<List, SourceFault> {
        let before = before.map(|id| id.to_string());
        let query: Vec<_> = before.iter().map(|id| ("before", id.as_str())).collect();
        let Listed { latest_posts } = json(&self.get("posts.json", &query).await?)?;
        let mut list = List { posts: BTreeMap::new(), rest: Vec::new() };
        for post in latest_posts {
            let id = post::id(post.get());
            let original = Bytes::from(String::from(Box::<str>::from(post)));
            match id {
                Some(id) => _ = list.posts.insert(id, original),
                None => list.rest.push(original),
            }
        }
        Ok(list)
    }

    /// The forum, with the names of its categories.
    async fn forum(&self, now: Timestamp) -> Result<Forum, SourceFault> {
        #[derive(Deserialize)]
        struct Site {
            #[serde(default)]
            categories: Vec<Category>,
        }
        #[derive(Deserialize)]
        struct Category {
            id: u64,
            slug: String,
        }
        let mut known = self.forum.lock().await;
        match &*known {
            Some((asked, forum)) if now.as_millis() - asked.as_millis() < CATEGORIES_FOR => {
                Ok(forum.clone())
            }
            _ => {
                let Site { categories } = json(&self.get("site.json", &[]).await?)?;
                let slugs: HashMap<_, _> =
                    categories.into_iter().map(|one| (one.id, one.slug)).collect();
                let forum = Forum::at(&self.url).with_categories(slugs);
                *known = Some((now, forum.clone()));
                Ok(forum)
            }
        }
    }

    /// Hands on what is new or changed in `list`.
    fn take(&self, turn: &mut Turn<'_>, list: List) {
        let fresh: BTreeSet<u64> =
            list.posts.keys().copied().filter(|id| turn.at.is_new(*id)).collect();
        for original in list.rest {
            let rejection = malformed("a post without an id");
            polled::add(turn.page, &self.name, "", Err(rejection), original);
        }
        for (id, original) in list.posts {
            turn.at.note(id);
            match post::standing(&original) {
                Ok(standing) => {
                    let known = turn.at.told.get(&id);
                    let changed = known.is_some_and(|known| *known != standing);
                    if fresh.contains(&id) || changed {
                        self.hand_on(turn, id, &standing, original);
                    }
                }
                Err(rejection) if fresh.contains(&id) => {
                    let name = id.to_string();
                    polled::add(turn.page, &self.name, &name, Err(rejection), original);
                }
                Err(_) => {}
            }
        }
    }

    /// Adds a post to the page, and to what is looked at again.
    fn hand_on(&self, turn: &mut Turn<'_>, id: u64, standing: &Standing, original: Bytes) {
        let Turn { page, at, forum, now } = turn;
        forum.add(page, &self.name, standing, original);
        if self.recheck_for.is_zero() {
            return;
        }
        // Only the order of looks hangs on the time, so that of its arrival will do.
        at.recheck.add(&id.to_string(), *now, *now, RECHECKED);
        let known = at.told.insert(id, standing.clone());
        if let Some(moved) = known.filter(|known| known.place() != standing.place()) {
            page.observations.push(Observation::deleted(&self.name, moved.native_id()));
        }
    }

    /// Deletes what is known between the lowest post of an answer and `from`, and was not listed.
    fn forget(&self, turn: &mut Turn<'_>, list: &List, from: Option<u64>) {
        // A post whose id cannot be read may be any of them.
        if !list.rest.is_empty() {
            return;
        }
        let lowest = list.posts.first_key_value().map(|(id, _)| *id).or(from);
        let Some(lowest) = lowest else { return };
        let Turn { page, at, .. } = turn;
        let gone: Vec<u64> = at
            .told
            .range(lowest..=from.unwrap_or(u64::MAX))
            .map(|(id, _)| *id)
            .filter(|id| !list.posts.contains_key(id))
            .collect();
        for id in gone {
            if let Some(standing) = at.told.remove(&id) {
                page.observations.push(Observation::deleted(&self.name, standing.native_id()));
            }
            at.recheck.gone(&id.to_string());
        }
    }

    /// Looks at posts whose time has come; one answer shows fifty of them.
    async fn look_again(&self, turn: &mut Turn<'_>) -> Result<(), SourceFault> {
        let due = turn.at.recheck.due(turn.now, RECHECKED);
        let mut due: BTreeSet<u64> = due.iter().filter_map(|id| id.parse().ok()).collect();
        for _ in 0..LOOKS {
            let Some(highest) = due.last().copied() else { break };
            // From above it, as far as nothing is known there: something may show late.
            let above = turn.at.told.range(highest + 1..).next().map(|(id, _)| id - 1);
            let from = above.unwrap_or(highest).min(highest + WINDOW / 2);
            let list = self.list(Some(from)).await?;
            self.forget(turn, &list, Some(from));
            let lowest = list.posts.first_key_value().map_or(from, |(id, _)| *id);
            for (id, original) in list.posts {
                if (due.contains(&id) || turn.at.is_late(id))
                    && let Ok(standing) = post::standing(&original)
                {
                    self.hand_on(turn, id, &standing, original);
                }
            }
            for id in due.split_off(&lowest) {
                turn.at.recheck.looked_at(&id.to_string(), turn.now, self.recheck_for);
            }
        }
        let At { told, recheck, .. } = &mut *turn.at;
        told.retain(|id, _| recheck.published(&id.to_string()).is_some());
        Ok(())
    }
}

/// What a turn works on.
struct Turn<'a> {
    page: &'a mut Page,
    at: &'a mut At,
    forum: &'a Forum,
    now: Timestamp,
}

impl Standing {
    fn place(&self) -> (u64, u64) {
        (self.topic, self.number)
    }
}

impl At {
    /// True for a post that was not handed on.
    fn is_new(&self, id: u64) -> bool {
        let known = self.walk.as_ref().map_or(&self.recent, |walk| &walk.known);
        let late = known.first().is_some_and(|first| id > *first) && !known.contains(&id);
        (id > self.newest || late) && !self.recent.contains(&id)
    }

    /// True for a post among those that are looked at again that was never handed on.
    fn is_late(&self, id: u64) -> bool {
        let among = self.told.first_key_value().is_some_and(|(first, _)| id > *first);
        among && id <= self.newest && !self.told.contains_key(&id)
    }

    fn note(&mut self, id: u64) {
        self.recent.insert(id);
        while self.recent.len() > RECENT {
            self.recent.pop_first();
        }
    }

    /// Moves behind an answer with these lowest and highest ids; `known` was recent before it.
    fn walked(&mut self, ids: Option<(u64, u64)>, known: BTreeSet<u64>) {
        let before = self.walk.as_ref().map(|walk| walk.before);
        let lowest = ids.map(|(lowest, _)| lowest);
        let lowest = lowest.or_else(|| before.map(|before| before.saturating_sub(WINDOW - 1)));
        let Some(lowest) = lowest else { return };
        let (top, known) = match self.walk.take() {
            Some(Walk { top, known, .. }) => (top, known),
            None => (ids.map_or(0, |(_, highest)| highest), known),
        };
        let before = lowest.saturating_sub(1);
        // The first walk ends where the settings let it begin.
        let further = if known.is_empty() { 0 } else { WINDOW };
        if before <= self.newest.saturating_sub(further) {
            self.newest = self.newest.max(top);
        } else {
            self.walk = Some(Walk { top, before, known });
        }
    }
}

impl Platform for Discourse {
    type Place = At;

    async fn begin(&self, _now: Timestamp) -> Result<At, SourceFault> {
        let list = self.list(None).await?;
        let newest = list.posts.last_key_value().map_or(0, |(id, _)| *id);
        Ok(At { newest: newest.saturating_sub(self.lookback), ..At::default() })
    }

    async fn poll(&self, place: &At, now: Timestamp) -> Result<Step<At>, SourceFault> {
        let (mut page, mut at) = (Page::default(), place.clone());
        let forum = self.forum(now).await?;
        let from = at.walk.as_ref().map(|walk| walk.before);
        let known = at.recent.clone();
        let list = self.list(from).await?;
        let ids = list.posts.first_key_value().zip(list.posts.last_key_value());
        let ids = ids.map(|((lowest, _), (highest, _))| (*lowest, *highest));
        let mut turn = Turn { page: &mut page, at: &mut at, forum: &forum, now };
        self.forget(&mut turn, &list, from);
        self.take(&mut turn, list);
        turn.at.walked(ids, known);
        if turn.at.walk.is_none() {
            self.look_again(&mut turn).await?;
        }
        let more = at.walk.is_some();
        Ok(Step { page, place: at, more })
    }
}
