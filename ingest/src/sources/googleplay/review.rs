//! Reviews of the Google Play Developer API as submissions.

use echolot_schemas::{Timestamp, mention::Engagement, submission::Submission};
use serde::Deserialize;
use serde_json::value::RawValue;

/// `reviews.list`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct List {
    #[serde(default)]
    pub(crate) reviews: Vec<Box<RawValue>>,
    #[serde(default)]
    pub(crate) token_pagination: Pagination,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pagination {
    pub(crate) next_page_token: Option<String>,
}

/// One review with the developer's reply.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Review {
    #[serde(rename = "reviewId")]
    pub(crate) id: String,
    author_name: Option<String>,
    #[serde(default)]
    comments: Vec<Comment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Comment {
    user_comment: Option<UserComment>,
    developer_comment: Option<DeveloperComment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserComment {
    #[serde(default)]
    text: String,
    last_modified: Modified,
    star_rating: Option<u8>,
    reviewer_language: Option<String>,
    thumbs_up_count: Option<u64>,
    app_version_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeveloperComment {
    #[serde(default)]
    text: String,
    last_modified: Modified,
}

/// Seconds come as text, as all 64-bit numbers of Google's APIs; some clients write numbers.
#[derive(Deserialize)]
struct Modified {
    seconds: serde_json::Value,
}

impl Modified {
    fn at(&self) -> Option<Timestamp> {
        let seconds = self.seconds.as_i64().or_else(|| self.seconds.as_str()?.parse().ok())?;
        seconds.checked_mul(1000).map(Timestamp::from_millis)
    }
}

impl Review {
    fn user(&self) -> Option<&UserComment> {
        self.comments.iter().find_map(|comment| comment.user_comment.as_ref())
    }

    /// When its user or the developer last changed it: what the list is ordered by.
    pub(crate) fn modified(&self) -> Option<Timestamp> {
        self.user().and_then(|comment| comment.last_modified.at())
    }

    /// The review, and the developer's reply as a mention of its own that answers it.
    ///
    /// The API does not tell when a review was first written. `first` is when it was last modified at
    /// its first sight, which is the nearest that there is and never changes.
    pub(crate) fn submissions(&self, package: &str, first: Option<Timestamp>) -> Vec<Submission> {
        let mut all = Vec::new();
        let url =
            format!("https://play.google.com/store/apps/details?id={package}&reviewId={}", self.id);
        let reply = self.comments.iter().find_map(|comment| comment.developer_comment.as_ref());
        if let Some(user) = self.user() {
            let modified = user.last_modified.at();
            // Title and text are one field with a tab between them.
            let (title, text) = user.text.split_once('\t').unwrap_or(("", &user.text));
            all.push(Submission {
                id: self.id.clone(),
                text: Some(text.trim().to_owned()),
                title: Some(title.trim().to_owned()),
                published_at: first.or(modified),
                edited_at: modified.filter(|at| first.is_some_and(|first| *at > first)),
                language: user.reviewer_language.clone(),
                author: self.author_name.clone(),
                url: Some(url.clone()),
                engagement: Some(Engagement {
                    likes: user.thumbs_up_count,
                    replies: Some(u64::from(reply.is_some())),
                    ..Engagement::default()
                }),
                tags: user.app_version_name.iter().cloned().collect(),
                rating: user.star_rating,
                ..Submission::default()
            });
        }
        if let Some(reply) = reply {
            all.push(Submission {
                id: reply_id(&self.id),
                text: Some(reply.text.clone()),
                published_at: reply.last_modified.at(),
                author: Some(package.to_owned()),
                url: Some(url),
                parent: Some(self.id.clone()),
                thread: Some(self.id.clone()),
                tags: vec!["developer-reply".to_owned()],
                ..Submission::default()
            });
        }
        all
    }
}

/// The developer's reply has no id of its own; there is at most one.
pub(crate) fn reply_id(review: &str) -> String {
    format!("{review}#reply")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REVIEW: &str = r#"{"reviewId":"gp:1","authorName":"Ada","comments":[
        {"userComment":{"text":"Gut\tLäuft stabil","lastModified":{"seconds":"1780315200","nanos":1},
         "starRating":4,"reviewerLanguage":"de","thumbsUpCount":3,"appVersionName":"2.1"}},
        {"developerComment":{"text":"Danke!","lastModified":{"seconds":"1780318800"}}}]}"#;

    #[test]
    fn a_review_has_stars_and_the_developers_reply_answers_it() {
        let review: Review = serde_json::from_str(REVIEW).unwrap();
        let all = review.submissions("org.example", None);
        assert_eq!(all[0].title.as_deref(), Some("Gut"));
        assert_eq!(all[0].text.as_deref(), Some("Läuft stabil"));
        assert_eq!((all[0].rating, all[0].engagement.unwrap().likes), (Some(4), Some(3)));
        assert_eq!(all[1].id, "gp:1#reply");
        assert_eq!(all[1].parent.as_deref(), Some("gp:1"));
        let first: Timestamp = "2026-05-30T00:00:00Z".parse().unwrap();
        let edited = &review.submissions("org.example", Some(first))[0];
        assert_eq!(edited.published_at, Some(first));
        assert_eq!(edited.edited_at, review.modified());
    }

    proptest! {
        #[test]
        fn a_review_cut_or_changed_anywhere_makes_nothing_panic(
            cut in any::<prop::sample::Index>(), byte in any::<u8>(),
        ) {
            let mut bytes = REVIEW.as_bytes().to_vec();
            let at = cut.index(bytes.len());
            bytes[at] = byte;
            for end in [bytes.len(), at] {
                if let Ok(review) = serde_json::from_slice::<Review>(&bytes[..end]) {
                    review.submissions("org.example", None);
                }
            }
        }
    }
}
