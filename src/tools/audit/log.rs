//! The log's side of an audit: which raw events there are, and what became of each.

use std::collections::{HashMap, HashSet};

use echolot_pipeline::reader::{Extent, LogReader, Record};
use echolot_schemas::{Attributes, EventType, MentionId, codec, dead_letter, topics};

/// What a raw record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Observed,
    Deleted,
    /// No event: must be a dead letter.
    Unreadable,
}

/// One raw partition and what enrichment made of it.
#[derive(Debug, Default)]
pub(super) struct PartitionLog {
    pub(super) partition: i32,
    /// By mention, in log order.
    pub(super) events: HashMap<MentionId, Vec<(i64, Kind)>>,
    /// Offsets of records without a readable key.
    pub(super) keyless: Vec<i64>,
    /// Raw offsets that enrichment found to be about no brand.
    pub(super) unmatched: HashSet<i64>,
}

impl PartitionLog {
    pub(super) fn read(reader: &LogReader, partition: i32, extent: Extent) -> anyhow::Result<Self> {
        let mut log = Self { partition, ..Self::default() };
        if extent.high > extent.low {
            reader.read(&topics::RAW, partition, extent.high, |record| log.note(&record))?;
        }
        let index = usize::try_from(partition)?;
        let enriched = reader.extents(&topics::ENRICHED)?;
        if let Some(end) = enriched.get(index).filter(|extent| extent.high > extent.low) {
            reader.read(&topics::ENRICHED, partition, end.high, |record| {
                log.note_unmatched(&record);
            })?;
        }
        Ok(log)
    }

    fn note(&mut self, record: &Record<'_>) {
        let offset = record.position.offset;
        let kind = match Attributes::read(record.headers()).map(|read| read.event_type) {
            Ok(EventType::MentionObserved) => Kind::Observed,
            Ok(EventType::MentionDeleted) => Kind::Deleted,
            _ => Kind::Unreadable,
        };
        match key(record) {
            Some(id) => self.events.entry(id).or_default().push((offset, kind)),
            None => self.keyless.push(offset),
        }
    }

    fn note_unmatched(&mut self, record: &Record<'_>) {
        let event_type = Attributes::read(record.headers()).map(|read| read.event_type);
        if matches!(event_type, Ok(EventType::MentionUnmatched))
            && let Some((_, offset)) = raw_position(record)
        {
            self.unmatched.insert(offset);
        }
    }
}

fn key(record: &Record<'_>) -> Option<MentionId> {
    std::str::from_utf8(record.key?).ok()?.parse().ok()
}

/// The raw position that an enriched event's id names.
fn raw_position(record: &Record<'_>) -> Option<(i32, i64)> {
    let id = header(record, codec::header::ID)?;
    let (partition, offset) = id.split_once('/')?;
    Some((partition.parse().ok()?, offset.parse().ok()?))
}

fn header<'a>(record: &Record<'a>, name: &str) -> Option<&'a str> {
    let (_, value) = record.headers().find(|(key, _)| *key == name)?;
    std::str::from_utf8(value).ok()
}

/// Raw positions that ended as dead letters, refused by enrich or by the sink.
#[derive(Debug, Default)]
pub(super) struct DeadPositions(HashSet<(i32, i64)>);

impl DeadPositions {
    pub(super) fn read(reader: &LogReader) -> anyhow::Result<Self> {
        let mut dead = Self::default();
        reader.read_all(&topics::DEAD, |record| {
            if let Some((partition, offset)) = died_at(&record) {
                dead.insert(partition, offset);
            }
        })?;
        Ok(dead)
    }

    pub(super) fn insert(&mut self, partition: i32, offset: i64) {
        self.0.insert((partition, offset));
    }

    pub(super) fn holds(&self, partition: i32, offset: i64) -> bool {
        self.0.contains(&(partition, offset))
    }
}

fn died_at(record: &Record<'_>) -> Option<(i32, i64)> {
    match header(record, dead_letter::header::TOPIC)? {
        topic if topic == topics::RAW.name => Some((
            header(record, dead_letter::header::PARTITION)?.parse().ok()?,
            header(record, dead_letter::header::OFFSET)?.parse().ok()?,
        )),
        topic if topic == topics::ENRICHED.name => raw_position(record),
        _ => None,
    }
}
