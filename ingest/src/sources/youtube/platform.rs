//! The walk over threads.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use echolot_schemas::{SourceName, Timestamp, coverage::GapReason};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::{
    http::Fetch,
    source::{Notice, Observation, Page, SourceFault},
    sources::{
        SourceContext,
        polled::{
            self, Platform, Step,
            answer::{Rest, json},
            options::address,
            recheck::Recheck,
            seen::Seen,
            span::{before, note_short_walk, until},
        },
        youtube::{
            KEY, YouTubeOptions,
            comment::{self, Head, List, Thread},
            quota::{Exhausted, Quota},
        },
    },
    submission::malformed,
};

/// Answers of a hundred threads in one walk.
const ANSWERS: usize = 10;
/// Most ids in one request.
const IDS: usize = 50;
/// Most threads that are looked at again, and most replies remembered.
const RECHECKED: usize = 4000;
/// Most threads remembered that cannot be read.
const UNREADABLE: usize = 300;
/// Answers of a hundred replies to one thread.
const REPLIES: usize = 10;

#[derive(Debug)]
pub(crate) struct YouTube {
    name: SourceName,
    rest: Rest,
    key: SecretString,
    api: String,
    daily_units: u64,
    lookback: Duration,
    recheck_for: Duration,
    /// Which threads: name and value of the parameter.
    lists: Vec<(&'static str, String)>,
    /// Counts also what a failed poll used, which no place tells of.
    quota: Mutex<Quota>,
}

/// Where to go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct At {
    lists: BTreeMap<String, Seen>,
    /// Videos and channels whose comments are switched off.
    disabled: BTreeSet<String>,
    /// Threads that cannot be read, told once although every answer holds them.
    #[serde(default)]
    unreadable: BTreeSet<String>,
    threads: Recheck,
    replies: Recheck,
    quota: Quota,
}

/// What a walk over a list came to.
#[derive(Default)]
struct Walked {
    /// New threads by time.
    found: BTreeMap<(Timestamp, String), (Head, Thread)>,
    /// True when it met what was seen.
    whole: bool,
    unreadable: Vec<Box<RawValue>>,
}

impl At {
    /// Tells of a thread that cannot be read, unless it did before.
    fn refuse(&mut self, page: &mut Page, source: &SourceName, json: &RawValue) {
        let id = comment::id(json).unwrap_or_default();
        let key = if id.is_empty() { hex::encode(Sha256::digest(json.get())) } else { id.clone() };
        if self.unreadable.len() >= UNREADABLE && !self.unreadable.contains(&key) {
            self.unreadable.clear();
        }
        if self.unreadable.insert(key) {
            let original = Bytes::copy_from_slice(json.get().as_bytes());
            let rejection = malformed("a thread without its first comment, or that without a time");
            polled::add(page, source, &id, Err(rejection), original);
        }
    }
}

impl YouTube {
    pub(crate) fn new(
        options: &YouTubeOptions,
        context: &SourceContext,
        key: SecretString,
    ) -> Self {
        let channels = options.channels.iter().map(|id| ("allThreadsRelatedToChannelId", id));
        let videos = options.videos.iter().map(|id| ("videoId", id));
        Self {
            name: context.name.clone(),
            rest: Rest::new(context.http.clone(), context.clock.clone(), KEY),
            key,
            api: options.api.clone(),
            daily_units: options.daily_units,
            lookback: options.lookback,
            recheck_for: options.recheck_for,
            lists: channels.chain(videos).map(|(name, id)| (name, id.clone())).collect(),
            quota: Mutex::default(),
        }
    }

