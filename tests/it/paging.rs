//! From an incident in the data to whoever is told, through Debian's own Prometheus and Alertmanager
//! with the shipped rules and configuration.

use std::{
    path::Path,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Context;
use echolot_harness::{
    RoleName,
    letterbox::{Letter, Letterbox},
    pager::{Alertmanager, Prometheus},
    wait::eventually,
};
use echolot_schemas::topics;
use serde_json::{Value, json};

use crate::{
    incidents::{self, DAYS, Town, this_minute},
    setup::{PATIENCE, pipeline},
};

const DOCKER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docker");
/// From the first complaint to the message.
const WITHIN: Duration = Duration::from_mins(1);

/// Waits for second 48 of a minute, so that a burst lies in one.
async fn until_the_minute_ends() -> anyhow::Result<()> {
    let second = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() % 60;
    tokio::time::sleep(Duration::from_secs((48 + 60 - second) % 60)).await;
    Ok(())
}

fn by_way(letterbox: &Letterbox, way: &str) -> Option<Letter> {
    letterbox.letters().into_iter().find(|letter| letter.way == way)
}

#[tokio::test]
async fn an_incident_is_told_to_the_team_within_a_minute() -> anyhow::Result<()> {
    let pipeline = pipeline("paging").await?;
    let roles = pipeline.start().await?;
    let mut town = Town::new("Tramio", 23);
    let now = this_minute()?;
    incidents::push(&pipeline, &town.ordinary(now - DAYS * 1440, now - 5)).await?;
    pipeline.assert_law().await?;
    let watcher = pipeline.role(RoleName::Alert, &[]).await?;

    let letterbox = Letterbox::open().await?;
    let folder = pipeline.folder().to_owned();
    let docker = Path::new(DOCKER);
    let alertmanager = Alertmanager::start(docker, &folder, &letterbox, &[]).await?;
    let jobs = [
        ("ingest", roles.ingest.telemetry()),
        ("enrich", roles.enrich.telemetry()),
        ("sink", roles.sink.telemetry()),
        ("alert", watcher.telemetry()),
    ];
    let prometheus = Prometheus::start(docker, &folder, alertmanager.address, &jobs).await?;
    eventually("the watcher is scraped and calm", PATIENCE, || async {
        let calm = "echolot_alert_state{brand=\"tramio\"} == 1 and on (brand) echolot:alert_severity:max == 0";
        Ok(prometheus.has(calm).await?.then_some(()))
    })
    .await
    .with_context(|| prometheus.tail())?;
    assert!(by_way(&letterbox, "/brands").is_none(), "{:?}", letterbox.letters());

    until_the_minute_ends().await?;
    let began = Instant::now();
    let step = |what: &str| println!("{:5.1} s  {what}", began.elapsed().as_secs_f64());
    let burst = town.complaints(this_minute()?, 60);
    incidents::push(&pipeline, &burst).await?;
    step("60 complaints are pushed, scored and stored");
    eventually("the watcher tells", WITHIN, || async {
        Ok((!pipeline.log.records(topics::ALERTS).await?.is_empty()).then_some(()))
    })
    .await?;
    step("the watcher noted the incident");
    eventually("the alert fires", WITHIN, || async {
        let firing = "ALERTS{alertname=\"EcholotNegativeIncidentCritical\",alertstate=\"firing\"}";
        Ok(prometheus.has(firing).await?.then_some(()))
    })
    .await?;
    step("the alert fires in Prometheus");
    let letter =
        eventually("the webhook is called", WITHIN, || async { Ok(by_way(&letterbox, "/brands")) })
            .await
            .with_context(|| alertmanager.tail())?;
    step("the webhook of the brand team is called");
    assert!(letter.at - began < WITHIN, "after {:?}", letter.at - began);
    let message: Value = serde_json::from_str(&letter.text)?;
    println!("{message:#}");
    assert_eq!(message["receiver"], "brand-team");
    assert_eq!(message["groupLabels"], json!({"brand": "tramio", "pipeline": "echolot"}));
    // The milder alert on the same brand is inhibited.
    let alerts = message["alerts"].as_array().context("no alerts")?;
    assert_eq!(alerts.len(), 1, "{message:#}");
    let alert = &alerts[0];
    assert_eq!(alert["labels"]["alertname"], "EcholotNegativeIncidentCritical");
    assert_eq!(alert["labels"]["severity"], "critical");
    assert_eq!(alert["annotations"]["summary"], "A wave of negative mentions of tramio");
    assert_eq!(alert["annotations"]["summary_de"], "Eine Welle negativer Erwähnungen von tramio");
    let runbook = alert["annotations"]["runbook_url"].as_str().unwrap_or_default();
    assert_eq!(runbook, "docs/RUNBOOK.md#echolotnegativeincidentcritical");
    let stranger = letterbox.letters().into_iter().find(|letter| letter.way != "/brands");
    assert!(stranger.is_none(), "{stranger:?}");
    pipeline.assert_law().await?;
    Ok(())
}

#[tokio::test]
async fn messages_to_people_are_in_german_and_english() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let letterbox = Letterbox::open().await?;
    let told = ["brand-team-mail", "brand-team-slack", "brand-team-teams"];
    let alertmanager =
        Alertmanager::start(Path::new(DOCKER), folder.path(), &letterbox, &told).await?;
    let labels = json!({"alertname": "EcholotNegativeIncidentCritical", "severity": "critical",
        "audience": "brand", "brand": "tramio", "pipeline": "echolot"});
    let annotations = json!({
        "summary": "A wave of negative mentions of tramio",
        "summary_de": "Eine Welle negativer Erwaehnungen von tramio",
        "description": "Somebody should answer now.",
        "description_de": "Jetzt sollte jemand antworten.",
        "runbook_url": "docs/RUNBOOK.md#echolotnegativeincidentcritical",
    });
    alertmanager.fire(&labels, &annotations).await?;
    let letters = eventually("all three are told", PATIENCE, || async {
        Ok(Some(letterbox.letters()).filter(|letters| letters.len() >= 3))
    })
    .await
    .with_context(|| alertmanager.tail())?;
    let mails: Vec<&str> =
        letters.iter().filter(|one| one.way == "mail").map(|one| one.text.as_str()).collect();
    assert_eq!(mails.len(), 2, "{letters:?}");
    let slack = letters.iter().find(|one| one.way == "/slack").context("nothing for Slack")?;
    let slack: Value = serde_json::from_str(&slack.text)?;
    let part = &slack["attachments"][0];
    assert_eq!(part["title"], "Dringend: Eine Welle negativer Erwaehnungen von tramio");
    assert_eq!(part["color"], "danger");
    let text = part["text"].as_str().unwrap_or_default();
    assert!(text.contains("Jetzt sollte jemand antworten."), "{slack}");
    for mail in &mails {
        assert!(mail.contains("Subject: Dringend: Eine Welle"), "{mail}");
        for text in
            ["Jetzt sollte jemand antworten.", "Somebody should answer now.", "Urgent: A wave"]
        {
            assert!(mail.contains(text), "{text} is missing: {mail}");
        }
    }
    for to in ["To: brand-team@example.com", "To: channel.example@emea.teams.ms"] {
        assert!(mails.iter().any(|mail| mail.contains(to)), "nothing to {to}: {mails:?}");
    }
    Ok(())
}
