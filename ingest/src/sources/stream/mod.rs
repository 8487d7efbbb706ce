//! What sources share that listen to a stream instead of asking for pages.
//!
//! ```text
//!  Dial ─▶ Session: frames ─▶ the source reads them ─▶ Gathering: a page ─▶ collector
//!   ▲        │ closed, idle, broken, too large
//!   └─ Reconnects: a jittered pause
//! ```

mod dial;
mod gathering;
mod reconnects;
mod session;
mod settings;

pub use self::{
    dial::{Dial, DialError, Refusal},
    gathering::{Gathering, PageLimits, Unreadable, listen},
    reconnects::Reconnects,
    session::{CloseReason, Frame, Session, SessionEnd, SessionLimits},
    settings::StreamSettings,
};
