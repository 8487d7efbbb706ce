//! Server-sent events: tells pages that what they show has changed.

use std::{
    convert::Infallible,
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use clickhouse::Row;
use futures::Stream;
use serde::Deserialize;
use tokio::sync::watch;

use crate::{error::ApiError, reader::Reader, server::Shared};

/// How often the store is asked, while anybody listens.
const EVERY: Duration = Duration::from_secs(5);

/// What pages are told: numbers that rise with every change, and whether the store answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pulse {
    change: u64,
    reachable: bool,
}

#[derive(Row, Deserialize, Hash)]
struct Seen {
    mentions: u64,
    incidents: u64,
    noted: i64,
}

/// Late and old mentions are in the sum as well as new ones: all of them are counted by day.
const SQL: &str = "SELECT ifNull((SELECT sum(mentions) FROM sentiment_by_day WHERE brand = '*'), 0)::UInt64 AS mentions, \
    ifNull((SELECT count() FROM incidents), 0)::UInt64 AS incidents, \
    ifNull((SELECT toUnixTimestamp64Milli(max(noted_at)) FROM incidents), 0)::Int64 AS noted";

/// Follows the store until nobody can listen any more. Asks only while somebody does.
pub(crate) async fn follow(reader: Reader, pulse: &watch::Sender<Pulse>) {
    loop {
        tokio::time::sleep(EVERY).await;
        if pulse.receiver_count() == 0 {
            continue;
        }
        let seen = reader.ask::<Seen>(SQL, |query| query).await;
        pulse.send_if_modified(|present| {
            let next = after(*present, &seen);
            std::mem::replace(present, next) != next
        });
    }
}

fn after(present: Pulse, seen: &Result<Vec<Seen>, ApiError>) -> Pulse {
    match seen {
        Ok(seen) => {
            let mut hasher = DefaultHasher::new();
            seen.hash(&mut hasher);
            Pulse { change: hasher.finish(), reachable: true }
        }
        Err(_) => Pulse { reachable: false, ..present },
    }
}

/// Server-sent events. `change`: what pages show may have changed. `lost`: the store does not answer.
#[utoipa::path(get, path = "/live", responses(
    (status = 200, body = String, content_type = "text/event-stream")))]
pub(crate) async fn live(
    State(shared): State<Shared>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let receiver = shared.pulse.subscribe();
    let events = futures::stream::unfold(
        (receiver, shared.cancel.clone()),
        |(mut receiver, cancel)| async {
            let changed = tokio::select! {
                changed = receiver.changed() => changed.is_ok(),
                () = cancel.cancelled() => false,
            };
            let pulse = *receiver.borrow_and_update();
            let name = if pulse.reachable { "change" } else { "lost" };
            changed.then(|| (Ok(Event::default().event(name).data("{}")), (receiver, cancel)))
        },
    );
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(20)))
}
