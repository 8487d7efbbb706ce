//! What the documents tell operators to write works as it stands.

use std::{collections::BTreeSet, fs, path::Path};

use echolot_ingest::sources::{KINDS, SourcesSettings};
use echolot_pipeline::settings::Problems;

#[derive(serde::Deserialize)]
struct Root {
    sources: SourcesSettings,
}

/// The examples in a page: what stands between ```toml and ```.
fn examples(page: &str) -> Vec<&str> {
    let blocks = page.split("```toml\n").skip(1);
    blocks.map(|block| block.split_once("```").unwrap().0).collect()
}

/// The example with text in place of the files that hold its secrets, which only operators have.
fn with_secrets(example: &str) -> String {
    let mut out = String::new();
    let mut rest = example;
    while let Some((before, after)) = rest.split_once("\"file:") {
        out.push_str(before);
        out.push_str("\"a good long secret\"");
        rest = after.split_once('"').unwrap().1;
    }
    out + rest
}

fn problems(example: &str) -> (SourcesSettings, Vec<String>) {
    let Root { sources } =
        toml::from_str(example).unwrap_or_else(|error| panic!("{example}{error}"));
    let mut problems = Problems::default();
    sources.validate(&mut problems);
    (sources, problems.into_vec().iter().map(ToString::to_string).collect())
}

#[test]
fn every_kind_has_an_example_in_the_documents_and_every_example_is_valid() {
    let page = fs::read_to_string("../docs/sources.md").unwrap();
    let mut shown = BTreeSet::new();
    for example in examples(&page) {
        let (sources, mut wrong) = problems(&with_secrets(example));
        // Google's is a file with a key, and the text in its place is none.
        wrong.retain(|problem| !problem.contains("service_account: is no key file"));
        assert_eq!(wrong, [""; 0], "{example}");
        shown.extend(sources.iter().filter_map(|(_, source)| Some(source.kind()?.name)));
    }
    let kinds: BTreeSet<_> = KINDS.iter().map(|kind| kind.name).collect();
    assert_eq!(shown, kinds);
}

#[test]
fn every_file_of_examples_is_valid() {
    let mut files = 0;
    for file in fs::read_dir(Path::new("../config/sources")).unwrap() {
        let path = file.unwrap().path();
        let example = fs::read_to_string(&path).unwrap();
        assert_eq!(problems(&with_secrets(&example)).1, [""; 0], "{}", path.display());
        files += 1;
    }
    assert!(files >= 4, "{files}");
}

#[test]
fn a_source_without_its_token_says_where_to_get_one() {
    let page = fs::read_to_string("../docs/sources.md").unwrap();
    let mut told = Vec::new();
    for example in examples(&page) {
        let without: Vec<_> = example.lines().filter(|line| !line.contains("\"file:")).collect();
        told.extend(problems(&without.join("\n")).1);
    }
    // A feed, a firehose and Hacker News need none, and a forum may be read as a visitor.
    for (name, place) in [
        ("fediverse.token", "Preferences > Development"),
        ("chat.token", "Bot Accounts"),
        ("reddit.client_secret", "reddit.com/prefs/apps"),
        ("youtube.key", "console.cloud.google.com"),
        ("play.service_account", "service account"),
        ("intranet.token", "yammer.com"),
        ("ideas.auth.secret", "openssl rand"),
    ] {
        let found = told.iter().find(|problem| problem.starts_with(&format!("sources.{name}")));
        let found = found.unwrap_or_else(|| panic!("{name}: {told:#?}"));
        assert!(found.contains(place), "{found}");
    }
}
