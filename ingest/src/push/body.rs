//! A request's body into memory: bounded in size and time, and charged before it is held.

use std::{io::Read as _, time::Duration};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use flate2::bufread::MultiGzDecoder;
use http_body_util::BodyExt as _;

use crate::push::{admission::Permit, answer::Refused};

/// Bytes decompressed between two looks at the bounds.
const STEP_BYTES: usize = 64 * 1024;
/// Most of a refused body that is read all the same.
const DISCARDED_BYTES: usize = 32 * 1024 * 1024;
/// How long that may take.
const DISCARD_WITHIN: Duration = Duration::from_secs(5);

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
}

impl Encoding {
    /// From `Content-Encoding`.
    pub(crate) fn parse(header: Option<&str>) -> Result<Self, Refused> {
        match header.map(str::trim) {
            None | Some("" | "identity") => Ok(Self::Identity),
            Some("gzip" | "x-gzip") => Ok(Self::Gzip),
            Some(other) => Err(Refused::Encoding(other.chars().take(40).collect())),
        }
    }
}

/// Reads a body as it was sent.
///
/// `declared` is its Content-Length: charged at once, so that a crowd of requests does not fill the
/// memory with halves of bodies none of which can be finished.
pub(crate) async fn read(
    body: &mut Body,
    declared: Option<u64>,
    most: u64,
    timeout: Duration,
    permit: &mut Permit,
) -> Result<Bytes, Refused> {
    let too_large = Refused::TooLarge { limit: "ingest.push.body_limit", bytes: most };
    if declared.is_some_and(|declared| declared > most) {
        return Err(too_large);
    }
    permit.charge(declared.unwrap_or(0))?;
    let gather = async {
        let mut gathered = Gathered::None;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Refused::BrokenOff(error.to_string()))?;
            let Ok(chunk) = frame.into_data() else { continue };
            let length = (gathered.len() + chunk.len()) as u64;
            if length > most {
                return Err(too_large);
            }
            if length > permit.held() {
                permit.charge(length - permit.held())?;
            }
            gathered.push(chunk, declared);
        }
        Ok(gathered.into_bytes())
    };
    tokio::time::timeout(timeout, gather).await.map_err(|_| Refused::Slow(timeout))?
}

/// Reads what is left of a refused body and forgets it, within limits.
///
/// A sender that is still writing when the connection is closed gets a reset in place of the answer
/// (RFC 9112, section 9.6), and would never learn why it was refused.
pub(crate) async fn discard(body: &mut Body) {
    let reading = async {
        let mut left = DISCARDED_BYTES;
        while let Some(Ok(frame)) = body.frame().await {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(bytes) {
                Some(less) => left = less,
                None => return,
            }
        }
    };
    // Past the limits the sender has to do without an answer.
    let _ = tokio::time::timeout(DISCARD_WITHIN, reading).await;
}

/// A body that came in one piece is not copied.
enum Gathered {
    None,
    One(Bytes),
    Many(BytesMut),
}

impl Gathered {
    fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::One(chunk) => chunk.len(),
            Self::Many(chunks) => chunks.len(),
        }
    }

    fn push(&mut self, chunk: Bytes, declared: Option<u64>) {
        *self = match std::mem::replace(self, Self::None) {
            Self::None => Self::One(chunk),
            Self::One(first) => {
                let expected = declared.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0);
                let mut chunks = BytesMut::with_capacity(expected.max(first.len() + chunk.len()));
                chunks.extend_from_slice(&first);
                chunks.extend_from_slice(&chunk);
                Self::Many(chunks)
            }
            Self::Many(mut chunks) => {
                chunks.extend_from_slice(&chunk);
                Self::Many(chunks)
            }
        }
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::None => Bytes::new(),
            Self::One(chunk) => chunk,
            Self::Many(chunks) => chunks.freeze(),
        }
    }
}

/// Decompresses a body, charging what comes out as it comes. Blocks the thread.
pub(crate) fn decompress(
    encoding: Encoding,
    body: Bytes,
    most: u64,
    permit: &mut Permit,
) -> Result<Bytes, Refused> {
    match encoding {
        Encoding::Identity => Ok(body),
        Encoding::Gzip => {
            let mut decoder = MultiGzDecoder::new(&body[..]);
            let mut plain = Vec::with_capacity(STEP_BYTES);
            loop {
                let step = decoder.by_ref().take(STEP_BYTES as u64).read_to_end(&mut plain);
                match step.map_err(Refused::Compressed)? {
                    0 => return Ok(plain.into()),
                    more => permit.charge(more as u64)?,
                }
                if plain.len() as u64 > most {
                    let limit = "ingest.push.decompressed_limit";
                    return Err(Refused::TooLarge { limit, bytes: most });
                }
            }
        }
    }
}
