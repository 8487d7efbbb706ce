//! What a run found, for programs and for people.

use std::{collections::BTreeMap, path::Path};

use anyhow::Context;
use comfy_table::{CellAlignment, Table, presets::UTF8_BORDERS_ONLY};
use serde::Serialize;
use serde_json::Value;

use crate::phases::{
    drain::Drain, freshness::Freshness, python::Python, recovery::Recovery, throughput::Throughput,
};

/// `summary.json`. Figures of parts that were not run are `null`.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Summary {
    /// Mentions a second through the whole path, sustained.
    pub(crate) throughput_per_s: Option<f64>,
    /// Seconds until half of the mentions were visible in the aggregate.
    pub(crate) freshness_p50_s: Option<f64>,
    /// Seconds until 99 % of them were.
    pub(crate) freshness_p99_s: Option<f64>,
    /// Most memory in MiB of all roles together, without the engines.
    pub(crate) rss_mb: Option<f64>,
    /// Seconds from a `kill -9` until mentions are processed again, of the slowest role.
    pub(crate) recovery_s: Option<f64>,
    /// Seconds in which a backlog of a million was worked off; `null` for another backlog.
    pub(crate) drain_1m_s: Option<f64>,
    /// Throughput as a multiple of the plain Python pipeline's.
    pub(crate) python_ratio: Option<f64>,
    /// Throughput as a multiple of the Python pipeline's on compiled libraries.
    pub(crate) python_tuned_ratio: Option<f64>,
    /// True when `echolot audit` found nothing lost, doubled or miscounted in all of the run.
    pub(crate) audit_clean: Option<bool>,
    pub(crate) rss_peak_mb: BTreeMap<&'static str, f64>,
    pub(crate) throughput: Option<Throughput>,
    pub(crate) freshness: Option<Freshness>,
    pub(crate) recovery: Option<Recovery>,
    pub(crate) drain: Option<Drain>,
    pub(crate) python: Option<Python>,
    pub(crate) python_tuned: Option<Python>,
    /// What `echolot audit --json` said.
    pub(crate) audit: Option<Value>,
    /// Cores of the machine: everything ran on them together.
    pub(crate) cores: usize,
}

impl Summary {
    /// Takes the figures of the parts into the ones that are promised by name.
    pub(crate) fn fill(&mut self) {
        self.throughput_per_s = self.throughput.as_ref().map(|found| found.per_second);
        self.freshness_p50_s = self.freshness.as_ref().map(|found| found.p50_s);
        self.freshness_p99_s = self.freshness.as_ref().map(|found| found.p99_s);
        self.recovery_s = self.recovery.as_ref().map(Recovery::worst);
        let million = self.drain.as_ref().filter(|found| found.mentions == 1_000_000);
        self.drain_1m_s = million.map(|found| found.seconds);
        let ours = self.throughput_per_s;
        let times = |python: &Option<Python>| Some(ours? / python.as_ref()?.per_second);
        self.python_ratio = times(&self.python);
        self.python_tuned_ratio = times(&self.python_tuned);
    }

