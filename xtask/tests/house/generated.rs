//! Generated files are those that `cargo xtask generate` would write.

use std::{collections::BTreeSet, fs, process::Command};

use regex::Regex;

use crate::files::{root, sources};

#[test]
fn generated_files_are_up_to_date() {
    let check =
        Command::new(env!("CARGO_BIN_EXE_xtask")).args(["generate", "--check"]).output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
}

/// A crate whose metrics nobody added to the catalogue would be missing from the page.
#[test]
fn every_metric_named_in_the_sources_is_on_the_page() {
    let root = root();
    let page = fs::read_to_string(root.join("docs/metrics.md")).unwrap();
    let named = Regex::new(r#"\w\(\s*"(echolot_\w+)""#).unwrap();
    let mut metrics = BTreeSet::new();
    for file in sources(&root) {
        let text = fs::read_to_string(&file).unwrap();
        if text.contains("registered(") {
            metrics.extend(named.captures_iter(&text).map(|found| found[1].to_owned()));
        }
    }
    assert!(metrics.len() > 20, "the search finds too few: {metrics:?}");
    for metric in metrics {
        assert!(page.contains(&format!("| `{metric}` |")), "{metric} is not in docs/metrics.md");
    }
}
