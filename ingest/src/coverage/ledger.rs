//! One source's ledger.

use std::time::Duration;

use echolot_schemas::{
    SourceName, Timestamp,
    coverage::{CoverageState, GAPS, Gap, GapReason, SourceCoverage},
};

use crate::source::{Notice, SourceFault};

/// A silence shorter than this is no gap, however often the source is asked.
const GRACE_LEAST: Duration = Duration::from_mins(1);

/// A page that is safe.
#[derive(Clone, Debug, Default)]
pub struct Success {
    /// Events accepted.
    pub accepted: u64,
    /// What was no mention.
    pub rejected: u64,
    /// Publication time of its newest mention.
    pub newest: Option<Timestamp>,
    /// What the source knows to be missing.
    pub notices: Vec<Notice>,
}

/// Why a source does not answer.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The class.
    pub why: GapReason,
    /// In words.
    pub detail: String,
}

impl From<&SourceFault> for Failure {
    fn from(fault: &SourceFault) -> Self {
        let why = match fault {
            SourceFault::RateLimited { .. } => GapReason::RateLimit,
            SourceFault::Unauthorised(_) => GapReason::Unauthorised,
            SourceFault::Closed(_) => GapReason::Closed,
            SourceFault::Transient { .. } | SourceFault::Fatal(_) => GapReason::Outage,
        };
        Self { why, detail: fault.to_string().chars().take(500).collect() }
    }
}

/// What is known of one source, and the rules by which gaps open and close.
#[derive(Clone, Debug)]
pub struct Ledger {
    coverage: SourceCoverage,
    /// Silence up to this long is no gap.
    grace_millis: i64,
    /// The source says everything afterwards that it missed.
    replays: bool,
    /// True until the first success of this process: a silence before it is a gap by itself.
    resumed: bool,
    /// Why attempts have failed since the last success, where any did.
    failing: Option<GapReason>,
    changed: bool,
}

impl Ledger {
    /// A ledger that goes on from what was written last, if anything was.
    ///
    /// `interval` is how often the source is expected to answer.
    pub fn open(
        source: SourceName,
        last: Option<SourceCoverage>,
        interval: Duration,
        replays: bool,
        now: Timestamp,
    ) -> Self {
        let coverage = last.unwrap_or(SourceCoverage {
            source,
            at: now,
            state: CoverageState::Failing,
            detail: Some("has not answered yet".to_owned()),
            last_success: None,
            newest: None,
            lag_millis: None,
            accepted: 0,
            rejected: 0,
            lost: 0,
            restarts: 0,
            gaps: Vec::new(),
        });
        let grace = (interval * 2).max(GRACE_LEAST);
        let grace_millis = i64::try_from(grace.as_millis()).unwrap_or(i64::MAX);
        Self { coverage, grace_millis, replays, resumed: true, failing: None, changed: true }
    }

    /// Which source.
    pub fn source(&self) -> &SourceName {
        &self.coverage.source
    }

    /// What is known of it.
    pub fn coverage(&self) -> &SourceCoverage {
        &self.coverage
    }

    /// A page is safe: whatever gap was open ends here.
    pub fn succeeded(&mut self, at: Timestamp, success: &Success) {
        let silent_since = self.coverage.last_success.filter(|last| self.is_long(*last, at));
        let mut closed = false;
        for gap in self.coverage.gaps.iter_mut().filter(|gap| gap.to.is_none()) {
            gap.to = Some(at);
            gap.caught_up = self.replays;
            closed = true;
        }
        // No attempt failed late enough to open the gap: the process was down, or the pause before
        // the attempt that went well was long. A source that was only quiet has none.
        let why = self.failing.take().or(self.resumed.then_some(GapReason::Outage));
        if let (Some(why), false, Some(from)) = (why, closed, silent_since) {
            self.note(Gap { from, to: Some(at), why, caught_up: self.replays });
        }
        for notice in &success.notices {
            match *notice {
                Notice::Gap { from, to, why } => {
                    self.note(Gap { from, to: Some(to), why, caught_up: false });
                }
                Notice::Lost { count, .. } => {
                    self.coverage.lost = self.coverage.lost.saturating_add(count);
                }
            }
        }
        let coverage = &mut self.coverage;
        coverage.state = CoverageState::Ok;
        coverage.detail = None;
        coverage.last_success = Some(at);
        coverage.accepted = coverage.accepted.saturating_add(success.accepted);
        coverage.rejected = coverage.rejected.saturating_add(success.rejected);
        if let Some(newest) = success.newest {
            coverage.newest = coverage.newest.max(Some(newest));
            coverage.lag_millis =
                Some(u64::try_from(at.as_millis() - newest.as_millis()).unwrap_or(0));
        }
        (self.resumed, self.changed) = (false, true);
    }

    /// An attempt failed and is made again: a gap opens once that has lasted.
    pub fn failed(&mut self, at: Timestamp, failure: &Failure) {
        self.coverage.state = CoverageState::Failing;
        self.fails(at, failure);
    }

    /// The source fell over a defect of ours and is started anew.
    pub fn restarted(&mut self, at: Timestamp, failure: &Failure) {
        self.coverage.restarts = self.coverage.restarts.saturating_add(1);
        self.failed(at, failure);
    }

    /// The source stands still: a gap opens at once, from when it last answered.
    pub fn stopped(&mut self, at: Timestamp, failure: &Failure) {
        self.coverage.state = CoverageState::Stopped;
        self.fails(at, failure);
    }

