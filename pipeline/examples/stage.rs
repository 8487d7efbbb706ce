//! A stage of a few lines, run by a worker against a broker that librdkafka plays in process.
//!
//! ```text
//! cargo run -p echolot-pipeline --example stage
//! ```

#![expect(clippy::print_stdout, reason = "an example that prints its result")]

use std::{error::Error, time::Duration};

use bytesize::ByteSize;
use echolot_pipeline::{
    clock,
    health::HealthBoard,
    metrics::{ProducerMetrics, WorkerMetrics},
    outlet::Nowhere,
    producer::Producer,
    settings::{KafkaSettings, Secret, SecurityProtocol, WorkerSettings},
    stage::{Fault, Item, Stage, Verdict},
    worker::Worker,
};
use echolot_schemas::{MentionId, RawEvent, SourceName, raw::Deleted, topics};
use prometheus::Registry;
use rdkafka::mocking::MockCluster;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const EVENTS: usize = 1_000;

/// Counts what it is given. Its effect, a message a batch, is not idempotent: it may count twice.
struct Counter(mpsc::UnboundedSender<usize>);

impl Stage for Counter {
    type Input = RawEvent;
    type Output = ();

    fn name(&self) -> &'static str {
        "counter"
    }

    async fn judge(&mut self, batch: &[Item<RawEvent>]) -> Result<Vec<Verdict<()>>, Fault> {
        self.0.send(batch.len()).map_err(|_| Fault::Fatal("nobody listens".to_owned()))?;
        Ok(batch.iter().map(|_| Verdict::Emit(())).collect())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let broker = MockCluster::new(1)?;
    for topic in topics::ALL {
        broker.create_topic(topic.name, 2, 1)?;
    }
    let (registry, board) = (Registry::new(), HealthBoard::default());
    let kafka = kafka(broker.bootstrap_servers());
    let producer =
        Producer::connect(&kafka, ProducerMetrics::new(&registry)?, board.part("producer"))?;

    let source = SourceName::new("forum")?;
    let event = |number: usize| {
        let id = MentionId::derive(&source, &number.to_string());
        RawEvent::Deleted(Deleted { id, source: source.clone(), observed_at: clock::now() })
    };
    let events: Vec<RawEvent> = (0..EVENTS).map(event).collect();
    producer.publish(&topics::RAW, &events, None).await?;
    println!("{EVENTS} events acknowledged");

    let (counted, mut counts) = mpsc::unbounded_channel();
    let worker = Worker {
        stage: Counter(counted),
        outlet: Nowhere,
        input: topics::RAW,
        group: "counter".to_owned(),
        producer,
        kafka,
        settings: settings(),
        metrics: WorkerMetrics::new(&registry)?,
        health: board.part("counter"),
    };
    let cancel = CancellationToken::new();
    let working = tokio::spawn(worker.run(cancel.clone()));
    let mut total = 0;
    while total < EVENTS {
        let rows = counts.recv().await.ok_or("the worker ended early")?;
        total += rows;
        println!("a batch of {rows}, {total} so far");
    }
    cancel.cancel();
    working.await??;
    Ok(())
}

fn kafka(brokers: String) -> KafkaSettings {
    KafkaSettings {
        brokers,
        prefix: String::new(),
        partitions: 2,
        replication: 1,
        security: SecurityProtocol::Plaintext,
        sasl_mechanism: String::new(),
        username: String::new(),
        password: Secret::default(),
        ca_file: String::new(),
        session_timeout: Duration::from_secs(6),
        linger: Duration::from_millis(5),
        delivery_timeout: Duration::from_secs(10),
        fetch_ahead: ByteSize::mib(4),
        send_buffer: ByteSize::mib(4),
    }
}

fn settings() -> WorkerSettings {
    WorkerSettings {
        batch_rows: 300,
        batch_bytes: ByteSize::mib(1),
        linger: Duration::from_millis(50),
        in_flight_rows: 1_000,
        in_flight_bytes: ByteSize::mib(2),
        drain: Duration::from_secs(5),
        poison_run: 100,
        poison_ratio: 0.5,
    }
}
