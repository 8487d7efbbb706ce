//! Rows of the public data sets and of files of the same shape.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

/// Most bytes read of one file, unpacked.
const MOST_BYTES: u64 = 1 << 30;

/// A text with its label.
pub(super) struct Labelled {
    pub(super) label: String,
    pub(super) text: String,
}

/// The folder of the data sets, or an error that says what to do.
pub(super) fn folder(path: &Path) -> anyhow::Result<PathBuf> {
    if path.is_dir() {
        return Ok(path.to_owned());
    }
    bail!(
        "the public data sets are not at {}: give their folder with --data DIR, or judge a file of \
         your own with --tsv FILE",
        path.display()
    )
}

/// The columns `label` and `text` of FILE or FILE.zst. A quote has no meaning.
pub(super) fn labelled(path: &Path) -> anyhow::Result<Vec<Labelled>> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b'\t')
        .quoting(false)
        .flexible(true)
        .from_reader(open(path)?);
    let header = reader.byte_headers()?.clone();
    let column = |name: &str| {
        header
            .iter()
            .position(|column| column == name.as_bytes())
            .with_context(|| format!("{}: the first line names no column {name}", path.display()))
    };
    let (label, text) = (column("label")?, column("text")?);
    let mut rows = Vec::new();
    for (at, record) in reader.byte_records().enumerate() {
        let record = record.with_context(|| format!("{}, line {}", path.display(), at + 2))?;
        let field = |column: usize| {
            record
                .get(column)
                .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
                .with_context(|| format!("{}, line {}: too few columns", path.display(), at + 2))
        };
        rows.push(Labelled { label: field(label)?, text: field(text)? });
    }
    Ok(rows)
}

/// Lines `code<TAB>text` without a header, by code.
pub(super) fn by_code(path: &Path) -> anyhow::Result<HashMap<String, Vec<String>>> {
    let mut rows: HashMap<String, Vec<String>> = HashMap::new();
    for line in lines(path)? {
        let (code, text) = line
            .split_once('\t')
            .with_context(|| format!("{}: {line:?} is no code, tab and text", path.display()))?;
        rows.entry(code.to_owned()).or_default().push(text.to_owned());
    }
    Ok(rows)
}

/// Lines of FILE or FILE.zst, or of standard input for `-`; what is no UTF-8 is replaced.
pub(super) fn lines(path: &Path) -> anyhow::Result<Vec<String>> {
    let mut reader = BufReader::new(open(path)?);
    let mut lines = Vec::new();
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).with_context(|| path.display().to_string())? > 0 {
        lines.push(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned());
        line.clear();
    }
    Ok(lines)
}

fn open(path: &Path) -> anyhow::Result<Box<dyn Read>> {
    if path == Path::new("-") {
        return Ok(Box::new(std::io::stdin().take(MOST_BYTES)));
    }
    let packed = PathBuf::from(format!("{}.zst", path.display()));
    let name = if path.is_file() { path.to_owned() } else { packed };
    let file = File::open(&name).with_context(|| format!("cannot read {}", path.display()))?;
    if name.extension().is_some_and(|kind| kind == "zst") {
        Ok(Box::new(zstd::Decoder::new(file)?.take(MOST_BYTES)))
    } else {
        Ok(Box::new(file.take(MOST_BYTES)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.tsv");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn columns_are_found_by_name_and_quotes_are_text() {
        let (_folder, path) =
            file(b"id\tlabel\ttext\n1\tneutral\t\"so la la\n2\tpositive\tsuper\n");
        let rows = labelled(&path).unwrap();
        assert_eq!((rows[0].label.as_str(), rows[0].text.as_str()), ("neutral", "\"so la la"));
        assert_eq!(rows.len(), 2);
    }

    #[test]
    fn bytes_that_are_no_utf8_are_replaced() {
        let (_folder, path) = file(b"label\ttext\nneutral\tab\xff\n");
        assert_eq!(labelled(&path).unwrap()[0].text, "ab\u{fffd}");
    }

    #[test]
    fn a_missing_column_and_a_missing_folder_are_told_by_name() {
        let (folder, path) = file(b"polarity\ttext\nneutral\tso\n");
        assert!(format!("{:#}", labelled(&path).err().unwrap()).contains("no column label"));
        let absent = folder.path().join("absent");
        assert!(super::folder(&absent).unwrap_err().to_string().contains("--data"));
    }
}
