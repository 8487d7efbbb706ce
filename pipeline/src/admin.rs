//! Topics as they must be: created when missing, verified when there.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use echolot_schemas::topics::{self, Topic};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    client::DefaultClientContext,
    error::RDKafkaErrorCode,
};

use crate::{client, client::KafkaFault, settings::KafkaSettings};

const PATIENCE: Duration = Duration::from_secs(20);

/// Creates every missing topic and verifies the others. Safe to call from many roles at once.
///
/// A wrong number of partitions is refused, since the same key would then live on two of them and
/// be counted on both.
pub async fn ensure_topics(settings: &KafkaSettings) -> Result<(), KafkaFault> {
    let config: ClientConfig = client::base(settings)?;
    let admin: AdminClient<DefaultClientContext> = config
        .create()
        .map_err(|source| KafkaFault::Client { brokers: settings.brokers.clone(), source })?;
    create(&admin, settings).await?;
    verify(admin, settings.clone()).await
}

/// A topic's name on the broker and the partitions it must have.
fn shape(settings: &KafkaSettings, topic: &Topic) -> (String, i32) {
    let partitions = if topic.partitioned { settings.partitions } else { 1 };
    (format!("{}{}", settings.prefix, topic.name), partitions)
}

async fn create(
    admin: &AdminClient<DefaultClientContext>,
    settings: &KafkaSettings,
) -> Result<(), KafkaFault> {
    let options =
        AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE));
    for topic in &topics::ALL {
        let (name, partitions) = shape(settings, topic);
        let cleanup = topic.settings();
        let new = cleanup.iter().fold(
            NewTopic::new(&name, partitions, TopicReplication::Fixed(settings.replication)),
            |new, (key, value)| new.set(key, value),
        );
        let doing = || format!("creating topic {name}");
        let outcome = admin
            .create_topics([&new], &options)
            .await
            .map_err(|source| KafkaFault::broker(doing(), source))?;
        for result in outcome {
            match result {
                Ok(_) => tracing::info!(topic = %name, partitions, "topic created"),
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((_, code)) => {
                    let source = rdkafka::error::KafkaError::AdminOp(code);
                    return Err(KafkaFault::broker(doing(), source));
                }
            }
        }
    }
    Ok(())
}

async fn verify(
    admin: AdminClient<DefaultClientContext>,
    settings: KafkaSettings,
) -> Result<(), KafkaFault> {
    let counts = once_known(admin, &settings).await?;
    for topic in &topics::ALL {
        let (name, expected) = shape(&settings, topic);
        let found = counts.partitions.get(&name).copied().unwrap_or_default();
        if found != expected {
            return Err(KafkaFault::Topic {
                topic: name,
                setting: "partitions".to_owned(),
                found: found.to_string(),
                expected: expected.to_string(),
                mend: format!(
                    "set kafka.partitions to {found}, or choose another kafka.prefix and replay"
                ),
            });
        }
        verify_cleanup(&counts.admin, topic, name).await?;
    }
    Ok(())
}

/// A topic that another role creates at this moment is known to the broker a little later.
async fn once_known(
    mut admin: AdminClient<DefaultClientContext>,
    settings: &KafkaSettings,
) -> Result<Counted, KafkaFault> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let counts = partition_counts(admin, settings).await?;
        let known = |topic| counts.partitions.contains_key(&shape(settings, topic).0);
        if topics::ALL.iter().all(known) || Instant::now() >= deadline {
            return Ok(counts);
        }
        admin = counts.admin;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

struct Counted {
    admin: AdminClient<DefaultClientContext>,
    partitions: HashMap<String, i32>,
}

/// Metadata is a blocking call: it runs beside the asynchronous runtime.
async fn partition_counts(
    admin: AdminClient<DefaultClientContext>,
    settings: &KafkaSettings,
) -> Result<Counted, KafkaFault> {
    let prefix = settings.prefix.clone();
    let fetch = move || {
        let metadata = admin
            .inner()
            .fetch_metadata(None, PATIENCE)
            .map_err(|source| KafkaFault::broker("listing topics", source))?;
        let partitions = metadata
            .topics()
            .iter()
            .filter(|topic| topic.name().starts_with(&prefix) && !topic.partitions().is_empty())
            .map(|topic| {
                let count = i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX);
                (topic.name().to_owned(), count)
            })
            .collect();
        Ok(Counted { admin, partitions })
    };
    tokio::task::spawn_blocking(fetch).await.unwrap_or_else(|panic| {
        std::panic::resume_unwind(panic.into_panic());
    })
}

async fn verify_cleanup(
    admin: &AdminClient<DefaultClientContext>,
    topic: &Topic,
    name: String,
) -> Result<(), KafkaFault> {
    let options = AdminOptions::new().request_timeout(Some(PATIENCE));
    let fault = |source| KafkaFault::broker(format!("reading the settings of {name}"), source);
    let described = admin
        .describe_configs([&ResourceSpecifier::Topic(&name)], &options)
        .await
        .map_err(fault)?;
    for resource in described {
        let resource = resource.map_err(|code| fault(rdkafka::error::KafkaError::AdminOp(code)))?;
        for (setting, expected) in topic.settings() {
            let found =
                resource.get(setting).and_then(|entry| entry.value.clone()).unwrap_or_default();
            if found != expected {
                return Err(KafkaFault::Topic {
                    mend: format!(
                        "run kafka-configs --alter --topic {name} --add-config {setting}={expected}"
                    ),
                    topic: name,
                    setting: setting.to_owned(),
                    found,
                    expected,
                });
            }
        }
    }
    Ok(())
}
