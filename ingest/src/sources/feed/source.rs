//! Asking feeds, each in its turn.

use std::time::Duration;

use echolot_pipeline::stage::Rejection;
use echolot_schemas::{
    MentionId, SourceName, Timestamp, coverage::GapReason, cursor::CursorRecord,
};
use reqwest::header::{
    ACCEPT, CONTENT_TYPE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use tokio::time::Instant;
use url::Url;

use super::{
    document::{self, Document, Item},
    place::{Place, Places},
};
use crate::{
    http::{Answer, Fetch},
    rejected::{Place as Where, Rejected},
    source::{Notice, Page, Source, SourceFault},
    sources::SourceContext,
};

/// What is asked for.
const FEEDS: &str = "application/atom+xml, application/rss+xml, application/feed+json, \
                     application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5";
/// A document with fewer entries may share none with the one before without anything being missed.
const WINDOW_LEAST: usize = 3;

/// Most entries remembered of a feed whose documents break off one after the other.
const SEEN_MOST: usize = 2_000;

/// Feeds under one name.
pub(super) struct FeedSource {
    context: SourceContext,
    feeds: Vec<Turn>,
    interval: Duration,
    longest: Duration,
    places: Places,
}

/// When an address is asked next.
struct Turn {
    configured: Url,
    due: Instant,
    interval: Duration,
}

impl FeedSource {
    pub(super) fn new(
        context: SourceContext,
        urls: Vec<Url>,
        interval: Duration,
        longest: Duration,
    ) -> Self {
        let now = Instant::now();
        let feeds = urls.into_iter().map(|configured| Turn { configured, due: now, interval });
        Self { context, feeds: feeds.collect(), interval, longest, places: Places::default() }
    }

    fn next_turn(&self) -> Option<usize> {
        let asked = |turn: &Turn| !self.place(&turn.configured).is_some_and(|place| place.gone);
        let turns = self.feeds.iter().enumerate().filter(|(_, turn)| asked(turn));
        turns.min_by_key(|(_, turn)| turn.due).map(|(index, _)| index)
    }

    fn place(&self, url: &Url) -> Option<&Place> {
        self.places.0.get(url.as_str())
    }

    async fn ask(&self, place: &Place, configured: &Url) -> Result<Answer, SourceFault> {
        let moved = place.moved.as_deref().and_then(|url| Url::parse(url).ok());
        let mut fetch =
            Fetch::get(moved.unwrap_or_else(|| configured.clone())).header(ACCEPT, FEEDS);
        if let Some(etag) = &place.etag {
            fetch = fetch.header(IF_NONE_MATCH, etag);
        }
        if let Some(modified) = &place.modified {
            fetch = fetch.header(IF_MODIFIED_SINCE, modified);
        }
        Ok(self.context.http.fetch(fetch).await?)
    }

    /// A page of an answer, and the place behind it.
    fn page(&self, answer: &Answer, mut place: Place) -> (Page, Place, bool) {
        if let Some(moved) = &answer.moved {
            tracing::info!(source = %self.context.name, "a feed has moved for good");
            place.moved = Some(moved.to_string());
        }
        if answer.status == 304 {
            return (Page::default(), place, false);
        }
        let text = |name| answer.header(name).map(str::to_owned);
        (place.etag, place.modified) = (text(&ETAG), text(&LAST_MODIFIED));
        let name = &self.context.name;
        let content_type = answer.header(&CONTENT_TYPE);
        let now = self.context.clock.now();
        match document::read(name, &answer.body, content_type, Some(&answer.url), now) {
            Ok(Document { items, broken }) => {
                let before = place.seen.clone();
                let mut page = news(name, items, &mut place, now);
                if broken.is_some() {
                    // What is missing from half a document is not gone from the feed, and the other
                    // half must not be answered with "nothing new".
                    (place.etag, place.modified) = (None, None);
                    if before.len() <= SEEN_MOST {
                        let mut seen = before;
                        seen.append(&mut place.seen);
                        place.seen = seen;
                    }
                }
                page.rejected.extend(broken.map(|rejection| rejected(answer, rejection)));
                let changed = !page.observations.is_empty();
                (page, place, changed)
            }
            Err(rejection) => {
                let rejected = vec![rejected(answer, rejection)];
                (Page { rejected, ..Page::default() }, place, false)
            }
        }
    }
}

fn rejected(answer: &Answer, rejection: Rejection) -> Rejected {
    let place = Where::NativeId(crate::http::fault::shown(&answer.url));
    Rejected::new(place, rejection, answer.body.clone())
}

/// What is new or has changed since the document before.
fn news(name: &SourceName, items: Vec<Item>, place: &mut Place, now: Timestamp) -> Page {
    let before = std::mem::take(&mut place.seen);
    let mut page = Page::default();
    let (mut known, mut oldest) = (0, None::<Timestamp>);
    let count = items.len();
    for mut item in items {
        let id = key(name, &item.observation.submission.id);
        let previous = before.get(&id);
        known += usize::from(previous.is_some());
        place.seen.insert(id, item.state);
        let at = item.observation.submission.published_at.filter(|_| item.dated);
        place.newest = place.newest.max(at);
        oldest = match (oldest, at) {
            (Some(oldest), Some(at)) => Some(at.min(oldest)),
            (oldest, at) => oldest.or(at),
        };
        match previous {
            Some(state) if *state == item.state => {}
            Some(_) => {
                // Another text under the same id: an edit.
                item.observation.submission.edited_at = Some(now);
                page.observations.push(item.observation);
            }
            None => page.observations.push(item.observation),
        }
    }
    if known == 0 && count >= WINDOW_LEAST && before.len() >= WINDOW_LEAST {
        page.notices.extend(
            oldest
                .zip(place.gap_from)
                .filter(|(to, from)| from < to)
                .map(|(to, from)| Notice::Gap { from, to, why: GapReason::Window }),
        );
    }
    place.gap_from = place.newest;
    page
}

fn key(source: &SourceName, native_id: &str) -> u64 {
    MentionId::derive(source, native_id).as_uuid().as_u64_pair().0
}

impl Source for FeedSource {
    fn name(&self) -> &SourceName {
        &self.context.name
    }

    fn keep(&self) -> crate::keep::KeepRule {
        self.context.common.keep.unwrap_or_default()
    }

    fn replays(&self) -> bool {
        // What left the document meanwhile is told as a gap of its own.
        true
    }

    async fn resume(&mut self, cursor: Option<CursorRecord>) -> Result<(), SourceFault> {
        // A cursor of another version: everything is read again, which changes nothing.
        let places = cursor.and_then(|cursor| serde_json::from_str(&cursor.position).ok());
        self.places = places.unwrap_or_default();
        let configured: Vec<&str> =
            self.feeds.iter().map(|turn| turn.configured.as_str()).collect();
        self.places.0.retain(|url, _| configured.contains(&url.as_str()));
        Ok(())
    }

    async fn next_page(&mut self) -> Result<Option<Page>, SourceFault> {
        let Some(index) = self.next_turn() else {
            return Err(SourceFault::Closed("every feed is gone for good".to_owned()));
        };
        let (configured, due) = (self.feeds[index].configured.clone(), self.feeds[index].due);
        tokio::time::sleep_until(due).await;
        let place = self.place(&configured).cloned().unwrap_or_default();
        let asked = self.ask(&place, &configured).await;
        let hint = "the feed wants a login; most publishers offer a public one";
        let answer = asked.and_then(|answer| answer.or_fault(self.context.clock.now(), hint));
        let turn = &mut self.feeds[index];
        // However this ends, the next turn is the others'.
        turn.due = Instant::now() + turn.interval;
        let answer = match answer {
            Ok(answer) => answer,
            Err(SourceFault::Closed(detail)) => {
                tracing::warn!(source = %self.context.name, "a feed is closed: {detail}");
                let place = self.places.0.entry(configured.to_string()).or_default();
                place.gone = true;
                let cursor = serde_json::to_string(&self.places).ok();
                return Ok(Some(Page { cursor, ..Page::default() }));
            }
            // One of many that cannot be had must not stop the others, nor for ever itself.
            Err(SourceFault::Unauthorised(detail) | SourceFault::Fatal(detail))
                if self.feeds.len() > 1 =>
            {
                return Err(SourceFault::transient(detail));
            }
            Err(fault) => return Err(fault),
        };
        let before = place.clone();
        let (mut page, place, changed) = self.page(&answer, place);
        let turn = &mut self.feeds[index];
        turn.interval =
            if changed { self.interval } else { turn.interval.mul_f64(1.5).min(self.longest) };
        turn.due = Instant::now() + turn.interval;
        if place != before {
            self.places.0.insert(configured.to_string(), place);
            page.cursor = serde_json::to_string(&self.places).ok();
        }
        Ok(Some(page))
    }
}
