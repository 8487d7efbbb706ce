//! Who may import whom.

use cargo_metadata::{DependencyKind, MetadataCommand};

use crate::files::EMPTY_NAMES;

/// The layers, each with the members it may import. A member that is not listed is an edge of the
/// workspace: it may import all of these, and none of these may import it.
const LAYERS: [(&str, &[&str]); 10] = [
    ("echolot-schemas", &[]),
    ("echolot-brands", &[]),
    ("echolot-engines", &[]),
    ("echolot-pipeline", &["echolot-schemas", "echolot-brands"]),
    ("echolot-store", &["echolot-schemas", "echolot-pipeline"]),
    ("echolot-ingest", STAGE),
    ("echolot-enrich", STAGE),
    ("echolot-sink", READS_THE_STORE),
    ("echolot-alert", READS_THE_STORE),
    ("echolot-dashboard", READS_THE_STORE),
];

/// Stages meet on topics and tables, never in code.
const STAGE: &[&str] = &["echolot-schemas", "echolot-brands", "echolot-pipeline"];

/// Stages and roles that speak to the store.
const READS_THE_STORE: &[&str] =
    &["echolot-schemas", "echolot-brands", "echolot-pipeline", "echolot-store"];

/// What tests, examples and benchmarks may import beside that: real engines to run on.
const FOR_TESTS: &str = "echolot-engines";

/// Libraries that only some members may import, so that each outside system has one door.
const DOORS: [(&str, &[&str]); 4] = [
    ("rdkafka", &["echolot-pipeline"]),
    (
        "clickhouse",
        &["echolot-store", "echolot-sink", "echolot-alert", "echolot-dashboard", "echolot"],
    ),
    ("libloading", &["echolot-engines"]),
    ("rust-bert", &["echolot-enrich"]),
];

#[derive(Debug)]
struct Import {
    member: String,
    imports: String,
    in_tests_only: bool,
}

struct Workspace {
    members: Vec<String>,
    imports: Vec<Import>,
}

fn workspace() -> Workspace {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let packages = metadata.workspace_packages();
    Workspace {
        members: packages.iter().map(|package| package.name.to_string()).collect(),
        imports: packages
            .iter()
            .flat_map(|package| {
                package.dependencies.iter().map(|dependency| Import {
                    member: package.name.to_string(),
                    imports: dependency.name.clone(),
                    in_tests_only: dependency.kind == DependencyKind::Development,
                })
            })
            .collect(),
    }
}

/// One line for each rule that is broken.
fn broken(workspace: &Workspace) -> Vec<String> {
    workspace.imports.iter().filter_map(|import| broken_by(&workspace.members, import)).collect()
}

fn broken_by(members: &[String], import: &Import) -> Option<String> {
    let Import { member, imports, in_tests_only } = import;
    if let Some((_, allowed)) = DOORS.iter().find(|(library, _)| library == imports)
        && !allowed.contains(&member.as_str())
    {
        return Some(format!("{member} imports {imports}; only {} may", allowed.join(" and ")));
    }
    let (_, allowed) = LAYERS.iter().find(|(layer, _)| layer == member)?;
    let internal = members.contains(imports) && !allowed.contains(&imports.as_str());
    let forbidden = internal && !(*in_tests_only && imports == FOR_TESTS);
    forbidden.then(|| format!("{member} imports {imports}; of ours it may import {allowed:?}"))
}

fn names_that_say_nothing(members: &[String]) -> Vec<&String> {
    let empty = |member: &&String| {
        let name = member.strip_prefix("echolot-").unwrap_or(member);
        EMPTY_NAMES.contains(&name)
    };
    members.iter().filter(empty).collect()
}

#[test]
fn every_member_imports_only_the_layers_below_it() {
    assert_eq!(broken(&workspace()), [""; 0]);
}

#[test]
fn every_layer_of_the_table_is_a_member() {
    let Workspace { members, .. } = workspace();
    for (layer, _) in LAYERS {
        assert!(members.iter().any(|member| member == layer), "{layer}");
    }
}

#[test]
fn crates_are_named_for_what_they_do() {
    assert_eq!(names_that_say_nothing(&workspace().members), [""; 0]);
    let vague = ["echolot-common".to_owned(), "utils".to_owned(), "echolot-sink".to_owned()];
    assert_eq!(names_that_say_nothing(&vague), ["echolot-common", "utils"]);
}

#[test]
fn a_forbidden_import_is_found_and_an_allowed_one_is_not() {
    let cases = [
        ("echolot-schemas", "echolot-pipeline", false, true),
        ("echolot-brands", "echolot-schemas", false, true),
        ("echolot-pipeline", "echolot-enrich", false, true),
        ("echolot-brands", "echolot-pipeline", false, true),
        ("echolot-ingest", "echolot-enrich", false, true),
        ("echolot-sink", "echolot-ingest", true, true),
        ("echolot-engines", "echolot-schemas", false, true),
        ("echolot-sink", "echolot-engines", false, true),
        ("echolot-sink", "echolot", false, true),
        ("echolot-sink", "xtask", true, true),
        ("echolot-ingest", "rdkafka", false, true),
        ("echolot-ingest", "rdkafka", true, true),
        ("echolot", "rdkafka", false, true),
        ("echolot-enrich", "clickhouse", false, true),
        ("echolot-enrich", "echolot-store", false, true),
        ("echolot-store", "echolot-sink", false, true),
        ("echolot", "libloading", false, true),
        ("echolot-ingest", "rust-bert", false, true),
        ("echolot-pipeline", "echolot-schemas", false, false),
        ("echolot-ingest", "echolot-brands", false, false),
        ("echolot-pipeline", "echolot-brands", false, false),
        ("echolot-sink", "echolot-engines", true, false),
        ("echolot-sink", "echolot-store", false, false),
        ("echolot-pipeline", "rdkafka", false, false),
        ("echolot", "clickhouse", false, false),
        ("echolot", "echolot-sink", false, false),
        ("echolot-schemas", "serde", false, false),
    ];
    for (member, imports, in_tests_only, is_broken) in cases {
        let import =
            Import { member: member.to_owned(), imports: imports.to_owned(), in_tests_only };
        let mut members: Vec<String> = LAYERS.iter().map(|(name, _)| (*name).to_owned()).collect();
        members.extend(["echolot".to_owned(), "xtask".to_owned()]);
        assert_eq!(broken_by(&members, &import).is_some(), is_broken, "{import:?}");
    }
}
