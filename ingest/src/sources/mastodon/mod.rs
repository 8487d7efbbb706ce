//! Mastodon: what an instance shows in its public timelines.
//!
//! ```text
//!  timelines/… min_id ─▶ statuses ─┐
//!                                  ├─▶ Status::said ─▶ observation, deletion or nothing
//!  streaming websocket ─▶ events ──┘
//! ```
//!
//! Polling needs no token where the instance's admins allow it, and cannot see deletions. Streaming
//! needs a token, sees edits and deletions, and fetches after each new connection what was missed.

mod cursor;
mod event;
mod options;
mod poll;
mod reader;
mod source;
mod status;
mod timeline;

pub use self::{
    cursor::{Cursor, InvalidCursor},
    event::{Event, EventError, Streamed},
    options::MastodonOptions,
    source::MastodonSource,
    status::{Said, Status, Why},
    timeline::{InvalidTimeline, Timeline},
};
