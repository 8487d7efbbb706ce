//! `echolot query`: an analyst's question to the store, within caps on time and memory.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use bytesize::ByteSize;
use clap::Args;
use echolot_store::{ReaderLimits, Store, StoreError};

use crate::{engines::Engines, settings::Settings, tools::log_engine};

/// Longest statement, in bytes.
const LONGEST: u64 = 256 << 10;

#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    /// A statement, such as `SELECT brand, sum(mentions) FROM sentiment_by_day GROUP BY brand`; - reads
    /// it from standard input.
    sql: String,
    /// One JSON object a row.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// CSV with a line of column names.
    #[arg(long)]
    csv: bool,
    /// How long it may take, up to 5m.
    #[arg(long, default_value = "1m", value_parser = humantime::parse_duration)]
    timeout: Duration,
    /// Memory it may take on the store's server; dashboard.memory unless given.
    #[arg(long)]
    memory: Option<ByteSize>,
}

pub(crate) async fn run(mut settings: Settings, args: QueryArgs) -> anyhow::Result<ExitCode> {
    let times = Duration::from_secs(1)..=Duration::from_mins(5);
    ensure!(times.contains(&args.timeout), "--timeout must be 1s to 5m");
    let sql = statement(&args.sql)?;
    let engines = Engines::reach(&mut settings, log_engine).await?;
    let outcome = answer(&settings, &args, &sql).await;
    engines.stop().await;
    outcome.map(|()| ExitCode::SUCCESS)
}

/// The statement without the semicolon at its end, which the server takes for a second statement.
fn statement(given: &str) -> anyhow::Result<String> {
    let mut sql = given.to_owned();
    if given == "-" {
        sql.clear();
        std::io::stdin()
            .take(LONGEST + 1)
            .read_to_string(&mut sql)
            .context("cannot read the statement from standard input")?;
    }
    ensure!(sql.len() as u64 <= LONGEST, "a statement may have at most {LONGEST} bytes");
    let sql = sql.trim().trim_end_matches(';').trim_end();
    ensure!(!sql.is_empty(), "the statement is empty");
    Ok(sql.to_owned())
}

async fn answer(settings: &Settings, args: &QueryArgs, sql: &str) -> anyhow::Result<()> {
    let dashboard = &settings.dashboard;
    if dashboard.user.is_empty() {
        bail!(
            "dashboard.user must name a user of the store that only reads; \
             docker/clickhouse/users.d shows how to make one"
        );
    }
    let memory = args.memory.unwrap_or(dashboard.memory);
    let limits = ReaderLimits {
        timeout: args.timeout,
        memory_bytes: memory.as_u64(),
        threads: dashboard.threads,
        // As many as there are: they are handed on as they come.
        rows: 0,
    };
    let store = Store::reader(&settings.clickhouse, &dashboard.login(), limits)?;
    let (format, how): (_, &[_]) = match (args.json, args.csv) {
        (true, _) => ("JSONEachRow", &[("output_format_json_quote_64bit_integers", "0")]),
        (_, true) => ("CSVWithNames", &[]),
        _ => (
            "PrettyCompactMonoBlock",
            &[
                ("output_format_pretty_color", "0"),
                ("output_format_pretty_row_numbers", "0"),
                ("output_format_pretty_max_column_name_width_cut_to", "0"),
            ],
        ),
    };
    let told = |error: StoreError| match advice(&error) {
        Some(advice) => anyhow::Error::new(error).context(advice),
        None => error.into(),
    };
    let mut answer = store.answer(sql, format, how).map_err(told)?;
    let mut out = std::io::stdout().lock();
    while let Some(piece) = answer.next().await.map_err(told)? {
        match out.write_all(piece.as_ref()) {
            // A closed pipe is the reader's choice.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            written => written.context("cannot write the answer")?,
        }
    }
    Ok(())
}

/// What would let the statement through.
fn advice(error: &StoreError) -> Option<&'static str> {
    match error {
        StoreError::Timeout { .. } | StoreError::Server { code: 159, .. } => {
            Some("it took too long: a shorter period is faster, --timeout gives it up to 5m")
        }
        StoreError::Server { code: 241, .. } => {
            Some("it needs more memory than it may take: group less finely, or raise --memory")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_goes_without_its_last_semicolon() -> anyhow::Result<()> {
        assert_eq!(statement(" SELECT ';' ;; \n")?, "SELECT ';'");
        Ok(())
    }

    #[test]
    fn an_empty_or_endless_statement_is_refused() {
        let long = "x".repeat(300 << 10);
        for sql in ["", " ; ", &long] {
            assert!(statement(sql).is_err(), "{} bytes", sql.len());
        }
    }
}
