//! Which mentions of a source enter the log: all of them, or those that some brand is about.
//!
//! ```text
//!  submission ─▶ Observer ─▶ event ─▶ Keep::admits ──┬─ Kept ─────▶ mentions.raw
//!                                        ▲           └─ Filtered ─▶ counted, and gone
//!                     the brand files' present version, one for a page
//! ```
//!
//! A firehose holds mostly mentions of no brand; `keep = "matches"` leaves those out before they
//! cost anything. What is left out was never in the log, so nothing is owed to it. What may already
//! be in the log always passes, since a filter remembers nothing:
//!
//! * A deletion: it costs a tombstone where the mention was never kept, and leaving it out would
//!   keep a mention that its author took back.
//! * An edit (`edited_at` is set), whether it matches or not: one that no longer matches must reach
//!   the store, which then takes the brand away. Edits are rare, so those of mentions that were
//!   never kept cost little; enrichment finds them to be about no brand.
//!
//! The filter lets pass more than enrichment will match, never less. The language is not known yet,
//! so a mention passes if it would match in any language. Its author still has a visible handle
//! here, so `author:` and owned accounts are compared with it, also where none is kept; what the
//! owned accounts of a brand write passes.

use std::sync::Arc;

use echolot_brands::Scratch;
use echolot_pipeline::{
    brands::{BrandSet, LiveBrands, seen},
    stage::Rejection,
};
use echolot_schemas::{Mention, RawEvent, SourceName, Timestamp, submission::Submission};
use serde::Deserialize;

use crate::observe::Observer;

/// The option `keep` of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeepRule {
    /// Every mention.
    #[default]
    All,
    /// Mentions that some brand of `enrich.brands` is about, or that its owned accounts wrote.
    Matches,
}

/// What the filter says of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// To be written to the log.
    Kept,
    /// About no brand: to be counted and left out.
    Filtered,
}

/// The rule of one source with the brands as they are now: one for each page or request, so that a
/// changed brand file applies from the next one on.
#[derive(Debug)]
pub struct Keep(Option<Filter>);

#[derive(Debug)]
struct Filter {
    /// None where no brand is known: then nothing matches.
    brands: Option<Arc<BrandSet>>,
    scratch: Scratch,
}

impl Keep {
    /// The rule with the brands at this moment.
    pub fn new(rule: KeepRule, brands: Option<&LiveBrands>) -> Self {
        let present = || brands.map(LiveBrands::present);
        let filter = || Filter { brands: present(), scratch: Scratch::default() };
        Self((rule == KeepRule::Matches).then(filter))
    }

    /// Whether an event belongs into the log. `handle` is the author as the source shows it; it is
    /// looked at and not kept.
    pub fn admits(&mut self, event: &RawEvent, handle: Option<&str>) -> Admission {
        let (Some(filter), RawEvent::Observed(observed)) = (&mut self.0, event) else {
            return Admission::Kept;
        };
        let mention = &observed.mention;
        if mention.edited_at.is_some() || filter.concerns(mention, handle) {
            Admission::Kept
        } else {
            Admission::Filtered
        }
    }

    /// The event that a submission means; `None` when it was filtered.
    pub fn observe(
        &mut self,
        observer: &Observer,
        source: &SourceName,
        submission: Submission,
        observed_at: Timestamp,
    ) -> Result<Option<RawEvent>, Rejection> {
        let handle = self.0.as_ref().and_then(|_| submission.author.clone());
        let event = observer.observe(source, submission, observed_at)?;
        let admission = self.admits(&event, handle.as_deref());
        Ok((admission == Admission::Kept).then_some(event))
    }
}

impl Filter {
    fn concerns(&mut self, mention: &Mention, handle: Option<&str>) -> bool {
        let Some(brands) = &self.brands else { return false };
        let mut post = seen(mention, "und");
        // Colleagues are nobody's authors, not even for a moment.
        post.author = handle.filter(|_| !mention.internal);
        brands.may_concern(&post, &mut self.scratch)
    }
}