    fn quota(&self) -> std::sync::MutexGuard<'_, Quota> {
        self.quota.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One answer, for a unit; none where comments are switched off or the video is gone.
    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Option<T>, SourceFault> {
        let now = self.rest.clock().now();
        self.quota().take(now, self.daily_units).map_err(|exhausted| used_up(now, exhausted))?;
        let mut url = address(&format!("{}/youtube/v3/{path}", self.api), query)?;
        url.query_pairs_mut().append_pair("key", self.key.expose_secret());
        let answer = self.rest.any(Fetch::get(url)).await?;
        match (answer.status.as_u16(), reason(&answer.body).as_deref()) {
            (403, Some("quotaExceeded" | "dailyLimitExceeded")) => {
                Err(used_up(now, self.quota().exhaust(now)))
            }
            (403, Some("rateLimitExceeded" | "userRateLimitExceeded")) => {
                let (detail, retry_after) = ("asked too fast".to_owned(), None);
                Err(SourceFault::RateLimited { detail, retry_after })
            }
            (403, Some("commentsDisabled")) | (404, _) => Ok(None),
            (400, Some("keyInvalid" | "badRequest" | "API_KEY_INVALID")) => {
                Err(SourceFault::Unauthorised(format!("the key is not valid; {KEY}")))
            }
            _ => json(&self.rest.judge(answer)?).map(Some),
        }
    }

    /// New threads of a list, and whether the walk met what was seen. None where it is closed.
    async fn walk(
        &self,
        (name, id): (&str, &str),
        seen: &Seen,
    ) -> Result<Option<Walked>, SourceFault> {
        let mut walked = Walked::default();
        let mut token: Option<String> = None;
        for _ in 0..ANSWERS {
            let mut query = vec![
                ("part", "snippet,replies"),
                ("order", "time"),
                ("maxResults", "100"),
                ("textFormat", "plainText"),
                (name, id),
            ];
            if let Some(token) = &token {
                query.push(("pageToken", token));
            }
            let Some(list) = self.get::<List>("commentThreads", &query).await? else {
                return Ok(None);
            };
            let mut met = false;
            for item in list.items {
                let thread = serde_json::from_str::<Thread>(item.get()).ok().and_then(|thread| {
                    Some((comment::head(&thread.snippet.top_level_comment)?, thread))
                });
                match thread {
                    None => walked.unreadable.push(item),
                    Some((head, _)) if !seen.is_new(head.published, &head.id) => met = true,
                    Some((head, thread)) => {
                        let key = (head.published, head.id.clone());
                        walked.found.insert(key, (head, thread));
                    }
                }
            }
            token = list.next_page_token;
            if met || token.is_none() {
                return Ok(Some(Walked { whole: true, ..walked }));
            }
        }
        Ok(Some(walked))
    }

    /// Adds a thread with all of its replies, those that the thread does not hold included.
    async fn add(
        &self,
        page: &mut Page,
        at: &mut At,
        thread: &Thread,
        now: Timestamp,
    ) -> Result<(), SourceFault> {
        add_thread(page, &self.name, thread);
        let mut replies: Vec<Head> =
            thread.replies.comments.iter().filter_map(|json| comment::head(json)).collect();
        if thread.snippet.total_reply_count > replies.len() as u64 {
            let mut token: Option<String> = None;
            for _ in 0..REPLIES {
                let mut query = vec![
                    ("part", "snippet"),
                    ("maxResults", "100"),
                    ("textFormat", "plainText"),
                    ("parentId", thread.id.as_str()),
                ];
                if let Some(token) = &token {
                    query.push(("pageToken", token));
                }
                let list = self.get::<List>("comments", &query).await?;
                let Some(list) = list else { break };
                for reply in list.items {
                    replies.extend(comment::head(&reply));
                    add_comment(page, &self.name, &reply, thread.video(), None);
                }
                token = list.next_page_token;
                if token.is_none() {
                    break;
                }
            }
        }
        for reply in replies {
            at.replies.add(&reply.id, reply.published, now, RECHECKED);
        }
        Ok(())
    }

    /// Comments that are not answered about any more are deleted.
    async fn look_again(
        &self,
        page: &mut Page,
        at: &mut At,
        now: Timestamp,
    ) -> Result<(), SourceFault> {
        for (path, part) in [("commentThreads", "snippet,replies"), ("comments", "snippet")] {
            let threads = path == "commentThreads";
            let due = if threads { at.threads.due(now, IDS) } else { at.replies.due(now, IDS) };
            if due.is_empty() {
                continue;
            }
            let joined = due.join(",");
            let query = [("part", part), ("textFormat", "plainText"), ("id", joined.as_str())];
            let list = self.get::<List>(path, &query).await?;
            let items = list.map(|list| list.items).unwrap_or_default();
            let mut there = BTreeSet::new();
            // One that does not even show its id may be any of them, so none is taken for gone.
            let mut unnamed = false;
            for item in items {
                match comment::id(&item) {
                    Some(id) => _ = there.insert(id),
                    None => unnamed = true,
                }
                if !threads {
                    add_comment(page, &self.name, &item, None, None);
                } else if let Ok(thread) = serde_json::from_str::<Thread>(item.get()) {
                    self.add(page, at, &thread, now).await?;
                } else {
                    at.refuse(page, &self.name, &item);
                }
            }
            let list = if threads { &mut at.threads } else { &mut at.replies };
            for id in due {
                if unnamed || there.contains(&id) {
                    list.looked_at(&id, now, self.recheck_for);
                } else {
                    list.gone(&id);
                    page.observations.push(Observation::deleted(&self.name, id));
                }
            }
        }
        Ok(())
    }
}

