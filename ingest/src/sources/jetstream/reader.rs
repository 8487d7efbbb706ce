//! From a frame to what it adds to a page.

use std::collections::HashSet;

use bytes::Bytes;
use echolot_pipeline::stage::Rejection;
use echolot_schemas::{SourceName, dead_letter::Reason};

use super::{
    frame::{Event, Frame, FrameError, Kind, Mark},
    options::Version,
    post::{POSTS, Post},
};
use crate::{
    rejected::{Place, Rejected},
    source::{AuthorPurge, Observation},
};

/// Reads the frames of one source.
#[derive(Clone, Debug)]
pub struct Reader {
    name: SourceName,
    version: Version,
    /// Accounts whose posts are wanted whatever the brands say.
    follow: HashSet<String>,
}

/// What a frame says.
#[derive(Debug)]
pub enum Heard {
    /// An event at its place in the stream, with what it means for the log.
    Event {
        /// Its place.
        mark: Mark,
        /// What it means; none for what is no mention.
        item: Option<Item>,
    },
    /// The server says something about the stream.
    Info(String),
    /// The server is about to close.
    Error(String),
    /// Nothing that is known.
    Unknown,
}

/// What an event means for the log.
#[derive(Debug)]
pub enum Item {
    /// A mention in its present state, or its deletion.
    Observed(Box<Observation>),
    /// Everything that an account said is gone.
    Purged(AuthorPurge),
    /// It should have been a post, but cannot be read.
    Rejected(Box<Rejected>),
}

impl Reader {
    /// A reader of the source `name`.
    pub fn new(name: SourceName, version: Version) -> Self {
        Self { name, version, follow: HashSet::new() }
    }

    /// The same, for which posts of these accounts are wanted whatever the brands say.
    #[must_use]
    pub fn following(self, dids: &[String]) -> Self {
        Self { follow: dids.iter().cloned().collect(), ..self }
    }

    /// Reads `frame`, whose bytes are `original`.
    pub fn read(&self, frame: &str, original: &Bytes) -> Result<Heard, FrameError> {
        Ok(match Frame::read(self.version, frame)? {
            Frame::Event(event) => {
                Heard::Event { mark: event.mark, item: self.item(&event, original) }
            }
            Frame::Info { name } => Heard::Info(name.into_owned()),
            Frame::Error { name } => Heard::Error(name.into_owned()),
            Frame::Unknown => Heard::Unknown,
        })
    }

    fn item(&self, event: &Event<'_>, original: &Bytes) -> Option<Item> {
        match &event.kind {
            Kind::Commit(commit) if commit.collection == POSTS => match Post::read(event, commit) {
                Ok(Post::Said(submission) | Post::Gone(submission)) => {
                    let observation = Observation::new(&self.name, submission, original.clone());
                    let followed = self.follow.contains(event.did.as_ref());
                    Some(Item::Observed(Box::new(Observation { followed, ..observation })))
                }
                Ok(Post::Wordless) => None,
                Err(error) => {
                    let place = Place::NativeId(format!("{:.256} {:.512}", event.did, commit.rkey));
                    Some(Item::Rejected(Box::new(malformed(place, &error, original.clone()))))
                }
            },
            Kind::Account(account) if account.is_gone() => Some(Item::Purged(AuthorPurge {
                source: self.name.clone(),
                author: event.did.to_string(),
            })),
            // A handle is no part of a mention, and a deactivated account comes back. What a
            // `sync` makes doubtful is told record by record as the repository is written again.
            Kind::Commit(_) | Kind::Account(_) | Kind::Identity | Kind::Sync | Kind::Unknown => {
                None
            }
        }
    }
}

/// A rejection of something that cannot be read.
pub(super) fn malformed(place: Place, error: &impl ToString, original: Bytes) -> Rejected {
    let rejection = Rejection { reason: Reason::Malformed, detail: error.to_string() };
    Rejected::new(place, rejection, original)
}
