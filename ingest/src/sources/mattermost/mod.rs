//! Mattermost: chosen channels of a team, for the company's own communities.
//!
//! ```text
//!  websocket ─▶ Numbered::read ─▶ posted, edited, deleted ─┐
//!                   │ a number is missing                  ├─▶ Post ─▶ observation, deletion
//!                   ▼                                      │
//!  REST: posts since the cursor, after every connection ───┘
//! ```
//!
//! Always internal: no author is read, let alone stored.

mod event;
mod options;
mod post;
mod rest;
mod source;

pub use self::{
    event::{Event, EventError, Numbered},
    options::MattermostOptions,
    post::Post,
    source::MattermostSource,
};
