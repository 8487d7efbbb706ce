//! The role `alert`: watches the store for incidents.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use echolot_alert::{Rule, watcher::Watcher};
use echolot_brands::book::{Alerts, Sensitivity};
use echolot_pipeline::{admin, leader};
use echolot_schemas::topics;
use echolot_store::Store;

use crate::{process::Process, roles, settings::Settings};

/// The group that elects who watches.
const GROUP: &str = "alert";

/// Watches until cancelled. Of several processes one acts, the others wait for it to go.
pub(crate) async fn alert(process: Process) -> anyhow::Result<()> {
    let settings = &process.settings;
    admin::ensure_topics(&settings.kafka).await?;
    let leads = leader::lead(&settings.kafka, GROUP, &topics::ALERTS, process.cancel.clone())?;
    let watcher = Watcher {
        store: Store::new(&settings.clickhouse)?,
        producer: process.producer("alert.producer")?,
        kafka: settings.kafka.clone(),
        settings: settings.alert.clone(),
        rules: rules(settings)?,
        metrics: process.metrics.alert.clone(),
        health: process.board.part(roles::part::ALERT),
        leads,
        clock: now,
    };
    Ok(watcher.run(process.cancel.clone()).await?)
}

/// Every brand that is watched, with its rule: that of the settings, as the brand's file changes it.
pub(crate) fn rules(settings: &Settings) -> anyhow::Result<Vec<(String, Rule)>> {
    let (_, brands) = roles::brands(settings).context("alert: brands")?;
    let set = brands.present();
    let watched = set.book().brands().iter().filter(|brand| brand.alerts.enabled);
    Ok(watched
        .map(|brand| (brand.name.clone(), rule(&settings.alert.rule, &brand.alerts)))
        .collect())
}

fn rule(base: &Rule, brand: &Alerts) -> Rule {
    let factor = match brand.sensitivity {
        Sensitivity::Low => 0.2,
        Sensitivity::Normal => 1.0,
        Sensitivity::High => 5.0,
    };
    Rule { budget: base.budget * factor, min_mentions: brand.min_mentions, ..base.clone() }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
