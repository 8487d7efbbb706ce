//! Generated files: made in memory, then written or compared.

mod config_doc;
mod default_config;
mod json_schema;
mod metrics_doc;
mod tables_doc;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context;

/// Folders that hold nothing but generated files, by extension: another one there is left over.
const GENERATED_ONLY: [(&str, &str); 1] = [("schemas/json", "json")];

/// What every generated file must hold, by its path from the workspace's root.
pub(crate) struct Generated {
    root: PathBuf,
    files: BTreeMap<String, String>,
}

impl Generated {
    /// Makes all of it from the workspace at `root`.
    pub(crate) fn from_workspace(root: &Path) -> anyhow::Result<Self> {
        let mut files = json_schema::files()?;
        let defaults = default_config::assemble(root)?;
        files.insert("docs/config.md".to_owned(), config_doc::render(&defaults)?);
        files.insert(default_config::PATH.to_owned(), defaults);
        files.insert("docs/metrics.md".to_owned(), metrics_doc::render()?);
        files.insert("docs/tables.md".to_owned(), tables_doc::render(root)?);
        Ok(Self { root: root.to_owned(), files })
    }

    /// One line for each file that is not as it must be.
    pub(crate) fn stale(&self) -> anyhow::Result<Vec<String>> {
        let mut stale = Vec::new();
        for (path, content) in &self.files {
            match self.read(path)? {
                None => stale.push(format!("{path} is missing")),
                Some(found) if found != *content => stale.push(format!("{path} is stale")),
                Some(_) => {}
            }
        }
        stale.extend(self.left_over()?.iter().map(|path| format!("{path} has no source any more")));
        Ok(stale)
    }

    /// Brings the files up to date; tells which ones it touched.
    pub(crate) fn write(&self) -> anyhow::Result<Vec<String>> {
        let mut touched = Vec::new();
        for (path, content) in &self.files {
            if self.read(path)?.as_ref() == Some(content) {
                continue;
            }
            let target = self.root.join(path);
            if let Some(folder) = target.parent() {
                fs::create_dir_all(folder)
                    .with_context(|| format!("cannot create {}", folder.display()))?;
            }
            fs::write(&target, content).with_context(|| format!("cannot write {path}"))?;
            touched.push(path.clone());
        }
        for path in self.left_over()? {
            fs::remove_file(self.root.join(&path))
                .with_context(|| format!("cannot remove {path}, which has no source any more"))?;
            touched.push(path);
        }
        Ok(touched)
    }

    fn read(&self, path: &str) -> anyhow::Result<Option<String>> {
        match fs::read_to_string(self.root.join(path)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {path}")),
        }
    }

    fn left_over(&self) -> anyhow::Result<Vec<String>> {
        let mut left_over = Vec::new();
        for (folder, extension) in GENERATED_ONLY {
            let entries = match fs::read_dir(self.root.join(folder)) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error).with_context(|| format!("cannot list {folder}")),
            };
            for entry in entries {
                let name = entry.with_context(|| format!("cannot list {folder}"))?.file_name();
                let path = format!("{folder}/{}", name.to_string_lossy());
                let generated = Path::new(&path).extension().is_some_and(|e| e == extension);
                if generated && !self.files.contains_key(&path) {
                    left_over.push(path);
                }
            }
        }
        left_over.sort();
        Ok(left_over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generated(root: &Path) -> Generated {
        let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
        let files = [file("docs/page.md", "new"), file("schemas/json/event.v1.json", "{}")];
        Generated { root: root.to_owned(), files: files.into() }
    }

    #[test]
    fn what_was_written_is_not_stale_and_is_not_written_again() {
        let root = tempfile::tempdir().unwrap();
        let generated = generated(root.path());
        assert_eq!(generated.write().unwrap(), ["docs/page.md", "schemas/json/event.v1.json"]);
        assert_eq!(generated.stale().unwrap(), [""; 0]);
        assert_eq!(generated.write().unwrap(), [""; 0]);
    }

    #[test]
    fn each_missing_changed_or_left_over_file_is_named_and_mended() {
        let root = tempfile::tempdir().unwrap();
        let generated = generated(root.path());
        let put = |path: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "old").unwrap();
        };
        put("docs/page.md");
        put("schemas/json/event.v0.json");
        put("schemas/json/published/event.v1.json");
        assert_eq!(
            generated.stale().unwrap(),
            [
                "docs/page.md is stale",
                "schemas/json/event.v1.json is missing",
                "schemas/json/event.v0.json has no source any more",
            ]
        );
        assert_eq!(generated.write().unwrap().len(), 3);
        assert_eq!(generated.stale().unwrap(), [""; 0]);
        assert!(root.path().join("schemas/json/published/event.v1.json").exists());
    }
}
