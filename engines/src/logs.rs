//! The end of an engine's log, for error messages.

use std::{
    fmt,
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

const TAIL_BYTES: u64 = 16 * 1024;
const TAIL_LINES: usize = 20;
const LINE_CHARS: usize = 300;

/// The last lines of a log file, bounded in number and width.
#[derive(Debug, Clone)]
pub struct LogTail {
    path: PathBuf,
    lines: Vec<String>,
}

impl LogTail {
    /// Reads the end of the first of `paths` that says anything. An engine writes
    /// its log file only after it came up far enough; before that, its words are
    /// in the file that takes its standard output.
    pub(crate) fn read(paths: &[PathBuf]) -> Self {
        let mut tail = Self { path: paths.first().cloned().unwrap_or_default(), lines: Vec::new() };
        for path in paths {
            let lines = last_lines(path);
            if !lines.is_empty() {
                tail = Self { path: path.clone(), lines };
                break;
            }
        }
        tail
    }
}

impl fmt::Display for LogTail {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:", self.path.display())?;
        if self.lines.is_empty() {
            return formatter.write_str(" (empty)");
        }
        for line in &self.lines {
            write!(formatter, "\n    {line}")?;
        }
        Ok(())
    }
}

fn last_lines(path: &Path) -> Vec<String> {
    let Ok(bytes) = read_end(path) else {
        return Vec::new();
    };
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> =
        text.lines().filter(|line| !line.trim().is_empty() && !is_unresolved_frame(line)).collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..]
        .iter()
        .map(|line| line.chars().take(LINE_CHARS).collect())
        .collect()
}

/// `12. ? @ 0x000000001c8fa4b3`: ClickHouse's stack traces, which carry no names
/// in a stripped library and would push the message itself out of the tail.
fn is_unresolved_frame(line: &str) -> bool {
    line.contains(". ? @ 0x")
}

fn read_end(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_is_bounded_in_lines_and_width_and_drops_nameless_frames() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("engine.log");
        let mut text = "first line\n".repeat(5_000);
        text.push_str(&"w".repeat(10_000));
        text.push_str("\n12. ? @ 0x000000001c8fa4b3\nlast\n");
        std::fs::write(&path, text).unwrap();

        let tail = LogTail::read(&[folder.path().join("missing.log"), path]);

        assert_eq!(tail.lines.len(), TAIL_LINES);
        assert_eq!(tail.lines.last().map(String::as_str), Some("last"));
        assert_eq!(tail.lines[TAIL_LINES - 2].len(), LINE_CHARS);
    }

    #[test]
    fn a_missing_log_says_so() {
        let tail = LogTail::read(&[PathBuf::from("/nowhere/engine.log")]);
        assert_eq!(tail.to_string(), "/nowhere/engine.log: (empty)");
    }
}
