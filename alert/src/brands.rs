//! Detectors of all brands, fed from the same minutes.

use std::collections::HashMap;

use crate::{AlertSettings, Change, Detector, Kind, Minute, Rule, coverage::Coverage};

/// Minutes without any mention of any brand after which sources that do not tell how they are count
/// as down.
pub const DOWN_AFTER: i64 = 60;

struct Watched {
    detector: Detector,
    vouched: bool,
}

/// Detectors of all brands.
pub struct Brands {
    watched: HashMap<String, Watched>,
    heard: Option<i64>,
}

impl Brands {
    /// A detector for each brand and its rule.
    pub fn new(rules: impl IntoIterator<Item = (String, Rule)>, settings: &AlertSettings) -> Self {
        let zone = settings.zone();
        let watched = rules.into_iter().map(|(brand, rule)| {
            let detector = Detector::new(rule, zone.clone());
            (brand, Watched { detector, vouched: false })
        });
        Self { watched: watched.collect(), heard: None }
    }

    /// Takes what is known of sources, for all minutes that come.
    pub fn cover(&mut self, coverage: &Coverage) {
        for (brand, watched) in &mut self.watched {
            let covered = coverage.of(brand);
            watched.vouched = covered.vouched;
            watched.detector.set_gaps(covered.gaps);
        }
    }

    /// Takes the minutes up to `to`, in order, and tells what changed, in order. Every brand goes on to
    /// `to`, where its sources are well: for those that do not tell, where some brand was spoken of
    /// within the last hour. Elsewhere nothing is learned and nothing is called silence.
    pub fn feed(&mut self, minutes: &[(String, Minute)], to: i64) -> Vec<(String, Change)> {
        let mut changes = Vec::new();
        for (brand, minute) in minutes.iter().filter(|(_, minute)| minute.at <= to) {
            self.quiet(minute.at - 1, &mut changes);
            self.heard = self.heard.max(Some(minute.at));
            if let Some(watched) = self.watched.get_mut(brand) {
                let new = watched.detector.observe(minute);
                changes.extend(new.into_iter().map(|change| (brand.clone(), change)));
            }
        }
        self.quiet(to, &mut changes);
        self.go(to, true, &mut changes);
        // Brands go on one after the other within a gap: by time again, then by name.
        changes.sort_by(|a, b| (a.1.at, &a.0).cmp(&(b.1.at, &b.0)));
        changes
    }

    fn quiet(&mut self, to: i64, changes: &mut Vec<(String, Change)>) {
        let Some(heard) = self.heard else { return };
        if to - heard > DOWN_AFTER {
            self.go(heard + DOWN_AFTER, true, changes);
            self.go(to, false, changes);
        }
    }

    fn go(&mut self, to: i64, covered: bool, changes: &mut Vec<(String, Change)>) {
        for (brand, watched) in &mut self.watched {
            let new = watched.detector.advance(to, covered || watched.vouched);
            changes.extend(new.into_iter().map(|change| (brand.clone(), change)));
        }
    }

    /// Whether an incident of a kind is open.
    pub fn is_open(&self, brand: &str, kind: Kind) -> bool {
        self.watched.get(brand).is_some_and(|watched| watched.detector.open(kind).is_some())
    }

    /// Every brand with its detector.
    pub fn detectors(&self) -> impl Iterator<Item = (&str, &Detector)> {
        self.watched.iter().map(|(brand, watched)| (brand.as_str(), &watched.detector))
    }
}
