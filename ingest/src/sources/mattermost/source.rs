//! Channels as a source of pages.

use std::{
    collections::{HashSet, VecDeque},
    mem,
    time::Instant,
};

use bytes::Bytes;
use echolot_pipeline::{clock::Clock, stage::Rejection};
use echolot_schemas::{
    SourceName, Timestamp, coverage::GapReason, cursor::CursorRecord, dead_letter::Reason,
};
use secrecy::ExposeSecret;
use url::Url;

use super::{
    event::{Event, Numbered},
    options::{MattermostOptions, TOKEN_HINT},
    post::Post,
    rest::{MOST, Server, observe},
};
use crate::{
    http::Connection,
    keep::KeepRule,
    rejected::{Place, Rejected},
    source::{Notice, Page, Source, SourceFault},
    sources::{
        SourceContext,
        stream::{
            Dial, Frame, Gathering, PageLimits, Reconnects, Session, SessionEnd, SessionLimits,
            Unreadable, listen,
        },
    },
};

/// How far before the newest change a catch-up begins.
const OVERLAP_MILLIS: i64 = 1_000;

/// Channels of a Mattermost team as a source.
pub struct MattermostSource {
    name: SourceName,
    keep: KeepRule,
    clock: Clock,
    server: Server,
    team: String,
    names: Vec<String>,
    /// Ids of the channels; empty until the server was asked.
    channels: HashSet<String>,
    session_limits: SessionLimits,
    page_limits: PageLimits,
    reconnects: Reconnects,
    /// When the newest change was made that was seen, in milliseconds.
    cursor: Option<i64>,
    /// Channels that are still to be asked what was missed, since `since`.
    behind: VecDeque<String>,
    since: i64,
    state: State,
}

enum State {
    Apart,
    /// The connection broke while a page was in hand; told with the next call.
    Broken(SourceFault),
    Listening(Box<Session<Connection>>, Progress),
}

#[derive(Default)]
struct Progress {
    frames: u64,
    /// The number that the next event has.
    expected: Option<u64>,
    unreadable: Unreadable,
}

impl MattermostSource {
    /// The channels of `options`. Nothing is asked yet.
    pub fn new(options: &MattermostOptions, context: SourceContext) -> Result<Self, SourceFault> {
        let token = options.token.read().map_err(|error| SourceFault::Fatal(error.to_string()))?;
        let url =
            options.url.clone().ok_or_else(|| SourceFault::Fatal("url is missing".to_owned()))?;
        let clock = context.clock.clone();
        Ok(Self {
            name: context.name,
            keep: context.common.keep.unwrap_or(KeepRule::All),
            clock: context.clock,
            server: Server { http: context.http, clock, url, token },
            team: options.team.clone(),
            names: options.channels.clone(),
            channels: HashSet::new(),
            session_limits: options.stream.session(),
            page_limits: options.stream.page(),
            reconnects: options.stream.reconnects(),
            cursor: None,
            behind: VecDeque::new(),
            since: 0,
            state: State::Apart,
        })
    }

    async fn connect(&mut self) -> Result<Session<Connection>, SourceFault> {
        if self.channels.is_empty() {
            let mut channels = HashSet::new();
            for name in &self.names {
                channels.insert(self.server.channel(&self.team, name).await?);
            }
            self.channels = channels;
        }
        let token = self.server.token.clone();
        let url = self.server.socket()?;
        let dial = Dial { url, token: Some(token.expose_secret()), subprotocol: None };
        match dial.connect(&self.server.http, self.session_limits).await {
            Ok(session) => {
                self.reconnects.connected(Instant::now());
                self.catch_up();
                Ok(session)
            }
            Err(error) => {
                let pause = self.reconnects.pause(Instant::now());
                Err(error.into_fault(pause, TOKEN_HINT))
            }
        }
    }

    /// Every channel is to be asked what was missed. The first time nothing was.
    fn catch_up(&mut self) {
        match self.cursor {
            None => self.cursor = Some(self.clock.now().as_millis()),
            // Changes of the same moment may come in any order.
            Some(at) => {
                self.since = if self.behind.is_empty() {
                    at - OVERLAP_MILLIS
                } else {
                    self.since.min(at - OVERLAP_MILLIS)
                };
                self.behind = self.channels.iter().cloned().collect();
            }
        }
    }

