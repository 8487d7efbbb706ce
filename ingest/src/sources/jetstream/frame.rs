//! What Jetstream sends: the frames of `/subscribe` (version 1) and of
//! `network.bsky.jetstream.subscribeEvents` (version 2), read into the same events.
//!
//! Shapes: the README of `bluesky-social/jetstream-legacy` for version 1, the lexicon
//! `network.bsky.jetstream.subscribeEvents` in the framing `xrpc.v1.json` for version 2.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::options::Version;

/// One frame, borrowed from its text.
#[derive(Debug)]
pub enum Frame<'a> {
    /// Something happened on the network.
    Event(Event<'a>),
    /// Version 2 says something about the stream itself, such as `OutdatedCursor`.
    Info {
        /// Which notice.
        name: Cow<'a, str>,
    },
    /// Version 2 is about to close the stream.
    Error {
        /// Which error, such as `ConsumerTooSlow`.
        name: Cow<'a, str>,
    },
    /// A frame of a kind that later servers may send.
    Unknown,
}

/// Something that happened on the network.
#[derive(Debug)]
pub struct Event<'a> {
    /// Where it stands in the stream.
    pub mark: Mark,
    /// Whose repository it concerns.
    pub did: Cow<'a, str>,
    /// What happened.
    pub kind: Kind<'a>,
}

/// Where an event stands in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When the server witnessed it, in microseconds since 1970.
    pub time_us: i64,
    /// Its number; version 2 only.
    pub seq: Option<u64>,
}

/// What happened.
#[derive(Debug)]
pub enum Kind<'a> {
    /// A record was created, changed or deleted.
    Commit(Commit<'a>),
    /// A handle or a DID document changed.
    Identity,
    /// An account's status changed.
    Account(Account<'a>),
    /// A repository has to be read again; says nothing about single records.
    Sync,
    /// A kind that later servers may send.
    Unknown,
}

/// A change of one record.
#[derive(Debug, Deserialize)]
pub struct Commit<'a> {
    /// What was done.
    pub operation: Operation,
    /// The record's collection, such as `app.bsky.feed.post`.
    #[serde(borrow)]
    pub collection: Cow<'a, str>,
    /// The record's key in its collection.
    #[serde(borrow)]
    pub rkey: Cow<'a, str>,
    /// The record; none for deletions.
    #[serde(borrow, default)]
    pub record: Option<&'a RawValue>,
}

/// What was done to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// It is new.
    Create,
    /// It has another content.
    Update,
    /// It is gone.
    Delete,
}

/// The status of an account.
#[derive(Debug, Deserialize)]
pub struct Account<'a> {
    /// False when nothing of the account is to be shown.
    pub active: bool,
    /// Why it is not active.
    #[serde(borrow, default)]
    pub status: Option<Cow<'a, str>>,
}

impl Account<'_> {
    /// True when the account is gone for good. `deactivated` and `suspended` accounts come back.
    pub fn is_gone(&self) -> bool {
        !self.active && matches!(self.status.as_deref(), Some("deleted" | "takendown"))
    }
}

/// Why a frame cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// Not JSON, or not of the shape that the version promises.
    #[error("no Jetstream frame: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The frame announces a part that it does not hold.
    #[error("a frame of kind {kind} without `{part}`")]
    Missing {
        /// What the frame is.
        kind: &'static str,
        /// What it lacks.
        part: &'static str,
    },
    /// The server speaks the other version.
    #[error(
        "the server speaks version {} and version {} is configured: set version = \"{}\"",
        .0.number(), .0.other().number(), .0.name()
    )]
    OtherVersion(Version),
    /// The time is not one.
    #[error("`time` is no RFC 3339 time")]
    Time,
}

#[derive(Deserialize)]
struct V1<'a> {
    #[serde(borrow)]
    did: Cow<'a, str>,
    time_us: i64,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    commit: Option<Commit<'a>>,
    #[serde(borrow, default)]
    account: Option<Account<'a>>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "$type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    payload: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(rename = "$type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct V2<'a> {
    seq: u64,
    #[serde(borrow)]
    did: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(rename = "witnessedAt", borrow, default)]
    witnessed_at: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    account: Option<Account<'a>>,
}

impl<'a> Frame<'a> {
    /// Reads a frame of `version`.
    pub fn read(version: Version, text: &'a str) -> Result<Self, FrameError> {
        let read = |version| match version {
            Version::V1 => read_v1(text),
            Version::V2 => read_v2(text),
        };
        read(version).map_err(|error| match read(version.other()) {
            Ok(Self::Unknown) | Err(_) => error,
            Ok(_) => FrameError::OtherVersion(version.other()),
        })
    }
}

fn read_v1(text: &str) -> Result<Frame<'_>, FrameError> {
    let V1 { did, time_us, kind, commit, account } = serde_json::from_str(text)?;
    let kind = match kind.as_ref() {
        "commit" => Kind::Commit(commit.ok_or(FrameError::missing("commit", "commit"))?),
        "account" => Kind::Account(account.ok_or(FrameError::missing("account", "account"))?),
        "identity" => Kind::Identity,
        "sync" => Kind::Sync,
        _ => Kind::Unknown,
    };
    Ok(Frame::Event(Event { mark: Mark { time_us, seq: None }, did, kind }))
}

fn read_v2(text: &str) -> Result<Frame<'_>, FrameError> {
    let Envelope { kind, payload, error } = serde_json::from_str(text)?;
    match (kind.as_ref(), payload) {
        ("message", Some(payload)) => read_message(payload.get()),
        ("message", None) => Err(FrameError::missing("message", "payload")),
        ("error", _) => Ok(Frame::Error { name: error.unwrap_or(Cow::Borrowed("unnamed")) }),
        _ => Ok(Frame::Unknown),
    }
}

fn read_message(payload: &str) -> Result<Frame<'_>, FrameError> {
    let Typed { kind, name } = serde_json::from_str(payload)?;
    let fragment = kind.rsplit_once('#').map_or(kind.as_ref(), |(_, fragment)| fragment);
    if fragment == "info" {
        return Ok(Frame::Info { name: name.ok_or(FrameError::missing("info", "name"))? });
    }
    if !matches!(fragment, "commit" | "account" | "identity" | "sync") {
        return Ok(Frame::Unknown);
    }
    let V2 { seq, did, time, witnessed_at, account } = serde_json::from_str(payload)?;
    // A cursor of time is translated against the witnessed time, which imports do not alter.
    let witnessed = witnessed_at.unwrap_or(time);
    let time_us =
        witnessed.parse::<jiff::Timestamp>().map_err(|_| FrameError::Time)?.as_microsecond();
    let kind = match fragment {
        "commit" => Kind::Commit(serde_json::from_str(payload)?),
        "account" => Kind::Account(account.ok_or(FrameError::missing("account", "account"))?),
        "identity" => Kind::Identity,
        _ => Kind::Sync,
    };
    Ok(Frame::Event(Event { mark: Mark { time_us, seq: Some(seq) }, did, kind }))
}

impl FrameError {
    const fn missing(kind: &'static str, part: &'static str) -> Self {
        Self::Missing { kind, part }
    }
}
