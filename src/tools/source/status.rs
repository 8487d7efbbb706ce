//! `echolot source status`: the coverage ledger, as it stands on the log.

use std::{collections::BTreeMap, process::ExitCode};

use echolot_pipeline::{admin, clock, reader::LogReader};
use echolot_schemas::{
    Timestamp,
    coverage::{CoverageState, Gap, SourceCoverage},
    topics,
};

use crate::{
    engines::Engines,
    settings::Settings,
    tools::{log_engine, print, table},
};

pub(super) async fn run(mut settings: Settings, json: bool) -> anyhow::Result<ExitCode> {
    let engines = Engines::reach(&mut settings, log_engine).await?;
    let outcome = read(&settings).await;
    engines.stop().await;
    let sources = outcome?;
    if json {
        for source in &sources {
            print(serde_json::to_string(source)?);
        }
    } else {
        show(&sources);
    }
    let well = sources.iter().all(|source| source.state == CoverageState::Ok);
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn read(settings: &Settings) -> anyhow::Result<Vec<SourceCoverage>> {
    admin::ensure_topics(&settings.kafka).await?;
    let kafka = settings.kafka.clone();
    let newest = tokio::task::spawn_blocking(move || {
        let mut newest = BTreeMap::new();
        LogReader::connect(&kafka, "status")?.read_all(&topics::COVERAGE, |record| {
            let read = record.payload.map(serde_json::from_slice::<SourceCoverage>);
            if let Some(Ok(coverage)) = read {
                newest.insert(coverage.source.clone(), coverage);
            }
        })?;
        Ok::<_, anyhow::Error>(newest)
    });
    Ok(newest.await??.into_values().collect())
}

fn show(sources: &[SourceCoverage]) {
    if sources.is_empty() {
        print("no source has ever run: `echolot source list` shows what is configured");
        return;
    }
    let mut shown = table([
        "source",
        "state",
        "last success",
        "newest",
        "lag",
        "accepted",
        "rejected",
        "lost",
        "restarts",
    ]);
    let now = clock::now();
    let ago = |at: Option<Timestamp>| match at {
        Some(at) => format!("{} ago", span(now.seconds_since(at))),
        None => "never".to_owned(),
    };
    for source in sources {
        shown.add_row([
            source.source.to_string(),
            source.state.as_str().to_owned(),
            ago(source.last_success),
            ago(source.newest),
            source.lag_millis.map_or_else(String::new, |lag| span(lag as f64 / 1000.0)),
            source.accepted.to_string(),
            source.rejected.to_string(),
            source.lost.to_string(),
            source.restarts.to_string(),
        ]);
    }
    print(shown.to_string());
    for source in sources {
        if let Some(detail) = &source.detail {
            print(format!("{}: {detail}", source.source));
        }
        for gap in &source.gaps {
            print(format!("{}: {}", source.source, tell(gap)));
        }
    }
}

fn tell(gap: &Gap) -> String {
    let until = gap.to.map_or_else(|| "now".to_owned(), |to| to.to_string());
    let left = if gap.caught_up { "caught up since" } else { "mentions may be missing" };
    format!("gap {} .. {until} ({}): {left}", gap.from, gap.why.as_str())
}

/// So many seconds in the unit that a person would choose.
fn span(seconds: f64) -> String {
    match seconds {
        ..120.0 => format!("{seconds:.0} s"),
        ..7_200.0 => format!("{:.0} min", seconds / 60.0),
        ..172_800.0 => format!("{:.0} h", seconds / 3_600.0),
        _ => format!("{:.0} d", seconds / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_the_unit_that_a_person_would_choose() {
        let told = [3.4, 119.0, 600.0, 7_200.0, 49_079_693.0].map(span);
        assert_eq!(told, ["3 s", "119 s", "10 min", "2 h", "568 d"]);
    }
}
