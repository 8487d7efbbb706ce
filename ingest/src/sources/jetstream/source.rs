//! The stream as a source of pages.

use std::{io, mem, time::Instant};

use bytes::Bytes;
use echolot_schemas::{SourceName, Timestamp, coverage::GapReason, cursor::CursorRecord};
use tokio_tungstenite::tungstenite::Utf8Bytes;
use url::Url;

use super::{
    cursor::{Cursor, Standing, fingerprint},
    decompress::{Dictionary, Inflater},
    frame::{FrameError, Mark},
    options::{JetstreamOptions, Version},
    reader::{Heard, Item, Reader, malformed},
    request::Wish,
};
use crate::{
    http::{Connection, HttpClient},
    keep::KeepRule,
    rejected::Place,
    source::{Notice, Page, Source, SourceFault},
    sources::{
        SourceContext, SourceOptions as _,
        stream::{
            Dial, DialError, Frame, Gathering, PageLimits, Reconnects, Session, SessionEnd,
            SessionLimits, Unreadable, listen,
        },
    },
};

/// A stream on which people write all the time may be silent for this long where it goes on; a
/// longer hole behind a cursor that did not come again was cut out.
const HOLE_US: i64 = 60_000_000;
/// How far to go back at another server than the one that the cursor is from: their clocks differ.
const REWIND_US: i64 = 5_000_000;
/// There is no token for Jetstream.
const TOKEN_HINT: &str = "Jetstream needs no token; the server may have become private";

/// Bluesky as a source.
pub struct JetstreamSource {
    name: SourceName,
    keep: KeepRule,
    http: HttpClient,
    url: Url,
    version: Version,
    dids: Vec<String>,
    dictionary: Option<Dictionary>,
    inflater: Option<Inflater>,
    session_limits: SessionLimits,
    page_limits: PageLimits,
    reader: Reader,
    reconnects: Reconnects,
    cursor: Option<Cursor>,
    /// The cursor is from another server, whose clock may differ.
    foreign: bool,
    /// The server once sent a frame past the limit; it is asked to leave such out.
    leave_out: bool,
    state: State,
}

enum State {
    Apart,
    /// The connection broke while a page was in hand; told with the next call.
    Broken(SourceFault),
    Listening(Box<Listening>),
}

struct Listening {
    session: Session<Connection>,
    progress: Progress,
}

/// How far a connection is read.
struct Progress {
    /// What has to be clear at the first event.
    resumed: Option<Resumed>,
    frames: u64,
    unreadable: Unreadable,
}

/// Where the stream was asked to go on.
struct Resumed {
    at: Cursor,
    /// The server has said that it no longer holds everything since.
    clamped: bool,
}

impl JetstreamSource {
    /// The stream of `options`. Nothing is connected yet.
    pub fn new(
        options: &JetstreamOptions,
        dictionary: Option<Dictionary>,
        context: SourceContext,
    ) -> io::Result<Self> {
        let session_limits = options.stream.session();
        let inflater = dictionary
            .as_ref()
            .map(|dictionary| Inflater::new(dictionary, session_limits.frame_bytes))
            .transpose()?;
        Ok(Self {
            reader: Reader::new(context.name.clone(), options.version).following(&options.follow),
            name: context.name,
            keep: context.common.keep.unwrap_or_else(|| options.keep()),
            http: context.http,
            url: options.url.clone(),
            version: options.version,
            dids: options.dids.clone(),
            dictionary,
            inflater,
            session_limits,
            page_limits: options.stream.page(),
            reconnects: options.stream.reconnects(),
            cursor: None,
            foreign: false,
            leave_out: false,
            state: State::Apart,
        })
    }

