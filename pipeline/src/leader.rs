//! One of several: whoever owns the only partition of a topic in its group acts, the others wait.

use std::{thread, time::Duration};

use echolot_schemas::topics::Topic;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{client, client::KafkaFault, settings::KafkaSettings};

const POLL: Duration = Duration::from_millis(200);

/// Joins `group` on a topic of one partition, on a thread of its own, until cancelled. The answer
/// tells whether this process leads.
///
/// A leader that is cut off from the brokers is replaced after `kafka.session_timeout` and may still
/// take itself for the leader: its effects must be idempotent.
pub fn lead(
    settings: &KafkaSettings,
    group: &str,
    topic: &Topic,
    cancel: CancellationToken,
) -> Result<watch::Receiver<bool>, KafkaFault> {
    let consumer: BaseConsumer = client::base(settings)?
        .set("group.id", format!("{}{group}", settings.prefix))
        .set("session.timeout.ms", client::millis(settings.session_timeout))
        .set("heartbeat.interval.ms", client::millis(settings.session_timeout / 4))
        .set("enable.auto.commit", "false")
        // Only membership matters; what stands on the topic is not read.
        .set("auto.offset.reset", "latest")
        .set("queued.max.messages.kbytes", "256")
        .create()
        .map_err(|source| KafkaFault::Client { brokers: settings.brokers.clone(), source })?;
    let name = format!("{}{}", settings.prefix, topic.name);
    consumer
        .subscribe(&[&name])
        .map_err(|source| KafkaFault::broker(format!("joining {group}"), source))?;
    let (tell, leads) = watch::channel(false);
    thread::spawn(move || {
        while !cancel.is_cancelled() {
            if let Some(Err(error)) = consumer.poll(POLL) {
                tracing::debug!("waiting to lead: {error}");
            }
            let owns = consumer.assignment().is_ok_and(|owned| owned.count() > 0);
            tell.send_if_modified(|leads| std::mem::replace(leads, owns) != owns);
        }
    });
    Ok(leads)
}
