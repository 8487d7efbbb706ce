//! Where the stream goes on, and what of it was seen already.
//!
//! Jetstream's cursors are inclusive: the event at the cursor comes again after a reconnect. In
//! version 2 its number tells; in version 1 several events may share a microsecond, so the cursor
//! remembers which of that microsecond were seen. That an anchor comes again is also the proof that
//! nothing was cut off before it: version 1 clamps a cursor that is too old without saying so.

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};

use super::{frame::Mark, options::Version};

/// Most fingerprints that are kept of one microsecond.
const SEEN: usize = 64;

/// What a frame is recognised by when it comes again.
pub type Fingerprint = u64;

/// The fingerprint of a frame: the first eight bytes of its SHA-256.
pub fn fingerprint(frame: &str) -> Fingerprint {
    let digest = Sha256::digest(frame.as_bytes());
    let mut head = [0; 8];
    head.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(head)
}

/// The last event that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// When the server witnessed it, in microseconds: understood by every server.
    time_us: i64,
    /// Its number; version 2 only, and only at the server that gave it.
    seq: Option<u64>,
    /// Events seen at `time_us`; version 1 only.
    seen: Vec<Fingerprint>,
}

/// How an event stands to the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not seen before.
    New,
    /// Seen already.
    Again,
}

/// A saved cursor that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no cursor of Jetstream")]
pub struct InvalidCursor(String);

impl Cursor {
    /// The cursor at the first event ever seen.
    pub fn at(mark: Mark, frame: Fingerprint) -> Self {
        let seen = if mark.seq.is_some() { Vec::new() } else { vec![frame] };
        Self { time_us: mark.time_us, seq: mark.seq, seen }
    }

    /// When the event at the cursor was witnessed, in microseconds.
    pub fn time_us(&self) -> i64 {
        self.time_us
    }

    /// What to ask a server of `version` for: the number where both know one, else the time.
    pub fn request(&self, version: Version) -> i64 {
        match (version, self.seq) {
            (Version::V2, Some(seq)) => i64::try_from(seq).unwrap_or(self.time_us),
            _ => self.time_us,
        }
    }

    /// True when a server of version 2 is asked by number: then it refuses what it no longer has.
    pub fn has_number(&self) -> bool {
        self.seq.is_some()
    }

    /// Forgets the number, which another server, or this one no longer, would understand.
    pub fn forget_number(&mut self) {
        self.seq = None;
    }

    /// True when `mark` and `frame` are at the cursor: the stream begins where it was left.
    pub fn is_anchor(&self, mark: Mark, frame: Fingerprint) -> bool {
        match (self.seq, mark.seq) {
            (Some(last), Some(seq)) => seq == last,
            (None, None) => mark.time_us == self.time_us && self.seen.contains(&frame),
            // The two versions know no common number, but the same times.
            (Some(_), None) | (None, Some(_)) => mark.time_us == self.time_us,
        }
    }

    /// Says whether an event is new, and moves behind it.
    pub fn pass(&mut self, mark: Mark, frame: Fingerprint) -> Standing {
        if let (Some(last), Some(seq)) = (self.seq, mark.seq) {
            if seq <= last {
                return Standing::Again;
            }
            *self = Self::at(mark, frame);
            return Standing::New;
        }
        match mark.time_us.cmp(&self.time_us) {
            std::cmp::Ordering::Greater => {
                *self = Self::at(mark, frame);
                Standing::New
            }
            std::cmp::Ordering::Equal if self.seen.contains(&frame) => Standing::Again,
            std::cmp::Ordering::Equal => {
                self.seq = mark.seq;
                if self.seen.len() < SEEN {
                    self.seen.push(frame);
                }
                Standing::New
            }
            // A server whose clock went back: nothing is lost by passing it on.
            std::cmp::Ordering::Less => Standing::New,
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.time_us)?;
        if let Some(seq) = self.seq {
            write!(f, "#{seq}")?;
        }
        for frame in &self.seen {
            write!(f, "+{frame:016x}")?;
        }
        Ok(())
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidCursor(text.chars().take(80).collect());
        let mut parts = text.split('+');
        let place = parts.next().ok_or_else(invalid)?;
        let (time, seq) = match place.split_once('#') {
            None => (place, None),
            Some((time, seq)) => (time, Some(seq.parse().map_err(|_| invalid())?)),
        };
        let seen: Result<Vec<_>, _> =
            parts.map(|frame| u64::from_str_radix(frame, 16).map_err(|_| invalid())).collect();
        Ok(Self { time_us: time.parse().map_err(|_| invalid())?, seq, seen: seen? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v1(time_us: i64) -> Mark {
        Mark { time_us, seq: None }
    }

    #[test]
    fn of_two_events_in_one_microsecond_both_count_and_neither_twice() {
        let mut cursor = Cursor::at(v1(5), 1);
        assert_eq!(cursor.pass(v1(5), 2), Standing::New);
        let mut cursor: Cursor = cursor.to_string().parse().unwrap();
        assert_eq!(cursor.pass(v1(5), 1), Standing::Again);
        assert_eq!(cursor.pass(v1(5), 2), Standing::Again);
        assert_eq!(cursor.pass(v1(6), 1), Standing::New);
        assert_eq!(cursor.request(Version::V1), 6);
    }

    #[test]
    fn a_number_is_asked_for_before_a_time_until_it_is_forgotten() {
        let mut cursor: Cursor = "1783175888090631#77".parse().unwrap();
        assert_eq!(cursor.request(Version::V2), 77);
        assert_eq!(cursor.request(Version::V1), 1_783_175_888_090_631);
        let mark = Mark { time_us: 1, seq: Some(77) };
        assert_eq!(cursor.pass(mark, 0), Standing::Again);
        cursor.forget_number();
        assert_eq!(cursor.request(Version::V2), 1_783_175_888_090_631);
    }

    #[test]
    fn what_was_saved_wrongly_is_refused() {
        for bad in ["", "x", "1#", "1+zz", "#3", "1+"] {
            assert!(bad.parse::<Cursor>().is_err(), "{bad:?}");
        }
    }
}
