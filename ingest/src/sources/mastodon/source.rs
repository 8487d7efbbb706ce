//! Timelines as a source of pages.

use std::{
    collections::VecDeque,
    mem,
    time::{Duration, Instant},
};

use bytes::Bytes;
use echolot_schemas::{SourceName, cursor::CursorRecord};
use secrecy::ExposeSecret;
use tokio::time::{Instant as Due, sleep_until};

use super::{
    cursor::Cursor,
    options::{MastodonOptions, TOKEN_HINT},
    poll::{Instance, Slice},
    reader::{self, Heard, malformed},
    timeline::Timeline,
};
use crate::{
    http::Connection,
    keep::KeepRule,
    rejected::Place,
    source::{Page, Source, SourceFault},
    sources::{
        SourceContext, SourceOptions as _,
        stream::{
            Dial, Frame, Gathering, PageLimits, Reconnects, Session, SessionEnd, SessionLimits,
            Unreadable, listen,
        },
    },
};

/// How often timelines are asked where nothing else is said.
const INTERVAL: Duration = Duration::from_secs(30);

/// A Mastodon instance as a source.
pub struct MastodonSource {
    keep: KeepRule,
    instance: Instance,
    timelines: Vec<Timeline>,
    streaming: bool,
    interval: Duration,
    session_limits: SessionLimits,
    page_limits: PageLimits,
    reconnects: Reconnects,
    cursor: Cursor,
    /// Timelines to ask, and when; the first one first.
    turns: VecDeque<(Due, Timeline)>,
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
    unreadable: Unreadable,
}

impl MastodonSource {
    /// The instance of `options`. Nothing is asked yet.
    pub fn new(options: &MastodonOptions, context: SourceContext) -> Result<Self, SourceFault> {
        let token = options.token.read().map_err(|error| SourceFault::Fatal(error.to_string()))?;
        let url =
            options.url.clone().ok_or_else(|| SourceFault::Fatal("url is missing".to_owned()))?;
        Ok(Self {
            keep: context.common.keep.unwrap_or_else(|| options.keep()),
            instance: Instance {
                name: context.name,
                http: context.http,
                clock: context.clock,
                url,
                token: Some(token).filter(|token| !token.expose_secret().is_empty()),
                pace: options.pace,
            },
            timelines: options.timelines.clone(),
            streaming: options.streaming,
            interval: context.common.interval.unwrap_or(INTERVAL),
            session_limits: options.stream.session(),
            page_limits: options.stream.page(),
            reconnects: options.stream.reconnects(),
            cursor: Cursor::default(),
            turns: VecDeque::new(),
            state: State::Apart,
        })
    }

    /// Asks the timeline whose turn it is, at its time.
    async fn polled(&mut self) -> Result<Option<Page>, SourceFault> {
        let Some((due, timeline)) = self.turns.front().cloned() else { return Ok(None) };
        sleep_until(due).await;
        let newest = self.cursor.newest(&timeline);
        let Slice { listed, more, rest } = self.instance.slice(&timeline, newest).await?;
        let mut page = Page::default();
        for one in listed {
            if let Some(id) = &one.id {
                self.cursor.pass(&timeline, id);
            }
            match one.item {
                Some(Ok(observation)) => page.observations.push(observation),
                Some(Err(rejected)) => page.rejected.push(*rejected),
                None => {}
            }
        }
        page.cursor = Some(self.cursor.to_string());
        self.turns.pop_front();
        let rest = rest.unwrap_or_default();
        if more {
            self.turns.push_front((Due::now() + rest, timeline));
        } else if !self.streaming {
            self.turns.push_back((Due::now() + self.interval.max(rest), timeline));
        }
        Ok(Some(page))
    }

