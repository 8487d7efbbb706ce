//! `docs/metrics.md`: every metric that any crate registers.

use std::fmt::Write as _;

use anyhow::Context;
use echolot_alert::metrics::AlertMetrics;
use echolot_enrich::metrics::EnrichMetrics;
use echolot_ingest::metrics::IngestMetrics;
use echolot_pipeline::{
    brands::BrandMetrics,
    metrics::{ProducerMetrics, WorkerMetrics, catalogue},
};
use echolot_sink::SinkMetrics;

const HEAD: &str =
    "<!-- Generated from the metrics that the crates register, by `cargo xtask generate`. -->

# Metrics

Every role serves them on `/metrics` of `telemetry.listen`. Times are seconds, sizes bytes. Label
values are stages, verdicts, reasons and configured names (`other` for the rest), never authors,
addresses or text. A histogram has `_bucket`, `_sum` and `_count`.

| metric | type | labels | |
|---|---|---|---|
";

/// The page. All metrics share one registry, as in the binary, so that a name taken twice is told.
pub(super) fn render() -> anyhow::Result<String> {
    let metrics = catalogue(|registry| {
        WorkerMetrics::new(registry)?;
        ProducerMetrics::new(registry)?;
        BrandMetrics::new(registry)?;
        IngestMetrics::new(registry, [])?;
        EnrichMetrics::new(registry)?;
        SinkMetrics::new(registry)?;
        AlertMetrics::new(registry)?;
        Ok(())
    })
    .context("the metrics of all crates do not fit on one registry")?;
    let mut page = HEAD.to_owned();
    for metric in metrics {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let (name, kind, labels, help) =
            (metric.name, metric.kind, labels.join(", "), metric.help.replace('|', "\\|"));
        let _ = writeln!(page, "| `{name}` | {kind} | {labels} | {help} |");
    }
    Ok(page)
}