    /// A session that goes on at the cursor.
    async fn connect(&mut self) -> Result<Listening, SourceFault> {
        loop {
            match self.dial().await {
                Ok(session) => {
                    self.reconnects.connected(Instant::now());
                    let resumed = self.cursor.clone().map(|at| Resumed { at, clamped: false });
                    let unreadable = Unreadable::default();
                    let progress = Progress { resumed, frames: 0, unreadable };
                    return Ok(Listening { session, progress });
                }
                // The time is understood as well, and clamped to the oldest event held.
                Err(error) if error.name() == Some("CursorTooOld") && self.forget_number() => {}
                Err(error) => {
                    let pause = self.reconnects.pause(Instant::now());
                    let absent = matches!(error, DialError::Refused { status: 400 | 404, .. });
                    return Err(match error.into_fault(pause, TOKEN_HINT) {
                        SourceFault::Transient { detail, retry_after } if absent => {
                            let other = self.version.other().name();
                            let detail = format!(
                                "{detail}; where the server speaks the other version, set \
                                 sources.{}.version = \"{other}\"",
                                self.name
                            );
                            SourceFault::Transient { detail, retry_after }
                        }
                        fault => fault,
                    });
                }
            }
        }
    }

    async fn dial(&mut self) -> Result<Session<Connection>, DialError> {
        let wish = Wish {
            version: self.version,
            dids: &self.dids,
            dictionary: self.dictionary.as_ref(),
            leave_out: self.leave_out.then_some(self.session_limits.frame_bytes),
            rewind_us: if self.foreign { REWIND_US } else { 0 },
        };
        let subscription = wish.subscription(self.cursor.as_ref());
        let mut url = self.url.clone();
        url.set_path(subscription.path);
        url.set_query(Some(&subscription.query));
        let dial = Dial { url, token: None, subprotocol: subscription.subprotocol };
        dial.connect(&self.http, self.session_limits).await
    }

    /// True when the cursor had a number to forget.
    fn forget_number(&mut self) -> bool {
        let numbered = self.cursor.as_mut().filter(|cursor| cursor.has_number());
        numbered.map(Cursor::forget_number).is_some()
    }

    /// Takes one frame onto the page. An error ends the connection.
    fn take(
        &mut self,
        progress: &mut Progress,
        frame: Frame,
        page: &mut Gathering,
    ) -> Result<(), SourceFault> {
        progress.frames += 1;
        page.moved();
        let place = Place::Item { file: None, item: progress.frames };
        let mut other_version = false;
        let read = self.text(frame).and_then(|text| {
            let original = Bytes::from(text.clone());
            match self.reader.read(&text, &original) {
                Ok(heard) => Ok((heard, text)),
                Err(error) => {
                    other_version |= matches!(error, FrameError::OtherVersion(_));
                    Err((error.to_string(), original))
                }
            }
        });
        match read {
            Ok((heard, text)) => {
                progress.unreadable.readable();
                self.heard(progress, heard, &text, page)
            }
            // Nothing but the setting mends that, and every frame would be a dead letter.
            Err((error, _)) if other_version && progress.frames == 1 => {
                Err(SourceFault::Fatal(format!("sources.{}: {error}", self.name)))
            }
            Err((error, original)) => {
                page.reject(malformed(place, &error, original));
                progress.unreadable.another()
            }
        }
    }

    fn heard(
        &mut self,
        progress: &mut Progress,
        heard: Heard,
        text: &str,
        page: &mut Gathering,
    ) -> Result<(), SourceFault> {
        match heard {
            Heard::Event { mark, item } => {
                if self.pass(progress, mark, text, page) == Standing::Again {
                    return Ok(());
                }
                match item {
                    Some(Item::Observed(observation)) => page.observe(*observation),
                    Some(Item::Purged(purge)) => page.purge(purge),
                    Some(Item::Rejected(rejected)) => page.reject(*rejected),
                    None => {}
                }
                Ok(())
            }
            Heard::Info(name) if name == "OutdatedCursor" => {
                if let Some(resumed) = &mut progress.resumed {
                    resumed.clamped = true;
                }
                Ok(())
            }
            // A number from another archive: the time is understood by every server.
            Heard::Info(name) if name == "FutureCursor" && self.forget_number() => {
                self.foreign = true;
                Err(SourceFault::transient(
                    "the cursor's number is not this server's; asking by time",
                ))
            }
            Heard::Error(name) => {
                Err(SourceFault::transient(format!("the server ends the stream: {name:.100}")))
            }
            Heard::Info(_) | Heard::Unknown => Ok(()),
        }
    }

