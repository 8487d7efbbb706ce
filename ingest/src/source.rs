//! What every pull source is: a file that translates one platform's protocol into submissions.
//!
//! A source knows neither Kafka nor cursors' storage, neither ids nor pseudonyms. It answers with
//! pages; the [collector](crate::collector) does the rest, the same for all of them.

use std::{future::Future, time::Duration};

use bytes::Bytes;
use echolot_schemas::{SourceName, cursor::CursorRecord, submission::Submission};

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
}

/// What a source said since the page before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// Mentions in the order of the source: of two states of one mention the later one counts.
    pub observations: Vec<Observation>,
    /// What could not be read.
    pub rejected: Vec<Rejected>,
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
    /// The metric label.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Transient { .. } => "transient",
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
