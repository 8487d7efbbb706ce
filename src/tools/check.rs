//! `echolot check`: is the configuration right, and does everything it names answer?

use std::{process::ExitCode, time::Duration};

use clap::Args;
use echolot_enrich::enricher::Enricher;
use echolot_pipeline::{clock::Clock, reader::LogReader};
use echolot_schemas::topics;
use echolot_store::Store;
use serde::Serialize;

use crate::{process::Process, roles, settings::Settings, tools::print};

/// How long one check may take.
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Prints one JSON object a check.
    #[arg(long)]
    json: bool,
    /// Checks the configuration alone, without connecting anywhere.
    #[arg(long)]
    offline: bool,
}

#[derive(Serialize)]
struct Finding {
    check: &'static str,
    ok: bool,
    detail: String,
}

impl Finding {
    fn of(check: &'static str, outcome: anyhow::Result<String>) -> Self {
        match outcome {
            Ok(detail) => Self { check, ok: true, detail },
            Err(error) => Self { check, ok: false, detail: format!("{error:#}") },
        }
    }
}

pub(crate) async fn run(settings: Settings, args: CheckArgs) -> anyhow::Result<ExitCode> {
    // That it was loaded means that it is valid: `Settings::load` reports every problem.
    let mut findings = vec![
        Finding::of("configuration", Ok("valid".to_owned())),
        Finding::of("enrich", enrich(&settings)),
        Finding::of("privacy", settings.author_key().map(|_| "author key is there".to_owned())),
    ];
    if !args.offline {
        findings.push(Finding::of("kafka", kafka(&settings).await));
        findings.push(Finding::of("clickhouse", clickhouse(&settings).await));
    }
    for finding in &findings {
        if args.json {
            print(serde_json::to_string(finding)?);
        } else {
            let mark = if finding.ok { "ok  " } else { "FAIL" };
            print(format!("{mark} {:<14} {}", finding.check, finding.detail));
        }
    }
    let all_ok = findings.iter().all(|finding| finding.ok);
    Ok(if all_ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Brand files and models load.
fn enrich(settings: &Settings) -> anyhow::Result<String> {
    let process = Process::new(settings.clone())?;
    let (_, brands) = roles::brands(settings)?;
    let count = brands.present().book().brands().len();
    let pseudonymise = roles::pseudonymise(settings)?;
    let metrics = process.metrics.enrich;
    Enricher::built_in(&settings.enrich, brands, pseudonymise, metrics, Clock::system())?;
    Ok(format!("models load, and {count} brands"))
}

async fn kafka(settings: &Settings) -> anyhow::Result<String> {
    if settings.kafka.brokers.is_empty() {
        return Ok("embedded: started by `echolot up`".to_owned());
    }
    let kafka = settings.kafka.clone();
    let partitions = tokio::task::spawn_blocking(move || {
        LogReader::connect(&kafka, "check")?.extents(&topics::RAW).map(|extents| extents.len())
    });
    let found = tokio::time::timeout(PATIENCE * 2, partitions).await???;
    Ok(match found {
        0 => "answers; topics will be created by `echolot migrate` or the first role".to_owned(),
        found => format!("answers; mentions.raw has {found} partitions"),
    })
}

async fn clickhouse(settings: &Settings) -> anyhow::Result<String> {
    if settings.clickhouse.url.is_empty() {
        return Ok("embedded: started by `echolot up`".to_owned());
    }
    tokio::time::timeout(PATIENCE, Store::new(&settings.clickhouse)?.ping()).await??;
    Ok("answers".to_owned())
}
