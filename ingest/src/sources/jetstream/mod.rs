//! Bluesky, over Jetstream: the network's firehose as JSON, without an account.
//!
//! ```text
//!  frame ─▶ Frame::read ─▶ Mark ─▶ Cursor: seen before? a gap before it?
//!                │
//!                ├─ commit on a post ─▶ Post ─▶ observation, edit or deletion
//!                └─ account gone ─────▶ purge of everything it said
//! ```
//!
//! Both versions are spoken: `/subscribe` and `network.bsky.jetstream.subscribeEvents`.

mod cursor;
mod decompress;
mod frame;
mod options;
mod post;
mod reader;
mod request;
mod source;

pub use self::{
    cursor::{Cursor, Fingerprint, InvalidCursor, Standing, fingerprint},
    decompress::{Dictionary, Inflater, InvalidDictionary},
    frame::{Account, Commit, Event, Frame, FrameError, Kind, Mark, Operation},
    options::{JetstreamOptions, Version},
    post::{POSTS, Post, PostError},
    reader::{Heard, Reader},
    request::{Subscription, Wish},
    source::JetstreamSource,
};
