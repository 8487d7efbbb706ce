//! A file's bytes: counted as they are read, decompressed by what they begin with.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Cursor, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use flate2::read::MultiGzDecoder;

/// RFC 1952.
const GZIP: &[u8] = &[0x1f, 0x8b];
/// RFC 8878.
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// What some editors put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const BUFFER_BYTES: usize = 64 * 1024;

/// A file's bytes after decompression.
pub(crate) type Input = Box<dyn BufRead + Send>;

/// Opens a file.
pub(crate) fn open(path: &Path, read: &Arc<AtomicU64>) -> io::Result<Input> {
    decompressed(Counted { inner: File::open(path)?, read: Arc::clone(read) })
}

/// Standard input.
pub(crate) fn stdin(read: &Arc<AtomicU64>) -> io::Result<Input> {
    decompressed(Counted { inner: io::stdin(), read: Arc::clone(read) })
}

fn decompressed(raw: impl Read + Send + 'static) -> io::Result<Input> {
    let (head, raw) = peeked(raw, ZSTD.len(), |_| false)?;
    let plain: Box<dyn Read + Send> = if head.starts_with(GZIP) {
        Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER_BYTES, raw)))
    } else if head.starts_with(ZSTD) {
        Box::new(zstd::stream::read::Decoder::new(raw)?)
    } else {
        Box::new(raw)
    };
    let (head, mut plain) = peeked(plain, BYTE_ORDER_MARK.len(), |_| false)?;
    if head == BYTE_ORDER_MARK {
        plain.read_exact(&mut [0; BYTE_ORDER_MARK.len()])?;
    }
    Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, plain)))
}

/// The first bytes of `input`, at most `most` and until they are `enough`, and `input` with them
/// still in it.
pub(crate) fn peeked<R: Read>(
    mut input: R,
    most: usize,
    enough: impl Fn(&[u8]) -> bool,
) -> io::Result<(Vec<u8>, Peeked<R>)> {
    let (mut head, mut length, mut failed) = (vec![0; most], 0, None);
    while length < most && !enough(&head[..length]) {
        match input.read(&mut head[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            // What came before the damage is good, so it is read first.
            Err(error) if length > 0 => {
                failed = Some(error);
                break;
            }
            Err(error) => return Err(error),
        }
    }
    head.truncate(length);
    Ok((head.clone(), Peeked { head: Cursor::new(head), failed, inner: input }))
}

/// A reader whose first bytes were looked at.
pub(crate) struct Peeked<R> {
    head: Cursor<Vec<u8>>,
    failed: Option<io::Error>,
    inner: R,
}

impl<R: Read> Read for Peeked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let from_head = self.head.read(buffer)?;
        if from_head > 0 || buffer.is_empty() {
            return Ok(from_head);
        }
        self.failed.take().map_or_else(|| self.inner.read(buffer), Err)
    }
}

/// Counts what is read from the file itself, for progress. Signals go no further than here.
struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = loop {
            match self.inner.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
