//! What a forum calls with: `POST /v1/hooks/NAME`, signed by `X-Discourse-Event-Signature`.

use axum::http::HeaderMap;
use bytes::Bytes;
use echolot_pipeline::stage::Rejection;
use echolot_schemas::{SourceName, Timestamp};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    DiscourseOptions,
    post::{self, Forum},
};
use crate::{
    hooks::{Hook, Unauthorised},
    keep::KeepRule,
    rejected::{Place, Rejected},
    source::{AuthorPurge, Observation, Page},
    sources::{SourceContext, webhook::auth::Check},
    submission::malformed_json,
};

/// Most posts of a topic that are deleted with it; the second look finds the others.
const DELETED: u64 = 10_000;

pub(super) struct DiscourseHook {
    name: SourceName,
    keep: KeepRule,
    forum: Forum,
    check: Check,
}

/// The body of a call; which part it has is told by `X-Discourse-Event-Type`.
#[derive(Deserialize)]
struct Called {
    post: Option<Box<RawValue>>,
    topic: Option<Topic>,
    user: Option<User>,
}

#[derive(Deserialize)]
struct Topic {
    id: u64,
    posts_count: Option<u64>,
    highest_post_number: Option<u64>,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

impl DiscourseHook {
    pub(super) fn new(
        options: &DiscourseOptions,
        context: &SourceContext,
        secret: &SecretString,
    ) -> Self {
        Self {
            name: context.name.clone(),
            keep: context.common.keep.unwrap_or_default(),
            forum: Forum::at(&options.url),
            check: Check::signed("x-discourse-event-signature", "sha256=", secret),
        }
    }

    fn read(&self, event: &str, body: &Bytes) -> Result<Page, Rejection> {
        let Called { post, topic, user } =
            serde_json::from_slice(body).map_err(|error| malformed_json(body, &error))?;
        let mut page = Page::default();
        match (event, post, topic, user) {
            ("post_destroyed", Some(post), ..) => {
                let native = post::standing(post.get().as_bytes())?.native_id();
                page.observations.push(Observation::deleted(&self.name, native));
            }
            (_, Some(post), ..) => {
                let standing = post::standing(post.get().as_bytes())?;
                let original = Bytes::from(String::from(Box::<str>::from(post)));
                self.forum.add(&mut page, &self.name, &standing, original);
            }
            // With a topic its posts are gone, of which the forum does not tell one by one.
            ("topic_destroyed", None, Some(topic), _) => {
                let last = topic.highest_post_number.max(topic.posts_count).unwrap_or(1);
                let posts = 1..=last.clamp(1, DELETED);
                let gone = posts.map(|number| post::native_id(topic.id, number));
                let gone = gone.map(|native| Observation::deleted(&self.name, native));
                page.observations.extend(gone);
            }
            ("user_destroyed", None, None, Some(user)) => {
                let source = self.name.clone();
                page.purges.push(AuthorPurge { source, author: user.username });
            }
            // Pings, and topics that are new, edited or recovered: their posts are told as well.
            _ => {}
        }
        Ok(page)
    }
}

impl Hook for DiscourseHook {
    fn name(&self) -> &SourceName {
        &self.name
    }

    fn keep(&self) -> KeepRule {
        self.keep
    }

    fn authenticate(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        _now: Timestamp,
    ) -> Result<(), Unauthorised> {
        self.check.check(headers, body)
    }

    fn translate(&self, headers: &HeaderMap, body: Bytes) -> Page {
        let event = headers.get("x-discourse-event").and_then(|value| value.to_str().ok());
        self.read(event.unwrap_or_default(), &body).unwrap_or_else(|rejection| {
            let place = Place::Item { file: None, item: 1 };
            Page { rejected: vec![Rejected::new(place, rejection, body)], ..Page::default() }
        })
    }
}