    /// Writes the summary as JSON.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let told = || format!("cannot write {}", path.display());
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(told)?;
        }
        std::fs::write(path, serde_json::to_vec_pretty(self)?).with_context(told)
    }

    /// The figures beside what they have to reach, then CPU and memory by process.
    pub(crate) fn to_table(&self) -> String {
        format!("{}\n{}", self.figures(), self.processes())
    }

    fn figures(&self) -> Table {
        let mut table = table(&["", "measured", "must reach", "aim"]);
        let mut row = |what: &str, value: Option<String>, must: &str, aim: &str| {
            if let Some(value) = value {
                table.add_row([what, &value, must, aim]);
            }
        };
        let rate = |value: f64| format!("{value:.0}/s");
        let seconds = |value: f64| format!("{value:.2} s");
        row("throughput", self.throughput_per_s.map(rate), "25000/s", "60000/s");
        if let Some(found) = &self.freshness {
            row(&format!("freshness p50 at {}/s", found.rate), Some(seconds(found.p50_s)), "", "");
            row(
                &format!("freshness p99 at {}/s", found.rate),
                Some(seconds(found.p99_s)),
                "2 s",
                "1 s",
            );
            row("  the sink's own p50", found.sink_p50_s.map(seconds), "", "");
            row("  the sink's own p99", found.sink_p99_s.map(seconds), "", "");
        }
        row("memory of the roles", self.rss_mb.map(|mb| format!("{mb:.0} MB")), "256 MB", "");
        row("recovery after kill -9", self.recovery_s.map(seconds), "10 s", "3 s");
        for (role, value) in self.recovery.iter().flat_map(|found| &found.seconds) {
            row(&format!("  of {role}"), Some(seconds(*value)), "", "");
        }
        if let Some(found) = &self.drain {
            row(&format!("drain of {}", found.mentions), Some(seconds(found.seconds)), "", "");
            row("  pushed into ingest alone", Some(rate(found.ingest_per_second)), "", "");
        }
        let python = |found: &Option<Python>| found.as_ref().map(|found| rate(found.per_second));
        let ratio = |ratio: Option<f64>| ratio.map(|ratio| format!("{ratio:.1}"));
        row("plain Python pipeline", python(&self.python), "", "");
        row("  times that", ratio(self.python_ratio), "10", "");
        row("Python on compiled libraries", python(&self.python_tuned), "", "");
        row("  times that", ratio(self.python_tuned_ratio), "", "");
        let audit = self.audit_clean.map(|clean| if clean { "clean" } else { "NOT CLEAN" });
        row("audit of everything", audit.map(str::to_owned), "clean", "");
        table
    }

    fn processes(&self) -> Table {
        let mut table =
            table(&["process", "peak MB", "CPU s per million", "plain Python", "tuned Python"]);
        let ours = self.throughput.as_ref().map(|found| &found.cpu_s_per_million);
        let python = self.python.as_ref().map(|found| &found.cpu_s_per_million);
        let tuned = self.python_tuned.as_ref().map(|found| &found.cpu_s_per_million);
        let cell = |figures: Option<&BTreeMap<_, f64>>, name: &str, digits| {
            let figure = figures.and_then(|figures| figures.get(name));
            figure.map(|figure| format!("{figure:.digits$}")).unwrap_or_default()
        };
        for name in self.rss_peak_mb.keys() {
            let memory = cell(Some(&self.rss_peak_mb), name, 0);
            let cpu = |figures| cell(figures, name, 1);
            table.add_row([*name, &memory, &cpu(ours), &cpu(python), &cpu(tuned)]);
        }
        table
    }
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_promised_key_is_there_even_when_a_part_was_not_run() {
        let mut summary = Summary::default();
        summary.fill();
        let json = serde_json::to_value(&summary).unwrap();
        for key in [
            "throughput_per_s",
            "freshness_p50_s",
            "freshness_p99_s",
            "rss_mb",
            "recovery_s",
            "drain_1m_s",
            "python_ratio",
            "python_tuned_ratio",
            "audit_clean",
        ] {
            assert_eq!(json.get(key), Some(&Value::Null), "{key}");
        }
    }

    #[test]
    fn the_ratio_is_told_once_both_pipelines_were_measured() {
        let ours = Throughput {
            per_second: 50_000.0,
            mentions: 1,
            left_counted_after_s: 0.0,
            cpu_s_per_million: BTreeMap::new(),
        };
        let python =
            Python { per_second: 5_000.0, mentions: 1, cpu_s_per_million: BTreeMap::new() };
        let mut summary =
            Summary { throughput: Some(ours), python: Some(python), ..Summary::default() };
        summary.fill();
        assert_eq!(summary.python_ratio, Some(10.0));
        assert!(summary.to_table().contains("10.0"));
    }
}
