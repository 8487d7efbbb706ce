//! Reads a partition from its first record to what is its end now: for cursors, dead letters, audit.

use std::time::{Duration, Instant};

use echolot_schemas::{RawPosition, topics::Topic};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer as _},
    error::KafkaError,
    message::Headers,
};

use crate::{client, client::KafkaFault, settings::KafkaSettings};

const PATIENCE: Duration = Duration::from_secs(20);

/// One record as it stands on the log.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    /// Where.
    pub position: RawPosition,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; none for a tombstone of compaction.
    pub payload: Option<&'a [u8]>,
    headers: Option<&'a rdkafka::message::BorrowedHeaders>,
}

impl<'a> Record<'a> {
    /// Its headers, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.headers.into_iter().flat_map(|headers| {
            headers.iter().map(|header| (header.key, header.value.unwrap_or_default()))
        })
    }
}

/// First offset kept and the one after the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// First offset kept.
    pub low: i64,
    /// The offset that the next record will have.
    pub high: i64,
}

/// Reads the log. Every call blocks its thread: call it beside the asynchronous runtime.
pub struct LogReader {
    client: BaseConsumer,
    prefix: String,
}

impl LogReader {
    /// A reader that belongs to `group` for the sake of its committed offsets, yet never joins it.
    pub fn connect(settings: &KafkaSettings, group: &str) -> Result<Self, KafkaFault> {
        let client: BaseConsumer = client::base(settings)?
            .set("group.id", format!("{}{group}", settings.prefix))
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("queued.max.messages.kbytes", "32768")
            .set("fetch.queue.backoff.ms", "10")
            .set("fetch.wait.max.ms", "20")
            .create()
            .map_err(|source| KafkaFault::Client { brokers: settings.brokers.clone(), source })?;
        Ok(Self { client, prefix: settings.prefix.clone() })
    }

    /// Partitions of a topic and what each holds.
    pub fn extents(&self, topic: &Topic) -> Result<Vec<Extent>, KafkaFault> {
        let name = self.name(topic);
        let fault = |source| KafkaFault::broker(format!("looking up {name}"), source);
        let metadata = self.client.fetch_metadata(Some(&name), PATIENCE).map_err(fault)?;
        let count = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
        (0..count)
            .map(|partition| {
                let partition = i32::try_from(partition).unwrap_or(i32::MAX);
                let (low, high) =
                    self.client.fetch_watermarks(&name, partition, PATIENCE).map_err(fault)?;
                Ok(Extent { low, high })
            })
            .collect()
    }

    /// Offsets that this reader's group committed, by partition; `None` where it never did.
    pub fn committed(&self, topic: &Topic) -> Result<Vec<Option<i64>>, KafkaFault> {
        let name = self.name(topic);
        let mut wanted = TopicPartitionList::new();
        for partition in 0..self.extents(topic)?.len() {
            wanted.add_partition(&name, i32::try_from(partition).unwrap_or(i32::MAX));
        }
        let found = self
            .client
            .committed_offsets(wanted, PATIENCE)
            .map_err(|source| KafkaFault::broker(format!("committed offsets of {name}"), source))?;
        let offset =
            |element: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| match element
                .offset()
            {
                Offset::Offset(offset) => Some(offset),
                _ => None,
            };
        Ok(found.elements().iter().map(offset).collect())
    }

    /// Commits one offset for each partition in the name of this reader's group: where it is to begin.
    /// Refused by the broker while the group has members.
    pub fn commit(&self, topic: &Topic, offsets: &[i64]) -> Result<(), KafkaFault> {
        let name = self.name(topic);
        let fault = |source| KafkaFault::broker(format!("committing offsets of {name}"), source);
        let mut places = TopicPartitionList::new();
        for (partition, offset) in (0..).zip(offsets) {
            places
                .add_partition_offset(&name, partition, Offset::Offset(*offset))
                .map_err(fault)?;
        }
        self.client.commit(&places, CommitMode::Sync).map_err(fault)
    }

    /// Hands every record of `partition` below `until` to `each`, oldest first.
    pub fn read(
        &self,
        topic: &Topic,
        partition: i32,
        until: i64,
        each: impl FnMut(Record<'_>),
    ) -> Result<(), KafkaFault> {
        self.read_between(topic, partition, Offset::Beginning, until, each)
    }

    /// [`LogReader::read`] of what stands at `from` or behind it.
    pub fn read_from(
        &self,
        topic: &Topic,
        partition: i32,
        from: i64,
        until: i64,
        each: impl FnMut(Record<'_>),
    ) -> Result<(), KafkaFault> {
        self.read_between(topic, partition, Offset::Offset(from), until, each)
    }

    fn read_between(
        &self,
        topic: &Topic,
        partition: i32,
        begin: Offset,
        until: i64,
        mut each: impl FnMut(Record<'_>),
    ) -> Result<(), KafkaFault> {
        let name = self.name(topic);
        let fault = |source| KafkaFault::broker(format!("reading {name}/{partition}"), source);
        let mut from = TopicPartitionList::new();
        from.add_partition_offset(&name, partition, begin).map_err(fault)?;
        self.client.assign(&from).map_err(fault)?;
        let mut heard = Instant::now();
        loop {
            match self.client.poll(Duration::from_millis(200)) {
                Some(Ok(message)) if message.partition() != partition => {}
                Some(Ok(message)) => {
                    heard = Instant::now();
                    let offset = message.offset();
                    if offset < until {
                        each(Record {
                            position: RawPosition { partition, offset },
                            key: message.key(),
                            payload: message.payload(),
                            headers: message.headers(),
                        });
                    }
                    if offset + 1 >= until {
                        break;
                    }
                }
                Some(Err(KafkaError::PartitionEOF(ended))) if ended == partition => break,
                Some(Err(KafkaError::PartitionEOF(_))) => {}
                Some(Err(source)) if heard.elapsed() > PATIENCE => return Err(fault(source)),
                None if heard.elapsed() > PATIENCE => {
                    let code = rdkafka::error::RDKafkaErrorCode::OperationTimedOut;
                    return Err(fault(KafkaError::MessageConsumption(code)));
                }
                Some(Err(_)) | None => {}
            }
        }
        self.client.unassign().map_err(fault)
    }

    /// [`LogReader::read`] over every partition of a topic, up to what is its end now.
    pub fn read_all(
        &self,
        topic: &Topic,
        mut each: impl FnMut(Record<'_>),
    ) -> Result<(), KafkaFault> {
        for (partition, extent) in (0..).zip(self.extents(topic)?) {
            if extent.high > extent.low {
                self.read(topic, partition, extent.high, &mut each)?;
            }
        }
        Ok(())
    }

    fn name(&self, topic: &Topic) -> String {
        format!("{}{}", self.prefix, topic.name)
    }
}