    /// A session that is subscribed to every timeline, with what was missed still to be fetched.
    async fn connect(&mut self) -> Result<Session<Connection>, SourceFault> {
        let url = self.instance.stream().await?;
        let token = self.instance.token.clone();
        let token = token.as_ref().map(ExposeSecret::expose_secret);
        let dial = Dial { url, token, subprotocol: None };
        let mut session = match dial.connect(&self.instance.http, self.session_limits).await {
            Ok(session) => session,
            Err(error) => {
                let pause = self.reconnects.pause(Instant::now());
                return Err(error.into_fault(pause, TOKEN_HINT));
            }
        };
        self.reconnects.connected(Instant::now());
        for timeline in &self.timelines {
            session
                .say(timeline.subscription())
                .await
                .map_err(|end| SourceFault::transient(end.to_string()))?;
        }
        let now = Due::now();
        self.turns = self.timelines.iter().map(|timeline| (now, timeline.clone())).collect();
        Ok(session)
    }

    async fn streamed(&mut self) -> Result<Option<Page>, SourceFault> {
        let (mut session, mut progress) = match mem::replace(&mut self.state, State::Apart) {
            State::Broken(fault) => return Err(fault),
            State::Listening(session, progress) => (session, progress),
            State::Apart => {
                let connected = self.connect().await.map_err(|fault| self.reconnects.paused(fault));
                (Box::new(connected?), Progress::default())
            }
        };
        // What was missed comes before what is new, which waits in the connection meanwhile.
        if !self.turns.is_empty() {
            let page = self.polled().await;
            self.state = State::Listening(session, progress);
            return page;
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
        Ok(Some(page.finish(Some(self.cursor.to_string()))))
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
            Frame::Binary(bytes) => {
                page.reject(malformed(place, &"a binary frame where text was agreed", bytes));
                return progress.unreadable.another();
            }
        };
        let original = Bytes::from(text.clone());
        match reader::frame(&self.instance.name, &text, &original) {
            Ok(heard) => {
                progress.unreadable.readable();
                self.heard(heard, page)
            }
            Err(error) => {
                page.reject(malformed(place, &error, original));
                progress.unreadable.another()
            }
        }
    }

    fn heard(&mut self, heard: Heard, page: &mut Gathering) -> Result<(), SourceFault> {
        match heard {
            Heard::Status { id, stream, observation } => {
                for timeline in &self.timelines {
                    if timeline.is_streamed_as(&stream) {
                        self.cursor.pass(timeline, &id);
                    }
                }
                if let Some(observation) = observation {
                    page.observe(*observation);
                }
                Ok(())
            }
            Heard::Gone(observation) => {
                page.observe(*observation);
                Ok(())
            }
            Heard::Refused { detail, status: Some(401 | 403) } => {
                Err(SourceFault::Unauthorised(format!("{detail:.200}; {TOKEN_HINT}")))
            }
            Heard::Refused { detail, .. } => {
                Err(SourceFault::transient(format!("the stream is refused: {detail:.200}")))
            }
            Heard::Nothing => Ok(()),
        }
    }
}

impl Source for MastodonSource {
    fn name(&self) -> &SourceName {
        &self.instance.name
    }

    fn keep(&self) -> KeepRule {
        self.keep
    }

    /// Statuses are fetched afterwards, but a deletion that the stream did not tell is not.
    fn replays(&self) -> bool {
        !self.streaming
    }

    async fn resume(&mut self, cursor: Option<CursorRecord>) -> Result<(), SourceFault> {
        if let Some(CursorRecord { position, .. }) = cursor {
            self.cursor = position
                .parse()
                .map_err(|error| SourceFault::Fatal(format!("{error}; remove it")))?;
        }
        if !self.streaming {
            let now = Due::now();
            self.turns = self.timelines.iter().map(|timeline| (now, timeline.clone())).collect();
        }
        Ok(())
    }

    async fn next_page(&mut self) -> Result<Option<Page>, SourceFault> {
        if self.streaming { self.streamed().await } else { self.polled().await }
    }
}