/// Adds the comments that a thread holds.
pub(crate) fn add_thread(page: &mut Page, source: &SourceName, thread: &Thread) {
    let count = Some(thread.snippet.total_reply_count);
    add_comment(page, source, &thread.snippet.top_level_comment, thread.video(), count);
    for reply in &thread.replies.comments {
        add_comment(page, source, reply, thread.video(), None);
    }
}

fn add_comment(
    page: &mut Page,
    source: &SourceName,
    json: &RawValue,
    video: Option<&str>,
    replies: Option<u64>,
) {
    let id = comment::head(json).map(|head| head.id).unwrap_or_default();
    let original = Bytes::copy_from_slice(json.get().as_bytes());
    polled::add(page, source, &id, comment::read(&original, video, replies), original);
}

fn used_up(now: Timestamp, exhausted: Exhausted) -> SourceFault {
    SourceFault::RateLimited {
        detail: format!("today's units are used up, until {}", exhausted.until),
        retry_after: Some(until(now, exhausted.until)),
    }
}

/// The reason in an error of Google's APIs.
fn reason(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Body {
        error: Error,
    }
    #[derive(Deserialize)]
    struct Error {
        #[serde(default)]
        errors: Vec<Detail>,
    }
    #[derive(Deserialize)]
    struct Detail {
        reason: String,
    }
    serde_json::from_slice::<Body>(body).ok()?.error.errors.pop().map(|detail| detail.reason)
}

impl Platform for YouTube {
    type Place = At;

    async fn begin(&self, now: Timestamp) -> Result<At, SourceFault> {
        let floor = before(now, self.lookback);
        let lists = self.lists.iter().map(|(_, id)| (id.clone(), Seen::up_to(floor))).collect();
        let (threads, replies) = (Recheck::default(), Recheck::default());
        let (disabled, unreadable) = (BTreeSet::new(), BTreeSet::new());
        Ok(At { lists, disabled, unreadable, threads, replies, quota: Quota::default() })
    }

    async fn poll(&self, place: &At, now: Timestamp) -> Result<Step<At>, SourceFault> {
        let (mut page, mut at) = (Page::default(), place.clone());
        self.quota().learn(&place.quota);
        for (name, id) in &self.lists {
            let mut seen = at.lists.remove(id).unwrap_or_else(|| Seen::up_to(now));
            let walked = self.walk((name, id), &seen).await?;
            let Some(Walked { found, whole, unreadable }) = walked else {
                if at.disabled.insert(id.clone()) {
                    tracing::warn!(source = %self.name, "{id}: comments are switched off");
                    let (from, to) = (seen.newest(), now);
                    page.notices.push(Notice::Gap { from, to, why: GapReason::Closed });
                }
                at.lists.insert(id.clone(), seen);
                continue;
            };
            at.disabled.remove(id);
            if !whole {
                let oldest = found.first_key_value().map(|((published, _), _)| *published);
                note_short_walk(&mut page, &seen, oldest);
            }
            for json in unreadable {
                at.refuse(&mut page, &self.name, &json);
            }
            for (head, thread) in found.into_values() {
                seen.note(head.published, &head.id);
                at.threads.add(&head.id, head.published, now, RECHECKED);
                self.add(&mut page, &mut at, &thread, now).await?;
            }
            at.lists.insert(id.clone(), seen);
        }
        self.look_again(&mut page, &mut at, now).await?;
        at.quota = self.quota().clone();
        Ok(Step { page, place: at, more: false })
    }
}