    /// Moves the cursor behind an event, and notes what is missing before the first one.
    fn pass(
        &mut self,
        progress: &mut Progress,
        mark: Mark,
        text: &str,
        page: &mut Gathering,
    ) -> Standing {
        let frame = fingerprint(text);
        if let Some(Resumed { at, clamped }) = progress.resumed.take() {
            self.foreign = false;
            let hole = mark.time_us.saturating_sub(at.time_us());
            // Asked by number, version 2 refuses rather than to leave something out.
            let silent =
                self.version == Version::V1 && !at.is_anchor(mark, frame) && hole > HOLE_US;
            if clamped || silent {
                page.notice(Notice::Gap {
                    from: moment(at.time_us()),
                    to: moment(mark.time_us),
                    why: GapReason::ClampedCursor,
                });
            }
        }
        if let Some(cursor) = &mut self.cursor {
            return cursor.pass(mark, frame);
        }
        self.cursor = Some(Cursor::at(mark, frame));
        Standing::New
    }

    /// The text of a frame, decompressed where that was agreed.
    fn text(&mut self, frame: Frame) -> Result<Utf8Bytes, (String, Bytes)> {
        match (frame, &mut self.inflater) {
            (Frame::Text(text), _) => Ok(text),
            (Frame::Binary(bytes), None) => {
                Err(("a binary frame where text was agreed".to_owned(), bytes))
            }
            (Frame::Binary(bytes), Some(inflater)) => match inflater.inflate(&bytes) {
                Ok(text) => Ok(text.into()),
                Err(error) => Err((format!("a frame does not decompress: {error}"), bytes)),
            },
        }
    }

    /// The cursor as it is saved: with the server that its number is from.
    fn saved(&self) -> Option<String> {
        let host = self.url.host_str().unwrap_or_default();
        self.cursor.as_ref().map(|cursor| format!("{cursor} {host}"))
    }

    fn end(&mut self, end: &SessionEnd, page: &mut Gathering) -> SourceFault {
        if let SessionEnd::Oversized { .. } = end {
            self.leave_out = true;
            let place =
                Place::NativeId(format!("after cursor {}", self.saved().unwrap_or_default()));
            page.reject(malformed(place, end, Bytes::new()));
        }
        SourceFault::transient(format!("{}: {end}", self.url.host_str().unwrap_or_default()))
    }
}

fn moment(time_us: i64) -> Timestamp {
    Timestamp::from_millis(time_us.div_euclid(1000))
}

impl Source for JetstreamSource {
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
        let (place, host) = position.split_once(' ').unwrap_or((&position, ""));
        let mut cursor: Cursor =
            place.parse().map_err(|error| SourceFault::Fatal(format!("{error}; remove it")))?;
        if self.url.host_str() != Some(host) {
            cursor.forget_number();
            self.foreign = true;
        }
        self.cursor = Some(cursor);
        Ok(())
    }

    async fn next_page(&mut self) -> Result<Option<Page>, SourceFault> {
        let mut listening = match mem::replace(&mut self.state, State::Apart) {
            State::Broken(fault) => return Err(fault),
            State::Listening(listening) => listening,
            State::Apart => Box::new(self.connect().await?),
        };
        let mut page = Gathering::new(self.page_limits);
        let Listening { session, progress } = &mut *listening;
        let ended = listen(session, &mut page, |frame, page| match frame {
            Ok(frame) => self.take(progress, frame, page),
            Err(end) => Err(self.end(&end, page)),
        })
        .await;
        self.state = match ended {
            None => State::Listening(listening),
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
