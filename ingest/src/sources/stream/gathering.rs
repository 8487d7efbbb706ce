//! From a stream to pages: what belongs together is what came together.

use std::{future::Future, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, timeout_at},
};

use super::session::{Frame, Session, SessionEnd};
use crate::{
    rejected::Rejected,
    source::{AuthorPurge, Notice, Observation, Page, SourceFault},
};

/// When a page is done.
#[derive(Clone, Copy, Debug)]
pub struct PageLimits {
    /// Most observations, rejections and purges.
    pub items: usize,
    /// Most bytes of what was kept.
    pub bytes: usize,
    /// Longest time from the first frame of a page to its end.
    pub linger: Duration,
}

/// A page in the making.
#[derive(Debug)]
pub struct Gathering {
    page: Page,
    limits: PageLimits,
    bytes: usize,
    since: Option<Instant>,
}

impl Gathering {
    /// An empty page.
    pub fn new(limits: PageLimits) -> Self {
        Self { page: Page::default(), limits, bytes: 0, since: None }
    }

    /// Waits for the stream, but no longer than the page may; `None` when the page is due.
    ///
    /// `next` is dropped then, so it must lose nothing by that.
    async fn wait<T>(&self, next: impl Future<Output = T>) -> Option<T> {
        match self.since {
            None => Some(next.await),
            Some(since) => timeout_at(since + self.limits.linger, next).await.ok(),
        }
    }

    /// Something came, whether or not it is kept: from now on the page may not wait for ever,
    /// because the cursor has moved.
    pub fn moved(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    /// Keeps what was said.
    pub fn observe(&mut self, observation: Observation) {
        self.bytes += observation.original.len();
        self.page.observations.push(observation);
    }

    /// Keeps what could not be read.
    pub fn reject(&mut self, rejected: Rejected) {
        self.bytes += rejected.original.len();
        self.page.rejected.push(rejected);
    }

    /// Keeps that an author is gone.
    pub fn purge(&mut self, purge: AuthorPurge) {
        self.page.purges.push(purge);
    }

    /// Keeps what is known to be missing.
    pub fn notice(&mut self, notice: Notice) {
        self.page.notices.push(notice);
    }

    /// True when nothing came yet.
    pub fn is_empty(&self) -> bool {
        self.since.is_none() && self.page == Page::default()
    }

    /// True when no more belongs on this page.
    fn is_full(&self) -> bool {
        let waited = self.since.is_some_and(|since| since.elapsed() >= self.limits.linger);
        let Page { observations, rejected, purges, .. } = &self.page;
        let items = observations.len() + rejected.len() + purges.len();
        waited || items >= self.limits.items || self.bytes >= self.limits.bytes
    }

    /// The page, after which the source goes on at `cursor`.
    pub fn finish(self, cursor: Option<String>) -> Page {
        Page { cursor, ..self.page }
    }
}

/// Gathers frames until the page is due or `take` finds a fault, with which the connection is over.
/// `take` is given the session's end as well, and says what it means.
pub async fn listen<S: AsyncRead + AsyncWrite + Unpin>(
    session: &mut Session<S>,
    page: &mut Gathering,
    mut take: impl FnMut(Result<Frame, SessionEnd>, &mut Gathering) -> Result<(), SourceFault>,
) -> Option<SourceFault> {
    while let Some(frame) = page.wait(session.next()).await {
        match take(frame, page) {
            Err(fault) => return Some(fault),
            Ok(()) if page.is_full() => break,
            Ok(()) => {}
        }
    }
    None
}

/// How many frames in a row cannot be read.
#[derive(Debug, Default)]
pub struct Unreadable(u32);

impl Unreadable {
    /// So many in a row are no accident.
    const MOST: u32 = 100;

    /// A frame could be read.
    pub fn readable(&mut self) {
        self.0 = 0;
    }

    /// One more could not. A fault once this cannot be an accident any more.
    pub fn another(&mut self) -> Result<(), SourceFault> {
        self.0 += 1;
        if self.0 < Self::MOST {
            return Ok(());
        }
        self.0 = 0;
        Err(SourceFault::transient(format!(
            "{} frames in a row cannot be read; does the server speak the configured protocol?",
            Self::MOST
        )))
    }
}
