//! What counts as an incident for one brand.

use serde::{Deserialize, Serialize};

/// What an incident is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Negative mentions rose, and so did their share.
    Negative,
    /// Positive mentions rose, and so did their share.
    Positive,
    /// All mentions rose.
    Volume,
    /// Mentions stay away while other brands are spoken of.
    Silence,
    /// A fixed number of negative mentions an hour.
    Threshold,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Negative, Self::Positive, Self::Volume, Self::Silence, Self::Threshold];

    /// The name in tables, topics and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Negative => "negative",
            Self::Positive => "positive",
            Self::Volume => "volume",
            Self::Silence => "silence",
            Self::Threshold => "threshold",
        }
    }
}

/// Parameters of the detector. Every one is an option of `[alert.rule]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Which kinds are looked for.
    pub kinds: Vec<Kind>,
    /// False incidents a brand-week that chance may cause, over all windows together. The budget of
    /// a window is its part of it, spread over the tests of a week (Bonferroni).
    pub budget: f64,
    /// Hours that must have been learned before anything fires: a week shows every hour once.
    pub warmup_hours: u32,
    /// Mentions in the window below which nothing is an incident.
    pub min_mentions: u32,
    /// Voices above the expected ones: negative mentions with different authors and different texts.
    pub min_voices: u32,
    /// Voices must be this many times what is expected.
    pub min_ratio: f64,
    /// Chance of the share of negative ones at or above which it did not rise.
    pub share_chance: f64,
    /// The share must be this many times the usual one.
    pub share_ratio: f64,
    /// How firm the usual share is, in mentions: it wavers by itself about as much as that of a
    /// sample of this size.
    pub share_firmness: f64,
    /// Minutes of calm before an incident closes.
    pub calm_minutes: u32,
    /// Minutes after closing in which the same is no new incident.
    pub refractory_minutes: u32,
    /// An open incident escalates when its voices grow by this factor.
    pub escalation: f64,
    /// After this many hours what is new has become usual: the incident closes, levels start anew.
    pub longest_hours: u32,
    /// Negative mentions an hour for the kind `threshold`; 0 for none.
    pub threshold: u32,
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            kinds: vec![Kind::Negative, Kind::Silence],
            budget: 0.1,
            warmup_hours: 168,
            min_mentions: 5,
            min_voices: 5,
            min_ratio: 1.5,
            share_chance: 0.005,
            share_ratio: 1.25,
            share_firmness: 200.0,
            calm_minutes: 60,
            refractory_minutes: 360,
            escalation: 2.0,
            longest_hours: 72,
            threshold: 0,
        }
    }
}

/// Windows in minutes, each tested every minute. Short ones see a burst within minutes, long ones a
/// slow burn and the few mentions of a small brand. Those beyond an hour are made of whole hours and
/// the present one, so they are up to an hour shorter than they are called.
pub const WINDOWS: [u32; 8] = [5, 10, 20, 40, 60, 120, 360, 1440];

/// Windows slide by a minute, so neighbours say much the same: a window of n minutes makes about as
/// many independent tests as there are stretches of n / 4 minutes.
const TESTS_A_STRETCH: f64 = 4.0;

impl Rule {
    /// Chance below which a window fires.
    pub(crate) fn chance(&self, window: usize) -> f64 {
        let length = WINDOWS.get(window).copied().map_or(0.0, f64::from);
        let tests = TESTS_A_STRETCH * 10_080.0 / length;
        self.budget / WINDOWS.len() as f64 / tests
    }
}
