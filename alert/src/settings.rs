//! `[alert]`.

use std::time::Duration;

use echolot_pipeline::settings::Problems;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::rule::Rule;

/// `[alert]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertSettings {
    /// IANA name of the zone whose clock people live by.
    pub time_zone: String,
    /// How often new minutes are judged.
    #[serde(with = "humantime_serde")]
    pub tick: Duration,
    /// How long after its end a minute may still fill up.
    #[serde(with = "humantime_serde")]
    pub lateness: Duration,
    /// How far back history is read at start.
    #[serde(with = "humantime_serde")]
    pub history: Duration,
    /// What counts as an incident.
    pub rule: Rule,
}

impl AlertSettings {
    /// The time zone; UTC where its name is unknown, which `validate` has told.
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }

    /// Notes everything wrong with these settings.
    pub fn validate(&self, problems: &mut Problems) {
        let mut check = |ok, name: &str, message: &str| {
            problems.check(ok, &format!("alert.{name}"), message);
        };
        check(
            TimeZone::get(&self.time_zone).is_ok(),
            "time_zone",
            "must be an IANA name, such as Europe/Berlin",
        );
        let ticks = Duration::from_millis(100)..=Duration::from_mins(10);
        check(ticks.contains(&self.tick), "tick", "must be 100ms to 10m");
        check(self.lateness <= Duration::from_hours(6), "lateness", "must be at most 6h");
        let days = Duration::from_hours(24)..=Duration::from_hours(24 * 400);
        check(days.contains(&self.history), "history", "must be 1d to 400d");
        let rule = &self.rule;
        check(
            rule.budget > 0.0 && rule.budget <= 10.0,
            "rule.budget",
            "must be above 0, at most 10",
        );
        check(rule.min_ratio >= 1.0, "rule.min_ratio", "must be at least 1");
        check(
            rule.share_chance > 0.0 && rule.share_chance < 1.0,
            "rule.share_chance",
            "must be above 0 and below 1",
        );
        check(rule.share_ratio >= 1.0, "rule.share_ratio", "must be at least 1");
        check(rule.share_firmness >= 1.0, "rule.share_firmness", "must be at least 1");
        check(rule.escalation > 1.0, "rule.escalation", "must be above 1");
        check(rule.calm_minutes > 0, "rule.calm_minutes", "must be at least 1");
        check(rule.longest_hours > 0, "rule.longest_hours", "must be at least 1");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> AlertSettings {
        #[derive(Deserialize)]
        struct Sections {
            alert: AlertSettings,
        }
        toml::from_str::<Sections>(include_str!("../default.toml")).unwrap().alert
    }

    #[test]
    fn the_shipped_settings_are_the_defaults_of_the_rule_and_have_no_problem() {
        let mut problems = Problems::default();
        shipped().validate(&mut problems);
        assert_eq!(problems.into_vec(), []);
        assert_eq!(shipped().rule, Rule::default());
    }

    #[test]
    fn every_wrong_option_is_told() {
        let mut wrong = shipped();
        wrong.time_zone = "Nowhere".to_owned();
        wrong.rule.budget = 0.0;
        let mut problems = Problems::default();
        wrong.validate(&mut problems);
        let paths: Vec<String> = problems.into_vec().into_iter().map(|p| p.path).collect();
        assert_eq!(paths, ["alert.time_zone", "alert.rule.budget"]);
    }
}
