//! What every pull source is: a file that translates one platform's protocol into submissions.
//!
//! A source knows neither Kafka nor cursors' storage, neither ids nor pseudonyms. It answers with
//! pages; the [collector](crate::collector) does the rest, the same for all of them. A polled source
//! waits for its next turn inside `next_page`; a streamed one gathers what arrives within a moment.
//! The collector reads one page ahead, which bounds what a fast source can pile up.

use std::{future::Future, pin::Pin, time::Duration};

use bytes::Bytes;
use echolot_schemas::{
    SourceName, Timestamp, coverage::GapReason, cursor::CursorRecord, submission::Submission,
};

use crate::{
    keep::KeepRule,
    rejected::{Place, Rejected},
};

/// One thing that a source said.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// Where it was said: part of the mention's id.
    pub source: SourceName,
    /// What was said.
    pub submission: Submission,
    /// Where it stood, in case it has to be rejected.
    pub place: Place,
    /// As it came, in case it has to be rejected.
    pub original: Bytes,
    /// True when it is wanted whatever the brands say: the operator follows its author or place.
    pub followed: bool,
}

impl Observation {
    /// What `source` said under the native id of `submission`.
    pub fn new(source: &SourceName, submission: Submission, original: Bytes) -> Self {
        let place = Place::NativeId(submission.id.clone());
        Self { source: source.clone(), submission, place, original, followed: false }
    }

    /// The news that the mention of this native id is gone.
    pub fn deleted(source: &SourceName, native_id: impl Into<String>) -> Self {
        let submission =
            Submission { id: native_id.into(), deleted: true, ..Submission::default() };
        Self::new(source, submission, Bytes::new())
    }
}

/// An author is gone at a source, and everything they said there with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorPurge {
    /// Where.
    pub source: SourceName,
    /// The author, exactly as in [`Submission::author`] of their mentions.
    pub author: String,
}

/// What a source knows of its own coverage. What the collector can see itself (faults, silence while
/// the process was down) it notes without being told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Between these times mentions may be missing, and will not come any more.
    Gap {
        /// From when.
        from: Timestamp,
        /// Until when.
        to: Timestamp,
        /// Why.
        why: GapReason,
    },
    /// So many mentions are known to be missing.
    Lost {
        /// How many.
        count: u64,
        /// Why.
        why: GapReason,
    },
}

/// What a source said since the page before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// Mentions in the order of the source: of two states of one mention the later one counts.
    pub observations: Vec<Observation>,
    /// What could not be read.
    pub rejected: Vec<Rejected>,
    /// Authors who are gone; takes effect behind the observations of this page.
    pub purges: Vec<AuthorPurge>,
    /// What the source knows to be missing.
    pub notices: Vec<Notice>,
    /// Where to go on once all of this page is safe; none when the place has not moved.
    pub cursor: Option<String>,
}

/// A source did not answer with a page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceFault {
    /// May pass: the collector asks again, not before `retry_after` where the source says so.
    #[error("{detail}")]
    Transient {
        /// What failed.
        detail: String,
        /// How long the source wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The source wants to be asked less. May pass as well; noted as what it is.
    #[error("{detail}")]
    RateLimited {
        /// What it said.
        detail: String,
        /// How long the source wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The token is missing, expired or not enough; says where to get one.
    #[error("not authorised: {0}")]
    Unauthorised(String),
    /// The source's owner has closed it to us.
    #[error("closed: {0}")]
    Closed(String),
    /// Will not pass by itself.
    #[error("{0}")]
    Fatal(String),
}

impl SourceFault {
    /// Something that may pass.
    pub fn transient(detail: impl Into<String>) -> Self {
        Self::Transient { detail: detail.into(), retry_after: None }
    }

    /// True when the same question may be answered later.
    pub const fn passes(&self) -> bool {
        matches!(self, Self::Transient { .. } | Self::RateLimited { .. })
    }

    /// The metric label.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Transient { .. } => "transient",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unauthorised(_) => "unauthorised",
            Self::Closed(_) => "closed",
            Self::Fatal(_) => "fatal",
        }
    }
}

/// A source that is asked for pages.
///
/// Faults keep the source usable: after a transient one `next_page` is called again and goes on
/// where it was. Pages may overlap what was said before, since a repeated observation is harmless;
/// they must never leave a gap without saying so.
pub trait Source: Send {
    /// Its name in logs, metrics and dead letters.
    fn name(&self) -> &SourceName;

    /// The key under which its cursor is kept; none for what cannot be read twice.
    fn cursor_name(&self) -> Option<&str> {
        Some(self.name().as_str())
    }

    /// Which of its mentions enter the log. The collector asks for every page and does the rest:
    /// sources over a network return their option `keep`.
    fn keep(&self) -> KeepRule {
        KeepRule::All
    }

    /// True when, after a silence, it says everything that it missed: then an outage only delays
    /// mentions. Where it cannot tell, it is false, and every outage is a gap.
    fn replays(&self) -> bool {
        false
    }

    /// Goes on behind `cursor`, or begins where there is none. Called once, before the first page.
    fn resume(
        &mut self,
        cursor: Option<CursorRecord>,
    ) -> impl Future<Output = Result<(), SourceFault>> + Send;

    /// The next page, as soon as there is one; `None` when there never will be another.
    ///
    /// May be dropped while it waits, at any await point, when the process shuts down.
    fn next_page(&mut self) -> impl Future<Output = Result<Option<Page>, SourceFault>> + Send;
}

type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, SourceFault>> + Send + 'a>>;

/// A [`Source`] of any kind, behind one pointer.
pub struct AnySource(Box<dyn Erased>);

trait Erased: Send {
    fn name(&self) -> &SourceName;
    fn cursor_name(&self) -> Option<&str>;
    fn keep(&self) -> KeepRule;
    fn replays(&self) -> bool;
    fn resume(&mut self, cursor: Option<CursorRecord>) -> Pending<'_, ()>;
    fn next_page(&mut self) -> Pending<'_, Option<Page>>;
}

impl<S: Source> Erased for S {
    fn name(&self) -> &SourceName {
        Source::name(self)
    }

    fn cursor_name(&self) -> Option<&str> {
        Source::cursor_name(self)
    }

    fn keep(&self) -> KeepRule {
        Source::keep(self)
    }

    fn replays(&self) -> bool {
        Source::replays(self)
    }

    fn resume(&mut self, cursor: Option<CursorRecord>) -> Pending<'_, ()> {
        Box::pin(Source::resume(self, cursor))
    }

    fn next_page(&mut self) -> Pending<'_, Option<Page>> {
        Box::pin(Source::next_page(self))
    }
}

impl AnySource {
    /// Hides the kind of a source.
    pub fn new(source: impl Source + 'static) -> Self {
        Self(Box::new(source))
    }
}

impl std::fmt::Debug for AnySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("AnySource").field(self.0.name()).finish()
    }
}

impl Source for AnySource {
    fn name(&self) -> &SourceName {
        self.0.name()
    }

    fn cursor_name(&self) -> Option<&str> {
        self.0.cursor_name()
    }

    fn keep(&self) -> KeepRule {
        self.0.keep()
    }

    fn replays(&self) -> bool {
        self.0.replays()
    }

    async fn resume(&mut self, cursor: Option<CursorRecord>) -> Result<(), SourceFault> {
        self.0.resume(cursor).await
    }

    async fn next_page(&mut self) -> Result<Option<Page>, SourceFault> {
        self.0.next_page().await
    }
}
