//! From firing tests to one incident: opening, growing, calming down, and not again at once.

use crate::{
    incident::{Change, Evidence, Phase, Severity},
    rule::{Kind, Rule},
};

/// What the tests say of a minute.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    /// At least one window fires; the least likely one.
    Fires(Evidence),
    /// None fires, but what made the incident fire is still unusual.
    Unusual(Evidence),
    /// Nothing unusual.
    Calm,
    /// No test could be made in this minute.
    Unknown,
}

#[derive(Clone, Debug)]
pub(crate) struct Open {
    pub(crate) since: i64,
    from: i64,
    step: u32,
    severity: Severity,
    evidence: Evidence,
    /// What it must double to escalate.
    reference: f64,
    peak: f64,
    calm: u32,
}

/// The state of one kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    pub(crate) open: Option<Open>,
    /// Minute of the last closing, and the peak then.
    closed: Option<(i64, f64, u32)>,
}

impl Open {
    /// The window to judge calm by.
    pub(crate) const fn window(&self) -> u32 {
        self.evidence.window
    }

    pub(crate) const fn severity(&self) -> Severity {
        self.severity
    }

    fn change(&self, kind: Kind, phase: Phase, at: i64, evidence: Evidence) -> Change {
        Change {
            kind,
            phase,
            at,
            opened_at: self.since,
            from: self.from,
            step: self.step,
            severity: self.severity,
            evidence,
            peak: self.peak,
        }
    }
}

impl Watch {
    /// Takes the verdict of a minute; tells what changed.
    pub(crate) fn step(
        &mut self,
        kind: Kind,
        rule: &Rule,
        at: i64,
        verdict: Verdict,
    ) -> Option<Change> {
        let Some(open) = &mut self.open else {
            let Verdict::Fires(evidence) = verdict else { return None };
            return self.begin(kind, rule, at, evidence);
        };
        if let Verdict::Fires(evidence) | Verdict::Unusual(evidence) = verdict {
            open.calm = 0;
            // Counts of unlike windows cannot be compared: only the same or a longer one grows it.
            if evidence.window == open.evidence.window {
                open.peak = open.peak.max(evidence.observed);
            }
        } else if matches!(verdict, Verdict::Calm) {
            open.calm += 1;
        }
        if at - open.since >= i64::from(rule.longest_hours) * 60 || open.calm >= rule.calm_minutes {
            return self.end(kind, at);
        }
        let Verdict::Fires(evidence) = verdict else { return None };
        // Nothing cannot double: a silence lasts, it does not grow.
        let grew = kind != Kind::Silence
            && evidence.observed >= open.reference * rule.escalation
            && evidence.window >= open.evidence.window.min(60)
            && evidence.observed >= open.peak;
        if !grew {
            return None;
        }
        open.reference = evidence.observed;
        open.peak = open.peak.max(evidence.observed);
        open.step += 1;
        open.evidence = evidence;
        let severity = Severity::of(evidence.observed, evidence.expected, evidence.chance);
        open.severity = open.severity.max(severity);
        Some(open.change(kind, Phase::Escalated, at, evidence))
    }

    fn begin(&mut self, kind: Kind, rule: &Rule, at: i64, evidence: Evidence) -> Option<Change> {
        if let Some((closed, peak, window)) = self.closed
            && at - closed < i64::from(rule.refractory_minutes).max(i64::from(window))
            && (kind == Kind::Silence || evidence.observed < peak * rule.escalation)
        {
            return None;
        }
        let open = Open {
            since: at,
            from: at - i64::from(evidence.window) + 1,
            step: 0,
            severity: Severity::of(evidence.observed, evidence.expected, evidence.chance),
            evidence,
            reference: evidence.observed,
            peak: evidence.observed,
            calm: 0,
        };
        let change = open.change(kind, Phase::Opened, at, evidence);
        self.open = Some(open);
        Some(change)
    }

    /// Closes what is open.
    pub(crate) fn end(&mut self, kind: Kind, at: i64) -> Option<Change> {
        let open = self.open.take()?;
        self.closed = Some((at, open.peak, open.evidence.window));
        Some(open.change(kind, Phase::Closed, at, open.evidence))
    }
}
