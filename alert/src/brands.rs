//! Detectors of all brands, fed from the same minutes.

use std::collections::HashMap;

use crate::{AlertSettings, Change, Detector, Kind, Minute, Rule, coverage::Gaps};

/// Detectors of all brands.
pub struct Brands {
    detectors: HashMap<String, Detector>,
}

impl Brands {
    /// A detector for each brand and its rule.
    pub fn new(rules: impl IntoIterator<Item = (String, Rule)>, settings: &AlertSettings) -> Self {
        let zone = settings.zone();
        let detectors = rules
            .into_iter()
            .map(|(brand, rule)| (brand, Detector::new(rule, zone.clone())))
            .collect();
        Self { detectors }
    }

    /// Takes what is known of each brand's sources, for all minutes that come.
    pub fn cover(&mut self, gaps: impl Fn(&str) -> Gaps) {
        for (brand, detector) in &mut self.detectors {
            detector.set_gaps(gaps(brand));
        }
    }

    /// Takes the minutes up to `to`, in order, and tells what changed, in order. Every brand goes on to
    /// `to`.
    pub fn feed(&mut self, minutes: &[(String, Minute)], to: i64) -> Vec<(String, Change)> {
        let mut changes = Vec::new();
        for (brand, minute) in minutes.iter().filter(|(_, minute)| minute.at <= to) {
            if let Some(detector) = self.detectors.get_mut(brand) {
                let new = detector.observe(minute);
                changes.extend(new.into_iter().map(|change| (brand.clone(), change)));
            }
        }
        for (brand, detector) in &mut self.detectors {
            let new = detector.advance(to);
            changes.extend(new.into_iter().map(|change| (brand.clone(), change)));
        }
        // Brands go on one after the other: by time again, then by name.
        changes.sort_by(|a, b| (a.1.at, &a.0).cmp(&(b.1.at, &b.0)));
        changes
    }

    /// Whether an incident of a kind is open.
    pub fn is_open(&self, brand: &str, kind: Kind) -> bool {
        self.detectors.get(brand).is_some_and(|detector| detector.open(kind).is_some())
    }

    /// Every brand with its detector.
    pub fn detectors(&self) -> impl Iterator<Item = (&str, &Detector)> {
        self.detectors.iter().map(|(brand, detector)| (brand.as_str(), detector))
    }
}
