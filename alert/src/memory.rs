//! Which changes of incidents were told: whoever reads history again must not tell them again.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::{Change, Kind, Phase, incident_id};

/// An incident as it was told so far.
#[derive(Clone, Debug)]
struct Span {
    incident: Uuid,
    opened_at: i64,
    last: Change,
}

impl Span {
    fn is_closed(&self) -> bool {
        self.last.phase == Phase::Closed
    }
}

/// What was told.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    steps: HashSet<(Uuid, u32)>,
    /// By brand and kind, in order of opening.
    spans: HashMap<(String, Kind), Vec<Span>>,
}

impl Memory {
    /// Remembers a change that was told.
    pub(crate) fn remember(&mut self, incident: Uuid, brand: &str, change: &Change) {
        self.steps.insert((incident, change.row_step()));
        let spans = self.spans.entry((brand.to_owned(), change.kind)).or_default();
        match spans.iter_mut().find(|span| span.incident == incident) {
            Some(span) if span.is_closed() => {}
            Some(span) => span.last = change.clone(),
            None => {
                spans.push(Span { incident, opened_at: change.opened_at, last: change.clone() });
            }
        }
    }

    /// Whether this very change was told.
    pub(crate) fn has(&self, incident: Uuid, change: &Change) -> bool {
        self.steps.contains(&(incident, change.row_step()))
    }

    /// The opening minute under which a change is told. Mentions that came late may move an opening
    /// when history is read again: what overlaps a told incident, or begins within `near` minutes of
    /// one that is not closed before, is that one; of several the one that opened nearest.
    pub(crate) fn opening(&self, brand: &str, change: &Change, near: i64) -> i64 {
        let same = |span: &&Span| {
            let until = if span.is_closed() { span.last.at } else { span.opened_at + near };
            (span.opened_at - near..=until.max(span.last.at)).contains(&change.opened_at)
        };
        let spans = self.spans.get(&(brand.to_owned(), change.kind)).into_iter().flatten();
        let nearest =
            spans.filter(same).min_by_key(|span| span.opened_at.abs_diff(change.opened_at));
        nearest.map_or(change.opened_at, |span| span.opened_at)
    }

    /// Whether nothing is left to tell of a change: it was told, or its incident was closed at that
    /// time or later.
    pub(crate) fn holds(&self, brand: &str, change: &Change) -> bool {
        let incident = incident_id(brand, change.kind, change.opened_at);
        let spans = self.spans.get(&(brand.to_owned(), change.kind)).into_iter().flatten();
        let closed = spans
            .filter(|span| span.incident == incident && span.is_closed())
            .any(|span| change.at <= span.last.at);
        closed || self.has(incident, change)
    }

    /// The closings at minute `at` of incidents that were told to be open and are not, because their
    /// history is another by now. `open` tells whether one of a brand and kind is.
    pub(crate) fn orphans(
        &self,
        at: i64,
        open: impl Fn(&str, Kind) -> bool,
    ) -> Vec<(String, Change)> {
        let mut orphans = Vec::new();
        for ((brand, kind), spans) in &self.spans {
            let mut left = spans.iter().filter(|span| !span.is_closed()).collect::<Vec<_>>();
            left.sort_by_key(|span| span.opened_at);
            if open(brand, *kind) {
                left.pop();
            }
            let close = |span: &Span| Change { phase: Phase::Closed, at, ..span.last.clone() };
            orphans.extend(left.into_iter().map(|span| (brand.clone(), close(span))));
        }
        orphans.sort_by(|a, b| (a.1.opened_at, &a.0).cmp(&(b.1.opened_at, &b.0)));
        orphans
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Evidence, Severity};

    fn change(phase: Phase, opened_at: i64, at: i64) -> Change {
        let evidence = Evidence {
            window: 60,
            observed: 20.0,
            expected: 4.0,
            chance: 1e-9,
            share: 0.8,
            usual_share: 0.2,
            mentions: 25,
            authors: 19,
        };
        let (kind, severity) = (Kind::Negative, Severity::High);
        Change {
            kind,
            phase,
            at,
            opened_at,
            from: at - 59,
            step: 0,
            severity,
            evidence,
            peak: 20.0,
        }
    }

    fn told(changes: &[Change]) -> Memory {
        let mut memory = Memory::default();
        for change in changes {
            memory.remember(incident_id("a", change.kind, change.opened_at), "a", change);
        }
        memory
    }

    #[test]
    fn an_opening_that_moved_is_the_same_incident() {
        let memory = told(&[change(Phase::Opened, 1000, 1000)]);
        for moved in [990, 1000, 1015] {
            assert_eq!(memory.opening("a", &change(Phase::Opened, moved, moved), 360), 1000);
        }
        assert_eq!(memory.opening("b", &change(Phase::Opened, 1015, 1015), 360), 1015);
    }

    #[test]
    fn a_larger_incident_soon_after_a_closed_one_is_another() {
        let memory = told(&[change(Phase::Opened, 1000, 1000), change(Phase::Closed, 1000, 1090)]);
        let larger = change(Phase::Opened, 1200, 1200);
        assert_eq!(memory.opening("a", &larger, 360), 1200);
        assert!(!memory.holds("a", &larger));
    }

    #[test]
    fn the_closing_of_the_first_does_not_close_the_second() {
        let memory = told(&[
            change(Phase::Opened, 1000, 1000),
            change(Phase::Closed, 1000, 1090),
            change(Phase::Opened, 1200, 1200),
        ]);
        let again = change(Phase::Closed, 1002, 1090);
        assert_eq!(memory.opening("a", &again, 360), 1000);
        assert!(memory.holds("a", &Change { opened_at: 1000, ..again }));
    }

    #[test]
    fn nothing_before_a_closing_is_told_after_it() {
        let memory = told(&[change(Phase::Opened, 1000, 1000), change(Phase::Closed, 1000, 1090)]);
        let grown = Change { step: 1, ..change(Phase::Escalated, 1000, 1050) };
        assert!(memory.holds("a", &grown));
        assert!(!memory.holds("a", &Change { at: 1100, ..grown }));
    }

    #[test]
    fn an_incident_that_history_no_longer_shows_is_closed() {
        let memory = told(&[change(Phase::Opened, 1000, 1000), change(Phase::Opened, 5000, 5000)]);
        let of = |orphans: Vec<(String, Change)>| {
            orphans.into_iter().map(|(_, change)| (change.opened_at, change.at)).collect::<Vec<_>>()
        };
        assert_eq!(of(memory.orphans(6000, |_, _| false)), [(1000, 6000), (5000, 6000)]);
        assert_eq!(of(memory.orphans(6000, |_, _| true)), [(1000, 6000)]);
    }
}
