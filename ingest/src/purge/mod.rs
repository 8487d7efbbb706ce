//! Authors who are gone: every mention of theirs becomes `mention.deleted`.
//!
//! ```text
//!  Page.purges ─▶ pseudonym ─▶ ingest.purges (durable) ──┐ every so often, all at once
//!                                                        ▼
//!          tombstone ◀── acknowledged ◀── mention.deleted ◀── one pass over mentions.raw
//! ```
//!
//! The log is the truth, so it is the log that is asked which mentions an author wrote; the store is
//! not. A request is taken back only after its deletions are acknowledged: whatever dies in between
//! is done again, and a repeated deletion changes nothing. The pass begins after the requests were
//! read, so it sees every mention that was safe before them.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use echolot_pipeline::{clock::Clock, retry::Backoff};
use echolot_schemas::{MentionId, RawEvent, SourceName, purge::PurgeRequest, raw::Deleted};
use tokio_util::sync::CancellationToken;

use crate::log::{LogFault, Publish, PurgeLog};

/// Deletions written together.
const CHUNK: usize = 5_000;

/// Does what is asked on `ingest.purges`.
#[derive(Debug)]
pub struct PurgeDesk<L, P> {
    /// Requests, and the log to search.
    pub log: L,
    /// The log's way in.
    pub publish: P,
    /// Time between two passes: requests of that time share one.
    pub every: Duration,
    /// What time it is.
    pub clock: Clock,
}

/// The mentions of some authors, as a pass over the log finds them.
#[derive(Debug, Default)]
pub struct Found {
    wanted: HashSet<String>,
    mentions: HashMap<MentionId, SourceName>,
}

impl Found {
    /// Nothing yet, of these authors.
    pub fn of(requests: &[PurgeRequest]) -> Self {
        let wanted = requests.iter().map(|request| request.pseudonym.clone()).collect();
        Self { wanted, mentions: HashMap::new() }
    }

    /// True when a payload may be of one of the authors: spares reading all others.
    pub fn may_concern(&self, payload: &[u8]) -> bool {
        const FIELD: &[u8] = b"\"pseudonym\":\"";
        memchr::memmem::find_iter(payload, FIELD).any(|at| {
            let rest = &payload[at + FIELD.len()..];
            let value = rest.split(|byte| *byte == b'"').next().unwrap_or_default();
            std::str::from_utf8(value).is_ok_and(|value| self.wanted.contains(value))
        })
    }

    /// Takes an event in, in log order.
    pub fn note(&mut self, event: &RawEvent) {
        match event {
            RawEvent::Observed(observed) => {
                let mention = &observed.mention;
                let theirs = |author: &echolot_schemas::mention::Author| {
                    self.wanted.contains(&author.pseudonym)
                };
                if mention.author.as_ref().is_some_and(theirs) {
                    self.mentions.insert(mention.id, mention.source.clone());
                }
            }
            RawEvent::Deleted(deleted) => {
                self.mentions.remove(&deleted.id);
            }
        }
    }

    /// A deletion was met whose payload is not worth reading.
    pub fn forget(&mut self, id: MentionId) {
        self.mentions.remove(&id);
    }

    /// Which mentions are left, and where.
    pub fn into_mentions(self) -> HashMap<MentionId, SourceName> {
        self.mentions
    }
}

impl<L: PurgeLog, P: Publish> PurgeDesk<L, P> {
    /// Works until `cancel`. A log that does not answer is waited for.
    pub async fn run(&self, cancel: CancellationToken) {
        let mut backoff = Backoff::default();
        loop {
            // A pass that is cut short is made again: nothing was taken back yet.
            let passed = tokio::select! {
                () = cancel.cancelled() => return,
                passed = self.pass() => passed,
            };
            let pause = match passed {
                Ok(deleted) => {
                    if deleted > 0 {
                        tracing::info!(deleted, "mentions of authors who are gone were deleted");
                    }
                    backoff = Backoff::default();
                    self.every
                }
                Err(fault) => {
                    tracing::warn!("authors who are gone wait to be forgotten: {fault}");
                    backoff.next_pause().max(self.every)
                }
            };
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Does everything that is asked for now. Returns the number of deletions written.
    pub async fn pass(&self) -> Result<usize, LogFault> {
        let pending = self.log.pending_purges().await?;
        if pending.is_empty() {
            return Ok(0);
        }
        let mentions = self.log.find_mentions(Found::of(&pending)).await?.into_mentions();
        let observed_at = self.clock.now();
        let deletions: Vec<RawEvent> = mentions
            .into_iter()
            .map(|(id, source)| RawEvent::Deleted(Deleted { id, source, observed_at }))
            .collect();
        for chunk in deletions.chunks(CHUNK) {
            self.publish.publish(chunk, None).await?;
        }
        self.log.finish_purges(&pending).await?;
        Ok(deletions.len())
    }
}
