//! What `up` shows while the engines start.

use echolot_engines::{EngineEvent, EnginePhase};

use crate::{settings::Settings, tools::print};

/// Prints an engine event, one line each.
pub(super) fn engine_event(event: EngineEvent) {
    let engine = event.engine;
    match event.phase {
        EnginePhase::Starting => print(format!("{engine} starts")),
        EnginePhase::Ready { took } => {
            print(format!("{engine} is ready after {:.1} s", took.as_secs_f64()));
        }
        EnginePhase::Failed { reason, retry_in } => {
            print(format!("{engine} crashed and starts again in {retry_in:?}: {reason}"));
        }
        EnginePhase::GivenUp { reason } => print(format!("{engine} gave up: {reason}")),
        EnginePhase::Preparing | EnginePhase::Stopping | EnginePhase::Stopped => {}
    }
}

/// Where the engines answer.
pub(super) fn engines_ready(settings: &Settings) {
    print(format!("kafka     {}", settings.kafka.brokers));
    let store = &settings.clickhouse;
    print(format!("store     {} (database {}, user {})", store.url, store.database, store.user));
}