    /// What was missed in the next channel that is behind.
    async fn missed(&mut self) -> Result<Page, SourceFault> {
        let mut page = Page::default();
        let Some(channel) = self.behind.front() else { return Ok(page) };
        let posts = self.server.since(channel, self.since).await?;
        if posts.len() >= MOST {
            page.notices.push(Notice::Gap {
                from: Timestamp::from_millis(self.since),
                to: self.clock.now(),
                why: GapReason::Window,
            });
        }
        let (url, team) = (&self.server.url, &self.team);
        for post in posts.in_order() {
            self.cursor = self.cursor.max(Some(post.update_at));
            page.observations.extend(observe(&self.name, post, |id| link(url, team, id)));
        }
        self.behind.pop_front();
        // Until every channel was asked, the old cursor is the one to go on from.
        page.cursor = self.saved();
        Ok(page)
    }

    fn saved(&self) -> Option<String> {
        self.behind.is_empty().then(|| self.cursor.map(|at| at.to_string()))?
    }

    fn take(
        &mut self,
        progress: &mut Progress,
        frame: Result<Frame, SessionEnd>,
        page: &mut Gathering,
    ) -> Result<(), SourceFault> {
        let frame = frame.map_err(|end| SourceFault::transient(end.to_string()))?;
        progress.frames += 1;
        page.moved();
        let place = Place::Item { file: None, item: progress.frames };
        let text = match frame {
            Frame::Text(text) => text,
            Frame::Binary(_) => {
                page.reject(malformed(place, &"a binary message where text was agreed"));
                return progress.unreadable.another();
            }
        };
        match Numbered::read(&text) {
            Ok(Numbered { seq, event }) => {
                progress.unreadable.readable();
                if let Some(seq) = seq {
                    // The server dropped something on its way to us: ask what it was.
                    if progress.expected.is_some_and(|expected| seq > expected) {
                        self.catch_up();
                    }
                    progress.expected = Some(seq.saturating_add(1));
                }
                self.heard(event, page)
            }
            Err(error) => {
                page.reject(malformed(place, &error));
                progress.unreadable.another()
            }
        }
    }

    fn heard(&mut self, event: Event, page: &mut Gathering) -> Result<(), SourceFault> {
        let post: Post = match event {
            Event::Posted(post) => *post,
            Event::Deleted(post) => post.deleted(),
            Event::Reply { ok: false, detail } => {
                return Err(SourceFault::Unauthorised(format!("{detail:.200}; {TOKEN_HINT}")));
            }
            Event::Hello | Event::Reply { ok: true, .. } | Event::Other => return Ok(()),
        };
        // The token may see more than was chosen.
        if self.channels.contains(&post.channel_id) {
            self.cursor = self.cursor.max(Some(post.update_at));
            let (url, team) = (&self.server.url, &self.team);
            if let Some(observation) = observe(&self.name, post, |id| link(url, team, id)) {
                page.observe(observation);
            }
        }
        Ok(())
    }
}

fn link(url: &Url, team: &str, id: &str) -> String {
    format!("{url}{team}/pl/{id}")
}

/// A rejection of something that cannot be read. It is told without what it said, which names
/// colleagues.
pub(super) fn malformed(place: Place, error: &impl ToString) -> Rejected {
    let rejection = Rejection { reason: Reason::Malformed, detail: error.to_string() };
    Rejected::new(place, rejection, Bytes::new())
}

impl Source for MattermostSource {
    fn name(&self) -> &SourceName {
        &self.name
    }

    fn keep(&self) -> KeepRule {
        self.keep
    }

    fn replays(&self) -> bool {
        true
    }

    async fn resume(&mut self, cursor: Option<CursorRecord>) -> Result<(), SourceFault> {
        let Some(CursorRecord { position, .. }) = cursor else { return Ok(()) };
        let millis = position.parse().map_err(|_| {
            SourceFault::Fatal(format!("{position:.80?} is no cursor of Mattermost; remove it"))
        })?;
        self.cursor = Some(millis);
        Ok(())
    }

    async fn next_page(&mut self) -> Result<Option<Page>, SourceFault> {
        let (mut session, mut progress) = match mem::replace(&mut self.state, State::Apart) {
            State::Broken(fault) => return Err(fault),
            State::Listening(session, progress) => (session, progress),
            State::Apart => {
                let connected = self.connect().await.map_err(|fault| self.reconnects.paused(fault));
                (Box::new(connected?), Progress::default())
            }
        };
        // What was missed comes before what is new, which waits in the connection meanwhile.
        if !self.behind.is_empty() {
            let page = self.missed().await;
            self.state = State::Listening(session, progress);
            return page.map(Some);
        }
        let mut page = Gathering::new(self.page_limits);
        let ended =
            listen(&mut session, &mut page, |frame, page| self.take(&mut progress, frame, page))
                .await;
        self.state = match ended {
            None => State::Listening(session, progress),
            Some(fault) => {
                let fault = self.reconnects.paused(fault);
                if page.is_empty() {
                    return Err(fault);
                }
                State::Broken(fault)
            }
        };
        Ok(Some(page.finish(self.saved())))
    }
}
