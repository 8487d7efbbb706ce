//! What a test knows of its own mentions: which it sent, and which were acknowledged.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use echolot_schemas::{MentionId, SourceName, submission::Submission};

/// Shared by everything that sends for one pipeline.
#[derive(Clone, Default)]
pub struct Known(Arc<Mutex<Sets>>);

#[derive(Default)]
struct Sets {
    sent: HashSet<MentionId>,
    acknowledged: HashSet<MentionId>,
}

impl Known {
    /// These are on their way: they may be stored from now on.
    pub fn sent(&self, source: &SourceName, posts: &[Submission]) {
        self.sets().sent.extend(ids(source, posts));
    }

    /// These were acknowledged: they must not get lost from now on.
    pub fn acknowledged(&self, source: &SourceName, posts: &[Submission]) {
        let mut sets = self.sets();
        for id in ids(source, posts) {
            sets.sent.insert(id);
            sets.acknowledged.insert(id);
        }
    }

    /// As [`Known::acknowledged`], by id.
    pub fn acknowledged_id(&self, id: MentionId) {
        let mut sets = self.sets();
        sets.sent.insert(id);
        sets.acknowledged.insert(id);
    }

    /// Every id that was acknowledged.
    pub fn all_acknowledged(&self) -> HashSet<MentionId> {
        self.sets().acknowledged.clone()
    }

    /// Every id that was sent.
    pub fn all_sent(&self) -> HashSet<MentionId> {
        self.sets().sent.clone()
    }

    fn sets(&self) -> MutexGuard<'_, Sets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ids<'a>(
    source: &'a SourceName,
    posts: &'a [Submission],
) -> impl Iterator<Item = MentionId> + 'a {
    posts.iter().map(move |post| MentionId::derive(source, &post.id))
}
