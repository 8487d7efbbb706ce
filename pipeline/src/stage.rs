//! What a stage is: it judges batches of events, one verdict an item, and knows nothing of Kafka.

use std::{future::Future, time::Duration};

use echolot_schemas::{Event, RawPosition, dead_letter::Reason};

/// An event handed to a stage.
#[derive(Clone, Debug)]
pub struct Item<E> {
    /// The decoded event.
    pub event: E,
    /// Where it stands on the stage's input topic: provenance to write down, never to commit.
    pub position: RawPosition,
}

/// What a stage says about one item. There is no way to say nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict<O> {
    /// Goes on as this. For the last stage: it took effect.
    Emit(O),
    /// Rightly ends here.
    Drop(Dropped),
    /// Cannot be processed, now or ever: becomes a dead letter.
    Reject(Rejection),
}

/// Why an item rightly ends: few and fixed, since it is a metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dropped {
    /// A newer state of the same mention is known.
    Superseded,
    /// Its mention was deleted before, and stays deleted.
    Deleted,
    /// It takes back what was never stored.
    Unmatched,
}

impl Dropped {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Superseded, Self::Deleted, Self::Unmatched];

    /// The metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Superseded => "superseded",
            Self::Deleted => "deleted",
            Self::Unmatched => "unmatched",
        }
    }
}

/// Why an item cannot be processed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The class, for metrics and filters.
    pub reason: Reason,
    /// What exactly is wrong with it and how to mend it. No mention text.
    pub detail: String,
}

/// What is wrong with the stage itself, not with an item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// May pass: the runtime tries the same batch again with backoff, for as long as it takes.
    #[error("{0}")]
    Transient(String),
    /// The batch was refused for what it holds: the runtime halves it until the culprit is found.
    #[error("{0}")]
    Refused(String),
    /// Will not pass without an operator: the process ends with this message.
    #[error("{0}")]
    Fatal(String),
}

/// One step of the pipeline.
///
/// `judge` may be called again with the same items (redelivery, retry), so its effects must be
/// idempotent. Items of one mention arrive in log order.
pub trait Stage: Send + 'static {
    /// What it reads.
    type Input: Event;
    /// What it emits; `()` for the last stage.
    type Output: Send + 'static;

    /// Name in metrics, logs and dead letters, such as `enrich`.
    fn name(&self) -> &'static str;

    /// The partitions it owns from now on. Called before the first batch after every change, so
    /// that whatever it remembers about a partition can be thrown away or read again.
    fn assigned(&mut self, partitions: &[i32]) -> impl Future<Output = Result<(), Fault>> + Send {
        let _ = partitions;
        async { Ok(()) }
    }

    /// How long effects of judged items may stay incomplete while further batches wait. With none
    /// waiting they are completed at once.
    fn patience(&self) -> Duration {
        Duration::ZERO
    }

    /// Completes the effects of everything judged so far. Items are settled only after it, so a
    /// death before it brings them again. What a batch costs however small it is belongs here:
    /// under load it is paid once for many.
    fn complete(&mut self) -> impl Future<Output = Result<(), Fault>> + Send {
        async { Ok(()) }
    }

    /// One verdict for each item, in order.
    fn judge(
        &mut self,
        batch: &[Item<Self::Input>],
    ) -> impl Future<Output = Result<Vec<Verdict<Self::Output>>, Fault>> + Send;
}
