//! Records that end at a byte: lines of NDJSON, elements of a JSON array. Bounded in size.

use std::io::{self, BufRead};

use memchr::memchr;

use crate::{array::ElementScan, files::input::Input};

/// One record as it stands in the file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Gathered {
    /// Its bytes, at most the limit.
    pub(crate) bytes: Vec<u8>,
    /// Its real length.
    pub(crate) length: u64,
    /// The byte that ended it; none at the end of the file.
    pub(crate) end: Option<u8>,
}

impl Gathered {
    /// Reads up to the end that `find_end` finds in each chunk, keeping at most `limit` bytes.
    /// None when the file has ended.
    fn read(
        input: &mut Input,
        limit: usize,
        mut find_end: impl FnMut(&[u8]) -> Option<usize>,
    ) -> io::Result<Option<Self>> {
        let mut gathered = Self::default();
        loop {
            let chunk = input.fill_buf()?;
            if chunk.is_empty() {
                return Ok((gathered.length > 0).then_some(gathered));
            }
            let end = find_end(chunk);
            let part = &chunk[..end.unwrap_or(chunk.len())];
            let room = limit - gathered.bytes.len();
            gathered.bytes.extend_from_slice(&part[..part.len().min(room)]);
            gathered.length += part.len() as u64;
            gathered.end = end.map(|at| chunk[at]);
            let used = part.len() + usize::from(end.is_some());
            input.consume(used);
            if end.is_some() {
                return Ok(Some(gathered));
            }
        }
    }

    /// True when it is longer than what was kept of it.
    pub(crate) fn is_cut(&self) -> bool {
        self.length > self.bytes.len() as u64
    }
}

/// The lines of a file.
pub(crate) struct LineReader {
    pub(crate) input: Input,
    pub(crate) limit: usize,
    pub(crate) line: u64,
}

impl LineReader {
    /// The next line that is not blank, with its number.
    pub(crate) fn next(&mut self) -> io::Result<Option<(u64, Gathered)>> {
        loop {
            let find = |chunk: &[u8]| memchr(b'\n', chunk);
            let Some(line) = Gathered::read(&mut self.input, self.limit, find)? else {
                return Ok(None);
            };
            self.line += 1;
            if line.is_cut() || !line.bytes.trim_ascii().is_empty() {
                return Ok(Some((self.line, line)));
            }
        }
    }
}

/// What stands at a place of an array.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// An element.
    Element(Gathered),
    /// What is left of an element when the file ends before the array does.
    BrokenOff(Gathered),
    /// What stands behind the array.
    Trailing(Gathered),
}

/// The elements of a file that holds one JSON array.
pub(crate) struct ArrayReader {
    input: Input,
    limit: usize,
    item: u64,
    closed: bool,
}

impl ArrayReader {
    /// Reads on behind the opening bracket, which the caller has seen to be there.
    pub(crate) fn new(mut input: Input, limit: usize) -> io::Result<Self> {
        Gathered::read(&mut input, 0, |chunk| memchr(b'[', chunk))?;
        Ok(Self { input, limit, item: 0, closed: false })
    }

    /// The next element, with its number.
    pub(crate) fn next(&mut self) -> io::Result<Option<(u64, Part)>> {
        if self.closed {
            let rest = Gathered::read(&mut self.input, self.limit, |_| None)?;
            let rest = rest.filter(|rest| !rest.bytes.trim_ascii().is_empty());
            return Ok(rest.map(|rest| (self.item + 1, Part::Trailing(rest))));
        }
        let mut scan = ElementScan::default();
        let read = Gathered::read(&mut self.input, self.limit, |chunk| scan.find_end(chunk))?;
        let element = read.unwrap_or_default();
        self.closed = element.end != Some(b',');
        if self.item == 0 && element.end == Some(b']') && element.bytes.trim_ascii().is_empty() {
            return self.next();
        }
        self.item += 1;
        let part =
            if element.end.is_some() { Part::Element(element) } else { Part::BrokenOff(element) };
        Ok(Some((self.item, part)))
    }
}
