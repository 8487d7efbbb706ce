//! Brand files on disk, and whether they changed.

use std::{
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use echolot_brands::{BrandBook, book::MAX_FILE_BYTES};

use super::{BrandSet, BrandsError, MAX_BYTES, MAX_FILES};

/// The brand files of some paths, which may hold `*`, `?`, `[a-z]` and `**`.
#[derive(Debug)]
pub struct BrandFiles {
    patterns: Vec<String>,
    stamps: Vec<Stamp>,
}

/// What tells that a file changed; `None` where it cannot be looked at.
type Stamp = (PathBuf, Option<(SystemTime, u64)>);

impl BrandFiles {
    /// The files that these paths name.
    pub fn new(patterns: &[String]) -> Self {
        Self { patterns: patterns.to_vec(), stamps: Vec::new() }
    }

    /// Reads, checks and compiles all files; no pattern at all makes an empty set.
    pub fn load(&mut self) -> Result<BrandSet, BrandsError> {
        // Before reading: what is written meanwhile shows at the next look.
        self.stamps = self.look();
        BrandSet::compile(self.book()?)
    }

    /// Reads and checks all files.
    pub fn book(&self) -> Result<BrandBook, BrandsError> {
        let paths = self.paths()?;
        let mut files = Vec::with_capacity(paths.len());
        let mut bytes = 0;
        for path in &paths {
            let content = read(path)?;
            bytes += content.len();
            if paths.len() > MAX_FILES || bytes > MAX_BYTES {
                return Err(BrandsError::TooMuch { files: paths.len(), bytes });
            }
            files.push((path.display().to_string(), content));
        }
        Ok(BrandBook::from_files(files)?)
    }

    /// Whether a file came, went or changed since the last [`Self::load`].
    pub fn changed(&self) -> bool {
        self.look() != self.stamps
    }

    fn look(&self) -> Vec<Stamp> {
        let stamp = |path: PathBuf| {
            let found = fs::metadata(&path).and_then(|file| Ok((file.modified()?, file.len())));
            (path, found.ok())
        };
        // What cannot be listed is reported by the load that follows a change.
        self.paths().unwrap_or_default().into_iter().map(stamp).collect()
    }

    /// Every file once, in order.
    fn paths(&self) -> Result<Vec<PathBuf>, BrandsError> {
        let mut paths = Vec::new();
        for pattern in &self.patterns {
            let before = paths.len();
            let found = glob::glob(pattern)
                .map_err(|error| BrandsError::Pattern { pattern: pattern.clone(), error })?;
            for path in found.take(MAX_FILES + 1) {
                paths.push(path?);
            }
            if paths.len() == before {
                return Err(BrandsError::NoFile(pattern.clone()));
            }
        }
        paths.sort();
        paths.dedup();
        Ok(paths)
    }
}

fn read(path: &Path) -> Result<String, BrandsError> {
    let failed = |error| BrandsError::Read { path: path.to_owned(), error };
    let mut content = String::new();
    // One byte more than allowed, so that the book reports the file as too long.
    let most = MAX_FILE_BYTES as u64 + 1;
    File::open(path)
        .and_then(|file| file.take(most).read_to_string(&mut content))
        .map_err(failed)?;
    Ok(content)
}
