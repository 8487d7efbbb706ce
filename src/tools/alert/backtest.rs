//! `echolot alert backtest`: the watcher's own detector over history.

use std::{fs, path::PathBuf, process::ExitCode, time::Instant};

use anyhow::{Context, bail};
use clap::Args;
use echolot_alert::{Minute, Rule, backtest, chart, coverage::Coverage, history};
use echolot_store::Store;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use crate::{
    engines::Engines,
    roles,
    settings::Settings,
    tools::{log_engine, print, table},
};

/// Replays the detector over the past: `--set rule.budget=1` tries another rule.
#[derive(Debug, Args)]
pub(crate) struct BacktestArgs {
    /// Options of the rule that the command line sets: they go over the brand's file.
    #[arg(skip)]
    pub(super) tried: Vec<String>,
    /// Brand, as its file names it.
    #[arg(long)]
    brand: String,
    /// First day or time (UTC); everything before it is learned from. Default: all there is.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Last time (UTC).
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Times at which people say that something happened: tells how much earlier the alert was.
    #[arg(long, value_name = "TIME")]
    mark: Vec<String>,
    /// Writes a chart: series, expectation band, incidents.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(mut settings: Settings, args: BacktestArgs) -> anyhow::Result<ExitCode> {
    let engines = Engines::reach(&mut settings, log_engine).await?;
    let outcome = replay(&mut settings, &args).await;
    engines.stop().await;
    outcome.map(|()| ExitCode::SUCCESS)
}

async fn replay(settings: &mut Settings, args: &BacktestArgs) -> anyhow::Result<()> {
    if settings.enrich.brands.is_empty() && settings.own_brands().exists() {
        settings.use_own_brands();
    }
    let rules = roles::alert::rules(settings)?;
    let Some((brand, rule)) = rules.iter().find(|(name, _)| *name == args.brand) else {
        let known: Vec<&str> = rules.iter().map(|(name, _)| name.as_str()).collect();
        bail!("no brand {:?} is watched; there are: {}", args.brand, known.join(", "));
    };
    let rule = &tried(rule, &settings.alert.rule, &args.tried);
    let store = Store::new(&settings.clickhouse)?;
    let Some((first, last)) = history::extent(&store).await? else {
        bail!("the store holds no mentions yet");
    };
    let from = args.from.as_deref().map_or(Ok(first), minute)?.max(first);
    let to = args.to.as_deref().map_or(Ok(last), minute)?;
    let marks = args.mark.iter().map(|at| minute(at)).collect::<anyhow::Result<Vec<i64>>>()?;
    let started = Instant::now();
    let minutes: Vec<Minute> = history::minutes(&store, Some(brand), first, to + 1)
        .await?
        .into_iter()
        .map(|(_, minute)| minute)
        .collect();
    let gaps = Coverage::load(&store, (first, to)).await?.of(brand);
    let read = started.elapsed();
    let judging = Instant::now();
    let zone = settings.alert.zone();
    let found = backtest::run(brand, rule, zone, (&minutes, gaps), (from, to), &marks);
    let judged = judging.elapsed();
    if let Some(path) = &args.svg {
        fs::write(path, chart::svg(&found))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    if args.json {
        print(serde_json::to_string_pretty(&found)?);
        return Ok(());
    }
    let mut rows = table([
        "opened (UTC)",
        "closed",
        "kind",
        "severity",
        "window",
        "observed",
        "expected",
        "share",
        "chance",
        "escalations",
        "before mark",
    ]);
    for incident in &found.incidents {
        let evidence = &incident.opening.evidence;
        rows.add_row([
            shown(incident.opened_at),
            incident.closed_at.map_or_else(|| "open".to_owned(), shown),
            incident.kind.as_str().to_owned(),
            incident.severity.as_str().to_owned(),
            format!("{} min", evidence.window),
            format!("{:.0}", evidence.observed),
            format!("{:.1}", evidence.expected),
            format!(
                "{:.0} % (usual {:.0} %)",
                100.0 * evidence.share,
                100.0 * evidence.usual_share
            ),
            format!("{:.1e}", evidence.chance),
            incident.escalations.to_string(),
            incident.ahead_of_mark.map_or_else(String::new, |minutes| format!("{minutes} min")),
        ]);
    }
    print(rows.to_string());
    print(format!(
        "{} incident(s) of {brand} from {} to {}; {} minutes with mentions read in {:.2} s, {} judged in {:.2} s",
        found.incidents.len(),
        shown(from),
        shown(to),
        minutes.len(),
        read.as_secs_f64(),
        to - first + 1,
        judged.as_secs_f64(),
    ));
    if let Some(unmarked) = found.unmarked_a_week {
        print(format!("incidents without a mark within a day: {unmarked:.2} a week"));
    }
    Ok(())
}

/// The brand's rule, but for what its file changes and the command line sets.
fn tried(brand: &Rule, set: &Rule, tried: &[String]) -> Rule {
    let mut rule = brand.clone();
    if tried.iter().any(|option| option == "budget") {
        rule.budget = set.budget;
    }
    if tried.iter().any(|option| option == "min_mentions") {
        rule.min_mentions = set.min_mentions;
    }
    rule
}

/// Minutes since 1970 of `2026-06-10`, `2026-06-10T14:00` or a time with a zone.
fn minute(text: &str) -> anyhow::Result<i64> {
    let instant = if let Ok(instant) = text.parse::<Timestamp>() {
        instant
    } else {
        let local: DateTime =
            text.parse().with_context(|| format!("{text:?} is no time; write 2026-06-10T14:00"))?;
        TimeZone::UTC.to_timestamp(local)?
    };
    Ok(instant.as_second().div_euclid(60))
}

fn shown(minute: i64) -> String {
    Timestamp::from_second(minute * 60)
        .map(|at| at.strftime("%Y-%m-%d %H:%M").to_string())
        .unwrap_or_default()
}
