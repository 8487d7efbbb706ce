//! Compressed frames: binary, each one zstd frame made with the server's dictionary.

use std::{fmt, io};

use zstd::bulk::Decompressor;

/// First bytes of a zstd dictionary (RFC 8878, section 5).
const MAGIC: [u8; 4] = [0x37, 0xA4, 0x30, 0xEC];

/// A zstd dictionary with its number.
#[derive(Clone)]
pub struct Dictionary {
    id: u32,
    bytes: Vec<u8>,
}

/// A file that is no dictionary.
#[derive(Debug, thiserror::Error)]
#[error(
    "no zstd dictionary; version 1 publishes its own in the Jetstream repository, \
     version 2 answers it at /xrpc/network.bsky.jetstream.getZstdDictionary"
)]
pub struct InvalidDictionary;

impl Dictionary {
    /// Checks the head of a dictionary and takes its number from there.
    pub fn new(bytes: Vec<u8>) -> Result<Self, InvalidDictionary> {
        let (magic, rest) = bytes.split_first_chunk().ok_or(InvalidDictionary)?;
        let (id, _) = rest.split_first_chunk().ok_or(InvalidDictionary)?;
        if *magic != MAGIC {
            return Err(InvalidDictionary);
        }
        Ok(Self { id: u32::from_le_bytes(*id), bytes })
    }

    /// Its number, by which version 2 is asked to use it.
    pub fn id(&self) -> u32 {
        self.id
    }
}

impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dictionary").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Reads compressed frames.
pub struct Inflater {
    decompressor: Decompressor<'static>,
    most: usize,
}

impl Inflater {
    /// Reads frames made with `dictionary` of at most `most` bytes when decompressed.
    pub fn new(dictionary: &Dictionary, most: usize) -> io::Result<Self> {
        let decompressor = Decompressor::with_dictionary(&dictionary.bytes)?;
        Ok(Self { decompressor, most })
    }

    /// The text of a frame.
    pub fn inflate(&mut self, frame: &[u8]) -> io::Result<String> {
        let bytes = self.decompressor.decompress(frame, self.most)?;
        String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}
