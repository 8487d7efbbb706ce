//! Which column or key of a file holds which field of a mention.

use std::collections::HashMap;

/// A field that a file may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "they are the fields of a submission, explained there")]
pub enum Field {
    Id,
    Text,
    Title,
    PublishedAt,
    EditedAt,
    Language,
    Author,
    Url,
    Parent,
    Thread,
    Engagement,
    Likes,
    Replies,
    Shares,
    Reach,
    Tags,
    Country,
    Rating,
    Deleted,
    Source,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 20] = [
        Self::Id,
        Self::Text,
        Self::Title,
        Self::PublishedAt,
        Self::EditedAt,
        Self::Language,
        Self::Author,
        Self::Url,
        Self::Parent,
        Self::Thread,
        Self::Engagement,
        Self::Likes,
        Self::Replies,
        Self::Shares,
        Self::Reach,
        Self::Tags,
        Self::Country,
        Self::Rating,
        Self::Deleted,
        Self::Source,
    ];

    /// The names it goes by: its own first, then those that exports use, the best first.
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Id => &["id", "native_id", "post_id", "message_id", "tweet_id", "guid", "uuid"],
            Self::Text => &["text", "body", "message", "content", "full_text", "comment"],
            Self::Title => &["title", "subject", "headline"],
            Self::PublishedAt => &[
                "published_at",
                "created_at",
                "published",
                "created",
                "datetime",
                "timestamp",
                "date",
                "time",
            ],
            Self::EditedAt => &["edited_at", "updated_at", "modified_at"],
            Self::Language => &["language", "lang", "locale"],
            Self::Author => {
                &["author", "user", "username", "handle", "screen_name", "author_id", "user_id"]
            }
            Self::Url => &["url", "link", "permalink"],
            Self::Parent => &["parent", "parent_id", "in_reply_to", "in_reply_to_id", "reply_to"],
            Self::Thread => &["thread", "thread_id", "conversation_id", "topic_id"],
            Self::Engagement => &["engagement"],
            Self::Likes => &["likes", "like_count", "favourites", "favorites", "upvotes"],
            Self::Replies => &["replies", "reply_count", "comments", "comment_count"],
            Self::Shares => &["shares", "share_count", "reposts", "retweets", "retweet_count"],
            Self::Reach => &["reach", "views", "view_count", "impressions"],
            Self::Tags => &["tags", "hashtags", "categories"],
            Self::Country => &["country", "country_code"],
            Self::Rating => &["rating", "stars"],
            Self::Deleted => &["deleted", "is_deleted"],
            Self::Source => &["source"],
        }
    }

    /// Its own name.
    pub const fn name(self) -> &'static str {
        self.names()[0]
    }
}

/// A `--map` that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// Not in the form `field=column`.
    #[error("--map {0:?} must be field=column, such as text=body")]
    Form(String),
    /// No such field.
    #[error("--map {field}=…: there is no such field; there are {known}", known = known())]
    Field {
        /// As given.
        field: String,
    },
    /// Two fields of one column, or two columns of one field.
    #[error("--map names {0:?} twice")]
    Twice(String),
}

fn known() -> String {
    Field::ALL.map(Field::name).join(", ")
}

/// A field, and how good a name for it a column has: 0 is best.
pub(crate) type Meaning = (Field, usize);

/// What each column means.
#[derive(Clone, Debug)]
pub struct Columns {
    meanings: HashMap<String, Meaning>,
}

impl Columns {
    /// The names that exports use, but for the fields that `maps` (each `field=column`) name.
    pub fn new<'a>(maps: impl IntoIterator<Item = &'a str>) -> Result<Self, MapError> {
        let mut given: Vec<(Field, &str)> = Vec::new();
        for map in maps {
            let pair = map.split_once('=').filter(|(_, column)| !column.is_empty());
            let (name, column) = pair.ok_or_else(|| MapError::Form(map.to_owned()))?;
            let field = Field::ALL.into_iter().find(|field| field.name() == name);
            let field = field.ok_or_else(|| MapError::Field { field: name.to_owned() })?;
            if let Some((_, column)) = given.iter().find(|(f, c)| *f == field || *c == column) {
                return Err(MapError::Twice((*column).to_owned()));
            }
            given.push((field, column));
        }
        let mut meanings = HashMap::new();
        for field in Field::ALL {
            if given.iter().all(|(mapped, _)| *mapped != field) {
                for (rank, name) in field.names().iter().enumerate() {
                    meanings.insert((*name).to_owned(), (field, rank));
                }
            }
        }
        for (field, column) in given {
            meanings.insert(column.to_owned(), (field, 0));
        }
        Ok(Self { meanings })
    }

    /// What a column of this name means. `Created At` is read as `created_at`.
    pub(crate) fn meaning(&self, name: &str) -> Option<Meaning> {
        let exact = self.meanings.get(name);
        exact.or_else(|| self.meanings.get(&normal(name)?)).copied()
    }
}

/// The name in the spelling of the list above; none when it is in that spelling already.
fn normal(name: &str) -> Option<String> {
    let spelled = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    (!spelled).then(|| name.trim().to_lowercase().replace([' ', '-'], "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_stands_for_two_fields() {
        let mut seen = HashMap::new();
        for field in Field::ALL {
            for name in field.names() {
                assert_eq!(seen.insert(name, field), None, "{name}");
            }
        }
    }

    #[test]
    fn a_map_replaces_every_other_name_of_its_field() {
        let columns = Columns::new(["text=comment_body"]).unwrap();
        assert_eq!(columns.meaning("comment_body"), Some((Field::Text, 0)));
        assert_eq!(columns.meaning("text"), None);
        assert_eq!(columns.meaning("created_at"), Some((Field::PublishedAt, 1)));
    }

    #[test]
    fn spelling_of_headers_does_not_matter() {
        let columns = Columns::new([]).unwrap();
        assert_eq!(columns.meaning("Created At"), columns.meaning("created_at"));
        assert_eq!(columns.meaning("brand"), None);
    }

    #[test]
    fn maps_that_cannot_be_followed_are_refused() {
        let refused = |maps: &[&str]| Columns::new(maps.iter().copied()).unwrap_err().to_string();
        assert!(refused(&["text"]).contains("field=column"));
        assert!(refused(&["txt=body"]).contains("there are id, text,"));
        assert!(refused(&["text=a", "text=b"]).contains("twice"));
        assert!(refused(&["text=a", "title=a"]).contains("twice"));
    }
}
