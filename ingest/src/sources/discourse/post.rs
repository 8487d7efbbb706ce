//! A post as a submission, as `PostSerializer` and `WebHookPostSerializer` of Discourse write it.

use std::collections::HashMap;

use bytes::Bytes;
use echolot_pipeline::stage::Rejection;
use echolot_schemas::{SourceName, Timestamp, mention::Engagement, submission::Submission};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    source::{Observation, Page},
    sources::polled,
    submission::{malformed, malformed_json},
    text::of_html_without,
};

/// `post_type` of what people write for all who may read the topic.
const REGULAR: u8 = 1;
/// `id` of likes in `actions_summary`.
const LIKES: u64 = 2;

/// What has to be known of a forum to read its posts.
#[derive(Clone, Debug, Default)]
pub(super) struct Forum {
    base: String,
    /// Slugs of categories; webhooks bring them along.
    categories: HashMap<u64, String>,
}

/// Where a post stands, and which edit of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Standing {
    pub(super) topic: u64,
    pub(super) number: u64,
    #[serde(default)]
    pub(super) version: u32,
}

/// What a post means.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    Mention(Box<Submission>),
    /// It is gone, or without words after an edit.
    Gone,
    /// No mention: a message, a whisper, a note of the system, pictures alone, hidden for now.
    Nothing,
}

/// `GET /posts.json`.
#[derive(Deserialize)]
pub(super) struct Listed {
    pub(super) latest_posts: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Post {
    topic_id: u64,
    #[serde(rename = "post_number")]
    number: u64,
    #[serde(default)]
    version: u32,
    #[serde(rename = "post_type")]
    kind: Option<u8>,
    created_at: Timestamp,
    updated_at: Option<Timestamp>,
    username: Option<String>,
    #[serde(default)]
    cooked: String,
    topic_title: Option<String>,
    category_id: Option<u64>,
    category_slug: Option<String>,
    topic_archetype: Option<String>,
    reply_to_post_number: Option<u64>,
    reply_count: Option<u64>,
    reads: Option<u64>,
    #[serde(default)]
    actions_summary: Vec<Action>,
    staff: Option<bool>,
    accepted_answer: Option<bool>,
    hidden: Option<bool>,
    user_deleted: Option<bool>,
    deleted_at: Option<String>,
}

#[derive(Deserialize)]
struct Action {
    id: u64,
    count: Option<u64>,
}

impl Standing {
    /// The native id of the post.
    pub(super) fn native_id(&self) -> String {
        native_id(self.topic, self.number)
    }
}

/// The native id of a post by its place.
pub(super) fn native_id(topic: u64, number: u64) -> String {
    format!("{topic}/{number}")
}

/// The forum's own id of a post, whatever else is wrong with it.
pub(super) fn id(json: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct Id {
        id: u64,
    }
    serde_json::from_str::<Id>(json).ok().map(|post| post.id)
}

/// Where a post stands, whatever else is wrong with it.
pub(super) fn standing(json: &[u8]) -> Result<Standing, Rejection> {
    #[derive(Deserialize)]
    struct Placed {
        topic_id: u64,
        post_number: u64,
        #[serde(default)]
        version: u32,
    }
    let Placed { topic_id, post_number, version } =
        serde_json::from_slice(json).map_err(|error| malformed_json(json, &error))?;
    Ok(Standing { topic: topic_id, number: post_number, version })
}

impl Forum {
    /// The forum at this address, its categories unknown.
    pub(super) fn at(base: &str) -> Self {
        Self { base: base.to_owned(), categories: HashMap::new() }
    }

    pub(super) fn with_categories(mut self, categories: HashMap<u64, String>) -> Self {
        self.categories = categories;
        self
    }

