//! How long a file may be, and what it may be called.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Longest source file: more is more than one subject.
const LINES: usize = 400;
const SOURCES: [&str; 8] = ["rs", "py", "sh", "sql", "ts", "tsx", "js", "css"];
/// Built or fetched, not written here.
const NOT_OURS: [&str; 5] = ["target", "node_modules", "dist", "vendor", "__pycache__"];
/// Names that say nothing about what a crate, folder or file holds.
pub(crate) const EMPTY_NAMES: [&str; 5] = ["utils", "util", "common", "helpers", "misc"];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every source file below `folder`.
pub(crate) fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (name, path) = (entry.file_name().to_string_lossy().into_owned(), entry.path());
        if entry.file_type().unwrap().is_dir() {
            if !name.starts_with('.') && !NOT_OURS.contains(&name.as_str()) {
                found.extend(sources(&path));
            }
        } else if path.extension().is_some_and(|end| SOURCES.iter().any(|known| end == *known)) {
            found.push(path);
        }
    }
    found
}

fn too_long(path: &Path, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > LINES).then(|| format!("{} has {lines} lines, at most {LINES}", path.display()))
}

fn says_nothing(path: &Path) -> bool {
    path.with_extension("").iter().any(|part| EMPTY_NAMES.iter().any(|name| part == *name))
}

#[test]
fn no_source_file_is_longer_than_its_one_subject() {
    let root = root();
    let long: Vec<String> = sources(&root)
        .iter()
        .filter_map(|path| {
            let text = fs::read_to_string(path).unwrap();
            too_long(path.strip_prefix(&root).unwrap(), &text)
        })
        .collect();
    assert_eq!(long, [""; 0]);
}

#[test]
fn files_and_modules_are_named_for_what_they_hold() {
    let root = root();
    let vague: Vec<PathBuf> = sources(&root)
        .into_iter()
        .map(|path| path.strip_prefix(&root).unwrap().to_owned())
        .filter(|path| says_nothing(path))
        .collect();
    assert!(vague.is_empty(), "{vague:?}");
}

#[test]
fn a_line_too_many_and_a_vague_name_are_found() {
    let path = Path::new("sink/src/writer.rs");
    assert_eq!(too_long(path, &"x\n".repeat(LINES)), None);
    assert!(too_long(path, &"x\n".repeat(LINES + 1)).is_some());
    assert!(!says_nothing(path));
    assert!(says_nothing(Path::new("sink/src/utils.rs")));
    assert!(says_nothing(Path::new("sink/src/common/mod.rs")));
}

#[test]
fn the_walk_sees_the_sources() {
    let found = sources(&root());
    assert!(found.iter().any(|path| path.ends_with("xtask/tests/house/files.rs")));
}
