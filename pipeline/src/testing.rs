//! Small makers for this crate's own tests.

use std::time::Duration;

use bytesize::ByteSize;
use echolot_schemas::{MentionId, RawEvent, RawPosition, SourceName, Timestamp, raw::Deleted};

use crate::{
    delivery::{Delivery, Read},
    settings::WorkerSettings,
    stage::Item,
};

pub(crate) fn worker_settings() -> WorkerSettings {
    WorkerSettings {
        batch_rows: 10,
        batch_bytes: ByteSize::mib(1),
        linger: Duration::from_millis(5),
        in_flight_rows: 20,
        in_flight_bytes: ByteSize::mib(2),
        drain: Duration::from_secs(1),
        poison_run: 100,
        poison_ratio: 0.5,
    }
}

pub(crate) fn delivery(partition: i32, offset: i64) -> Delivery<()> {
    Delivery {
        position: RawPosition { partition, offset },
        written_at: Timestamp::default(),
        event: Ok(Read { event: (), traceparent: None }),
        payload: vec![0; 10],
    }
}

pub(crate) fn deleted(source: &str, native_id: &str) -> RawEvent {
    let source = SourceName::new(source).unwrap();
    RawEvent::Deleted(Deleted {
        id: MentionId::derive(&source, native_id),
        source,
        observed_at: Timestamp::from_millis(1_780_000_000_000),
    })
}

pub(crate) fn item(partition: i32, offset: i64, event: RawEvent) -> Item<RawEvent> {
    Item { event, position: RawPosition { partition, offset } }
}
