//! Rows of CSV and TSV (RFC 4180), bounded in size: a quote left open does not read the whole file
//! into memory.

use std::{
    io::{self, BufRead as _},
    ops::Range,
};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use memchr::memchr_iter;

use crate::{files::input::Input, rejected::ORIGINAL_BYTES};

/// Most cells in a row.
const CELLS_MOST: usize = 4096;

/// One row as it stands in the file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// The line it begins on, counted from 1.
    pub(crate) line: u64,
    /// Its bytes as they stand there, bounded.
    pub(crate) original: Vec<u8>,
    /// True when it passed a bound: then it has no cells.
    pub(crate) oversized: bool,
    text: Vec<u8>,
    cells: Vec<Range<usize>>,
}

impl Row {
    /// Its cells, quotes undone.
    pub(crate) fn cells(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.cells.iter().map(|cell| &self.text[cell.clone()])
    }
}

/// The rows of a file.
pub(crate) struct TableReader {
    input: Input,
    core: Reader,
    lines: u64,
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl TableReader {
    pub(crate) fn new(input: Input, delimiter: u8, limit: usize) -> Self {
        Self {
            input,
            core: ReaderBuilder::new().delimiter(delimiter).build(),
            lines: 0,
            text: vec![0; limit],
            ends: vec![0; CELLS_MOST],
        }
    }

    /// The next row that is not blank.
    pub(crate) fn next(&mut self) -> io::Result<Option<Row>> {
        let mut row = Row::default();
        let (mut text_length, mut cells) = (0, 0);
        loop {
            let chunk = self.input.fill_buf()?;
            // An empty chunk tells the reader that the file has ended.
            let (result, read, written, ended) = self.core.read_record(
                chunk,
                &mut self.text[text_length..],
                &mut self.ends[cells..],
            );
            let mut part = &chunk[..read];
            if row.original.is_empty() {
                // The reader leaves line ends of the row before, and blank lines, to this one.
                let blank = part.iter().take_while(|b| matches!(b, b'\n' | b'\r')).count();
                self.lines += memchr_iter(b'\n', &part[..blank]).count() as u64;
                part = &part[blank..];
                row.line = self.lines + 1;
            }
            self.lines += memchr_iter(b'\n', part).count() as u64;
            let room = ORIGINAL_BYTES.saturating_sub(row.original.len());
            row.original.extend_from_slice(&part[..part.len().min(room)]);
            self.input.consume(read);
            text_length += written;
            cells += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    row.oversized = true;
                    (text_length, cells) = (0, 0);
                }
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::Record => {
                    if !row.oversized {
                        row.text = self.text[..text_length].to_vec();
                        let starts = std::iter::once(&0).chain(&self.ends);
                        let ends = &self.ends[..cells];
                        row.cells = starts.zip(ends).map(|(start, end)| *start..*end).collect();
                    }
                    return Ok(Some(row));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn rows(text: &'static str, limit: usize) -> Vec<(u64, Vec<String>, bool)> {
        let mut reader = TableReader::new(Box::new(Cursor::new(text.as_bytes())), b',', limit);
        let mut rows = Vec::new();
        while let Some(row) = reader.next().unwrap() {
            let cells = row.cells().map(|cell| String::from_utf8_lossy(cell).into_owned());
            rows.push((row.line, cells.collect(), row.oversized));
        }
        rows
    }

    fn row(line: u64, cells: &[&str]) -> (u64, Vec<String>, bool) {
        (line, cells.iter().map(|cell| (*cell).to_owned()).collect(), false)
    }

    #[test]
    fn rows_are_numbered_by_the_line_they_begin_on_whatever_ends_a_line() {
        let expected = vec![row(1, &["a", "b"]), row(2, &["x\ny", "\""]), row(5, &["1", ""])];
        assert_eq!(rows("a,b\n\"x\ny\",\"\"\"\"\n\n1,\n", 100), expected);
        let expected = vec![row(1, &["a", "b"]), row(2, &["1", "2"]), row(4, &["3", "4"])];
        assert_eq!(rows("a,b\r\n1,2\r\n\r\n3,4", 100), expected);
    }

    #[test]
    fn a_row_past_the_limit_is_told_and_the_next_one_is_read() {
        let text = "a,b\n0123456789,0123456789\n1,2\n";
        assert_eq!(rows(text, 12), [row(1, &["a", "b"]), (2, vec![], true), row(3, &["1", "2"])]);
    }
}
