//! The walk over ids.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Mutex,
    time::Duration,
};

use bytes::Bytes;
use echolot_schemas::{SourceName, Timestamp, coverage::GapReason};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};

use crate::{
    http::Fetch,
    source::{Notice, Observation, Page, SourceFault},
    sources::{
        SourceContext,
        hackernews::{HackerNewsOptions, item::Item},
        polled::{
            self, Platform, Step,
            answer::{Rest, json},
            options::address,
            span::after,
        },
    },
};

/// Most new items in one step.
const BATCH: u64 = 200;
/// Most changed items in one step.
const CHANGED: usize = 200;
/// Requests at work at a time.
const CONCURRENCY: usize = 8;
/// The API sets no limit; this is a fifth of what the site's own readers do.
const PACE: Duration = Duration::from_millis(5);
/// How often an id that answers `null` is asked for again, and how many such ids are remembered.
const TRIES: u32 = 20;
const MISSING: usize = 200;
/// Longest way up to a story.
const DEPTH: usize = 40;
/// Items whose story is remembered.
const STORIES: usize = 50_000;

pub(crate) struct HackerNews {
    name: SourceName,
    rest: Rest,
    api: String,
    lookback: u64,
    recheck_after: Duration,
    /// Item to its story: only saves requests, so it is no part of the place.
    stories: Mutex<HashMap<u64, u64>>,
}

/// Where to go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct At {
    /// The first id not read.
    next: u64,
    /// The first id not looked at a second time.
    recheck: u64,
    /// When that is due, where it is known: milliseconds.
    recheck_due: i64,
    /// Ids that were not there yet, with the number of tries.
    missing: BTreeMap<u64, u32>,
    /// False until one step was made since the process began: what that step reads may have been
    /// published before.
    #[serde(skip)]
    warm: bool,
}

type Read = (u64, Bytes, Option<Item>);

impl HackerNews {
    pub(crate) fn new(options: &HackerNewsOptions, context: &SourceContext) -> Self {
        let hint = "the API needs no token; a proxy on the way may";
        Self {
            name: context.name.clone(),
            rest: Rest::new(context.http.clone(), context.clock.clone(), hint),
            api: options.api.clone(),
            lookback: options.lookback,
            recheck_after: options.recheck_after,
            stories: Mutex::default(),
        }
    }

    async fn get(&self, path: &str) -> Result<crate::http::Answer, SourceFault> {
        let url = address(&format!("{}/v0/{path}.json", self.api), &[])?;
        self.rest.good(Fetch::get(url).pace(PACE)).await
    }

    async fn item(&self, id: u64) -> Result<Read, SourceFault> {
        let answer = self.get(&format!("item/{id}")).await?;
        let item: Option<Item> = json(&answer)?;
        Ok((id, answer.body, item))
    }

    async fn items(&self, ids: impl IntoIterator<Item = u64>) -> Result<Vec<Read>, SourceFault> {
        stream::iter(ids).map(|id| self.item(id)).buffered(CONCURRENCY).try_collect().await
    }

    fn story_of(&self, id: u64) -> Option<u64> {
        self.stories.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(&id).copied()
    }

    fn remember(&self, id: u64, story: u64) {
        let mut stories = self.stories.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if stories.len() >= STORIES {
            stories.clear();
        }
        stories.insert(id, story);
    }

    /// The story at the top of a conversation; none when the way up is broken or too long.
    async fn story(&self, item: &Item) -> Result<Option<u64>, SourceFault> {
        let mut way = vec![item.id];
        let mut parent = item.parent;
        let mut story = item.id;
        while let Some(above) = parent {
            if let Some(known) = self.story_of(above) {
                story = known;
                break;
            }
            if way.len() >= DEPTH {
                return Ok(None);
            }
            let (_, _, item) = self.item(above).await?;
            let Some(item) = item else { return Ok(None) };
            way.push(above);
            (story, parent) = (above, item.parent);
        }
        for id in way {
            self.remember(id, story);
        }
        Ok(Some(story))
    }

    /// Adds what was read. `told` is true for what may have been published before: then what is gone
    /// is a deletion, and otherwise it was never there.
    async fn add(&self, page: &mut Page, read: Read, told: bool) -> Result<(), SourceFault> {
        let (id, original, Some(item)) = read else { return Ok(()) };
        if item.is_gone() {
            if item.deleted || told {
                page.observations.push(Observation::deleted(&self.name, id.to_string()));
            }
            return Ok(());
        }
        let story = self.story(&item).await?;
        let submission = item.submission(story.filter(|story| *story != id));
        polled::add(page, &self.name, &id.to_string(), Ok(submission), original);
        Ok(())
    }

    /// The second look: ids in order, as far as they are old enough.
    async fn recheck(
        &self,
        page: &mut Page,
        place: &mut At,
        now: Timestamp,
    ) -> Result<bool, SourceFault> {
        if self.recheck_after.is_zero()
            || place.recheck >= place.next
            || now.as_millis() < place.recheck_due
        {
            return Ok(false);
        }
        let end = place.next.min(place.recheck + BATCH / 2);
        for read in self.items(place.recheck..end).await? {
            let published = read.2.as_ref().and_then(Item::published);
            if let Some(due) = published.map(|at| after(at, self.recheck_after))
                && due > now
            {
                place.recheck_due = due.as_millis();
                return Ok(false);
            }
            place.recheck = read.0 + 1;
            self.add(page, read, true).await?;
        }
        Ok(place.recheck < place.next)
    }
}

impl Platform for HackerNews {
    type Place = At;

    async fn begin(&self, _now: Timestamp) -> Result<At, SourceFault> {
        let newest: u64 = json(&self.get("maxitem").await?)?;
        let next = newest.saturating_sub(self.lookback).max(1);
        let missing = BTreeMap::new();
        Ok(At { next, recheck: next, recheck_due: 0, missing, warm: true })
    }

    async fn poll(&self, place: &At, now: Timestamp) -> Result<Step<At>, SourceFault> {
        let newest: u64 = json(&self.get("maxitem").await?)?;
        let mut page = Page::default();
        let mut at = place.clone();
        let end = (newest + 1).min(place.next + BATCH).max(place.next);
        let again: Vec<u64> = place.missing.keys().copied().collect();
        for read in self.items(again.into_iter().chain(place.next..end)).await? {
            let id = read.0;
            if read.2.is_some() {
                at.missing.remove(&id);
            } else {
                *at.missing.entry(id).or_default() += 1;
            }
            self.add(&mut page, read, !place.warm).await?;
        }
        let before = at.missing.len();
        at.missing.retain(|_, tries| *tries < TRIES);
        while at.missing.len() > MISSING {
            at.missing.pop_first();
        }
        let lost = (before - at.missing.len()) as u64;
        if lost > 0 {
            page.notices.push(Notice::Lost { count: lost, why: GapReason::Window });
        }
        at.next = end;
        let more = end <= newest;
        if !more {
            let updates: Updates = json(&self.get("updates").await?)?;
            let read_before = |id: &u64| *id < place.next && !place.missing.contains_key(id);
            let changed = updates.items.into_iter().filter(read_before).take(CHANGED);
            for read in self.items(changed).await? {
                self.add(&mut page, read, true).await?;
            }
        }
        let more = self.recheck(&mut page, &mut at, now).await? || more;
        at.warm = true;
        Ok(Step { page, place: at, more })
    }
}

#[derive(Deserialize)]
struct Updates {
    #[serde(default)]
    items: Vec<u64>,
}
