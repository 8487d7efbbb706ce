//! What the detector sees: counts of one brand in one minute.

use crate::sketch::Sketch;

/// Counts of one minute by the mentions' published time. Fields that a source of counts does not
/// know are zero, except `voices`, which is then the negative ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Minute {
    /// Minutes since 1970-01-01T00:00Z.
    pub at: i64,
    /// Mentions.
    pub mentions: u32,
    /// Of these, negative ones.
    pub negative: u32,
    /// Of these, positive ones.
    pub positive: u32,
    /// Negative ones, at most one for each author and one for each text within the minute.
    pub voices: u32,
    /// Authors of the negative ones.
    pub authors: Sketch,
    /// Texts of the negative ones, near-duplicates as one.
    pub texts: Sketch,
}

/// Most that is believed of one minute: sums over an hour then fit, whatever a store may say.
const MOST: u32 = 10_000_000;

impl Minute {
    /// With counts that can be added up, and parts no larger than the whole.
    pub(crate) fn believed(&self) -> Self {
        let mentions = self.mentions.max(self.negative).max(self.positive).min(MOST);
        let negative = self.negative.min(mentions);
        let (positive, voices) = (self.positive.min(mentions), self.voices.min(negative));
        Self { mentions, negative, positive, voices, ..*self }
    }

    /// A minute in which nothing was said.
    pub fn quiet(at: i64) -> Self {
        Self { at, ..Self::default() }
    }

    /// Adds another minute's counts; what is distinct is merged, so voices never exceed authors or
    /// texts of the whole.
    pub(crate) fn absorb(&mut self, other: &Self) {
        self.mentions = self.mentions.saturating_add(other.mentions);
        self.negative = self.negative.saturating_add(other.negative);
        self.positive = self.positive.saturating_add(other.positive);
        self.voices = self.voices.saturating_add(other.voices);
        self.authors.merge(&other.authors);
        self.texts.merge(&other.texts);
    }

    /// Voices after authors and texts that came back were taken out.
    pub(crate) fn distinct_voices(&self) -> f64 {
        f64::from(self.voices).min(self.authors.at_most()).min(self.texts.at_most()).floor()
    }
}
