//! What the store holds, told in tables: the first thing that a new user sees.

use std::time::Duration;

use anyhow::Context;
use clickhouse::Row;
use comfy_table::{CellAlignment, Table};
use echolot_schemas::topics;
use echolot_sink::generations;
use echolot_store::Store;
use serde::Deserialize;

use crate::{process::Process, progress, roles, tools};

/// Waits, with bars, until all that is on the log is enriched and counted.
pub(super) async fn until_counted(process: &Process) -> anyhow::Result<()> {
    progress::until_caught_up(process, topics::RAW, roles::ENRICH_GROUP, "enrich").await?;
    let store = Store::new(&process.settings.clickhouse)?;
    let generation = generations::promoted(&store).await?.context("the sink made no generation")?;
    let group = roles::sink_group(generation);
    progress::until_caught_up(process, topics::ENRICHED, &group, "count").await
}

#[derive(Row, Deserialize)]
struct Totals {
    mentions: u64,
    first: String,
    last: String,
}

#[derive(Row, Deserialize)]
struct LanguageRow {
    language: String,
    mentions: u64,
}

#[derive(Row, Deserialize)]
struct BrandRow {
    brand: String,
    mentions: u64,
    negative: u64,
    neutral: u64,
    positive: u64,
    net: f64,
}

/// Over all mentions and over those of each brand, from the counts that dashboards read.
const BRANDS: &str = "SELECT brand, m AS mentions, n AS negative, u AS neutral, p AS positive, \
    s / m AS net \
    FROM (SELECT brand, sum(mentions) AS m, sum(negative) AS n, sum(neutral) AS u, \
        sum(positive) AS p, sum(net_sentiment * mentions) AS s FROM sentiment_by_day GROUP BY brand) \
    WHERE m > 0 ORDER BY brand = '*', brand = '', m DESC LIMIT 30";

const LANGUAGES: &str = "SELECT language, count() AS mentions FROM mentions GROUP BY language \
    ORDER BY mentions DESC LIMIT 12";

const TOTALS: &str = "SELECT count() AS mentions, toString(toDate(min(published_at))) AS first, \
    toString(toDate(max(published_at))) AS last FROM mentions";

#[derive(Row, Deserialize)]
struct Freshness {
    p50: f64,
    p99: f64,
}

const FRESHNESS: &str = "SELECT quantile(0.5)(seconds) AS p50, quantile(0.99)(seconds) AS p99 FROM \
    (SELECT date_diff('millisecond', observed_at, stored_at) / 1000 AS seconds FROM score_provenance)";

/// The summary, from the published views alone. `read` mentions were new and took `took`.
pub(super) async fn of(process: &Process, read: u64, took: Duration) -> anyhow::Result<String> {
    let client = Store::plain_client(&process.settings.clickhouse)?;
    let totals: Totals = client.query(TOTALS).fetch_one().await.context("reading the totals")?;
    if totals.mentions == 0 {
        return Ok("the store is empty: push mentions or run `echolot backfill FILE`".to_owned());
    }
    let languages: Vec<LanguageRow> =
        client.query(LANGUAGES).fetch_all().await.context("reading the languages")?;
    let brands: Vec<BrandRow> =
        client.query(BRANDS).fetch_all().await.context("reading the brands")?;
    let languages: Vec<String> =
        languages.iter().map(|row| format!("{} {}", row.language, row.mentions)).collect();
    let mut lines = vec![
        format!("\n{} mentions from {} to {}", totals.mentions, totals.first, totals.last),
        format!("languages  {}", languages.join(", ")),
        brand_table(&brands).to_string(),
    ];
    if read > 0 {
        let rate = read as f64 / took.as_secs_f64();
        lines.push(format!("throughput {rate:.0} mentions/s, from file to count"));
    }
    let Freshness { p50, p99 } =
        client.query(FRESHNESS).fetch_one().await.context("reading the freshness")?;
    lines.push(format!(
        "freshness  half stored within {p50:.2} s of being accepted, 99 % within {p99:.2} s"
    ));
    Ok(lines.join("\n"))
}

fn brand_table(brands: &[BrandRow]) -> Table {
    let mut table =
        tools::table(["brand", "mentions", "negative", "neutral", "positive", "net sentiment"]);
    for row in brands {
        let name = match row.brand.as_str() {
            "*" => "all mentions",
            "" => "(no brand)",
            name => name,
        };
        let share =
            |count: u64| format!("{count} ({:.0} %)", 100.0 * count as f64 / row.mentions as f64);
        table.add_row([
            name.to_owned(),
            row.mentions.to_string(),
            share(row.negative),
            share(row.neutral),
            share(row.positive),
            format!("{:+.2}", row.net),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
