//! Every XML dialect of feeds as Atom 1.0 (RFC 4287), before feed-rs reads it.
//!
//! ```text
//!  RSS 0.9x, 1.0, 2.0; RDF; CDF; Atom 0.3, 1.0
//!        │ quick-xml, lenient
//!        ▼
//!  walk: depth, names, bases, languages ─▶ entry ─▶ Atom 1.0 ─▶ feed-rs
//!              │ field: what means what
//!              └ construct: what is markup
//! ```
//!
//! feed-rs holds to the letter of each format, and feeds do not: it refuses a whole document for one
//! type that it does not know, and drops items without a link, dates of other spellings and what
//! `isPermaLink` says. `echolot source test feed --sample DIR` counts what comes out of a folder.

mod attributes;
mod construct;
mod date;
mod entry;
mod field;
mod reference;
mod walk;

use echolot_pipeline::stage::Rejection;
use url::Url;

pub(super) use self::date::rfc3339;
use self::walk::Walk;

/// A feed as Atom.
#[derive(Debug)]
pub(super) struct Translated {
    /// The document.
    pub(super) atom: String,
    /// Why the rest of it cannot be read, where it breaks off or is no XML from somewhere on.
    pub(super) broken: Option<Rejection>,
}

/// Translates at most `most` entries. `base` is where the document came from.
///
/// Refused when it is no feed, or nested too deep; what stands before a break is kept.
pub(super) fn translate(
    xml: &str,
    base: Option<&Url>,
    most: usize,
) -> Result<Translated, Rejection> {
    Walk::new(base, most).through(xml)
}
