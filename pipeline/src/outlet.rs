//! Where a stage's output goes.

use std::future::Future;

use echolot_schemas::{Event, topics::Topic};

use crate::producer::{Producer, PublishError};

/// One output on its way.
#[derive(Debug)]
pub struct Output<O> {
    /// What the stage emitted.
    pub value: O,
    /// Partition of its input, and so of its output.
    pub partition: i32,
    /// Trace it belongs to.
    pub traceparent: Option<String>,
}

/// Takes a stage's output in. Ok once all of it is safe.
pub trait Outlet<O>: Send + 'static {
    /// Emits all outputs; after an error the same ones come again.
    fn emit(&self, outputs: &[Output<O>]) -> impl Future<Output = Result<(), PublishError>> + Send;
}

/// Onto a topic, each output to the partition that its input came from.
pub struct ToTopic {
    /// Writes them.
    pub producer: Producer,
    /// Which topic.
    pub topic: Topic,
}

impl<E: Event> Outlet<E> for ToTopic {
    async fn emit(&self, outputs: &[Output<E>]) -> Result<(), PublishError> {
        let events = outputs
            .iter()
            .map(|output| (&output.value, Some(output.partition), output.traceparent.as_deref()));
        self.producer.publish_to(&self.topic, events).await
    }
}

/// Nowhere: the last stage's effects are its own.
pub struct Nowhere;

impl Outlet<()> for Nowhere {
    async fn emit(&self, _: &[Output<()>]) -> Result<(), PublishError> {
        Ok(())
    }
}