    /// What a post means.
    pub(super) fn read(&self, json: &[u8]) -> Result<Said, Rejection> {
        let post: Post =
            serde_json::from_slice(json).map_err(|error| malformed_json(json, &error))?;
        let is_private = post.topic_archetype.as_deref() == Some("private_message");
        if is_private || post.kind.is_some_and(|kind| kind != REGULAR) {
            return Ok(Said::Nothing);
        }
        if post.deleted_at.is_some() || post.user_deleted == Some(true) {
            return Ok(Said::Gone);
        }
        let text = of_html_without(&post.cooked, &["aside"]);
        let first = post.number == 1;
        let title = post.topic_title.clone().filter(|_| first);
        match (text.is_empty() && title.is_none(), post.hidden == Some(true)) {
            (_, true) => Ok(Said::Nothing),
            // Its earlier words must not outlive the edit that took them away.
            (true, _) if post.version > 1 => Ok(Said::Gone),
            (true, _) => Ok(Said::Nothing),
            (false, _) => Ok(Said::Mention(Box::new(self.submission(post, text, title)))),
        }
    }

    fn submission(&self, post: Post, text: String, title: Option<String>) -> Submission {
        let (topic, number) = (post.topic_id, post.number);
        let slug = post.category_id.and_then(|id| self.categories.get(&id).cloned());
        let tags = [
            post.category_slug.or(slug).filter(|slug| !slug.is_empty()),
            post.staff.unwrap_or(false).then(|| "staff".to_owned()),
            post.accepted_answer.unwrap_or(false).then(|| "accepted-answer".to_owned()),
        ];
        let opening = (number > 1).then(|| native_id(topic, 1));
        let answered = post.reply_to_post_number.map(|number| native_id(topic, number));
        let likes = post.actions_summary.iter().find(|action| action.id == LIKES);
        let engagement = Engagement {
            likes: likes.map(|action| action.count.unwrap_or(0)),
            replies: post.reply_count,
            reach: post.reads,
            ..Engagement::default()
        };
        Submission {
            id: native_id(topic, number),
            text: Some(text),
            title,
            published_at: Some(post.created_at),
            edited_at: post.updated_at.filter(|_| post.version > 1),
            author: post.username,
            url: Some(format!("{}/t/{topic}/{number}", self.base)),
            parent: answered.or_else(|| opening.clone()),
            thread: opening,
            engagement: Some(engagement).filter(|engagement| !engagement.is_empty()),
            tags: tags.into_iter().flatten().collect(),
            ..Submission::default()
        }
    }

    /// Adds what a post at `standing` means to a page.
    pub(super) fn add(
        &self,
        page: &mut Page,
        source: &SourceName,
        standing: &Standing,
        original: Bytes,
    ) {
        let native = standing.native_id();
        let read = self.read(&original).map(|said| match said {
            Said::Mention(submission) => Some(*submission),
            Said::Gone => Some(Observation::deleted(source, native.clone()).submission),
            Said::Nothing => None,
        });
        polled::add(page, source, &native, read, original);
    }
}

/// What a recorded answer or webhook says.
pub(super) fn sample(
    source: &SourceName,
    forum: &Forum,
    sample: &Bytes,
) -> Result<Page, Rejection> {
    #[derive(Deserialize)]
    struct Sample {
        #[serde(default)]
        latest_posts: Vec<Box<RawValue>>,
        #[serde(default)]
        post: Option<Box<RawValue>>,
    }
    let Sample { latest_posts, post } =
        serde_json::from_slice(sample).map_err(|error| malformed_json(sample, &error))?;
    let posts: Vec<_> = latest_posts.into_iter().chain(post).collect();
    if posts.is_empty() {
        return Err(malformed("holds neither `latest_posts` nor `post`"));
    }
    let mut page = Page::default();
    for json in posts {
        let original = Bytes::from(String::from(Box::<str>::from(json)));
        match standing(&original) {
            Ok(standing) => forum.add(&mut page, source, &standing, original),
            Err(rejection) => polled::add(&mut page, source, "", Err(rejection), original),
        }
    }
    Ok(page)
}

#[cfg(test)]
mod tests;