    fn fails(&mut self, at: Timestamp, failure: &Failure) {
        self.coverage.detail = Some(failure.detail.clone());
        (self.failing, self.changed) = (Some(failure.why), true);
        let open = self.coverage.gaps.iter().any(|gap| gap.to.is_none());
        let Some(from) = self.coverage.last_success else { return };
        let lasted = self.coverage.state == CoverageState::Stopped || self.is_long(from, at);
        if lasted && !open {
            self.note(Gap { from, to: None, why: failure.why, caught_up: false });
        }
    }

    /// What is to be written, if anything changed.
    pub(super) fn take_changed(&mut self, at: Timestamp) -> Option<SourceCoverage> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        self.coverage.at = at;
        Some(self.coverage.clone())
    }

    pub(super) fn mark_changed(&mut self) {
        self.changed = true;
    }

    fn is_long(&self, from: Timestamp, to: Timestamp) -> bool {
        to.as_millis().saturating_sub(from.as_millis()) > self.grace_millis
    }

    fn note(&mut self, gap: Gap) {
        let gaps = &mut self.coverage.gaps;
        let known = |other: &&mut Gap| other.from == gap.from && other.why == gap.why;
        match gaps.iter_mut().find(known) {
            // Told twice, such as by a page that came again after a crash.
            Some(other) => *other = gap,
            None => gaps.push(gap),
        }
        if gaps.len() > GAPS
            && let Some(oldest) = gaps.iter().position(|gap| gap.to.is_some())
        {
            gaps.remove(oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_780_000_000_000 + seconds * 1000)
    }

    fn ledger(last: Option<SourceCoverage>, now: i64) -> Ledger {
        let name = SourceName::new("forum").unwrap();
        Ledger::open(name, last, Duration::from_secs(30), true, at(now))
    }

    fn down() -> Failure {
        Failure { why: GapReason::Outage, detail: "refused".to_owned() }
    }

    #[test]
    fn an_outage_is_a_gap_from_the_last_answer_to_the_next_one() {
        let mut ledger = ledger(None, 0);
        ledger.succeeded(at(0), &Success::default());
        ledger.failed(at(30), &down());
        assert!(ledger.coverage().gaps.is_empty(), "a brief fault is none");
        ledger.failed(at(90), &down());
        assert_eq!(ledger.coverage().gaps[0].to, None);
        ledger.succeeded(at(100), &Success::default());
        let gap = Gap { from: at(0), to: Some(at(100)), why: GapReason::Outage, caught_up: true };
        assert_eq!(ledger.coverage().gaps, [gap]);
        assert_eq!(ledger.coverage().state, CoverageState::Ok);
    }

    #[test]
    fn a_process_that_was_down_leaves_a_gap() {
        let mut before = ledger(None, 0);
        before.succeeded(at(10), &Success::default());
        let mut after = ledger(Some(before.coverage().clone()), 500);
        after.succeeded(at(501), &Success::default());
        let gaps = &after.coverage().gaps;
        assert_eq!((gaps.len(), gaps[0].from, gaps[0].to), (1, at(10), Some(at(501))));
        after.succeeded(at(900), &Success::default());
        assert_eq!(after.coverage().gaps.len(), 1, "a quiet source that answers has no gap");
    }

    #[test]
    fn an_outage_that_ends_after_one_long_pause_is_a_gap_as_well() {
        let mut ledger = ledger(None, 0);
        ledger.succeeded(at(0), &Success::default());
        let busy = SourceFault::RateLimited { detail: "429".to_owned(), retry_after: None };
        ledger.failed(at(30), &Failure::from(&busy));
        ledger.succeeded(at(150), &Success::default());
        let gap =
            Gap { from: at(0), to: Some(at(150)), why: GapReason::RateLimit, caught_up: true };
        assert_eq!(ledger.coverage().gaps, [gap]);
        ledger.succeeded(at(900), &Success::default());
        assert_eq!(ledger.coverage().gaps.len(), 1);
    }

    #[test]
    fn a_quick_restart_leaves_none() {
        let mut before = ledger(None, 0);
        before.succeeded(at(10), &Success::default());
        let mut after = ledger(Some(before.coverage().clone()), 20);
        after.succeeded(at(21), &Success::default());
        assert!(after.coverage().gaps.is_empty());
    }

    #[test]
    fn a_gap_that_the_source_tells_twice_is_one() {
        let mut ledger = ledger(None, 0);
        let notice = Notice::Gap { from: at(0), to: at(5), why: GapReason::ClampedCursor };
        let success = Success { notices: vec![notice], ..Success::default() };
        ledger.succeeded(at(10), &success);
        ledger.succeeded(at(11), &success);
        assert_eq!(ledger.coverage().gaps.len(), 1);
        assert!(!ledger.coverage().gaps[0].caught_up);
    }

    #[test]
    fn an_expired_token_opens_a_gap_at_once() {
        let mut ledger = ledger(None, 0);
        ledger.succeeded(at(0), &Success::default());
        let expired = Failure::from(&SourceFault::Unauthorised("expired".to_owned()));
        ledger.stopped(at(1), &expired);
        assert_eq!(ledger.coverage().gaps[0].why, GapReason::Unauthorised);
        assert_eq!(ledger.coverage().state, CoverageState::Stopped);
    }

    #[test]
    fn gaps_are_bounded_and_the_oldest_go() {
        let mut ledger = ledger(None, 0);
        for n in 0..300 {
            let notice = Notice::Gap { from: at(n), to: at(n + 1), why: GapReason::Window };
            ledger.succeeded(at(n), &Success { notices: vec![notice], ..Success::default() });
        }
        assert_eq!(ledger.coverage().gaps.len(), GAPS);
        assert_eq!(ledger.coverage().gaps[0].from, at(100));
    }
}
