//! HTTP push: `POST /v1/mentions`, for everyone who would rather send than be asked.
//!
//! ```text
//!  request ─▶ sender ─▶ admission ─▶ signature time ─▶ body ─▶ signature ─▶ decompress ─▶ judge
//!               401        429            401        408 413      401         400 413       │
//!  202 / 400 ◀── acknowledged ◀── mentions.raw ◀────────────────────────────────────────────┘
//!                     503
//! ```
//!
//! An answer 202 means that every mention is safe in the log. Where some items are bad, the good
//! ones are safe as well and the answer is 400 with the others listed. Refused items do not become
//! dead letters: the sender is told and still has them. Sending anything again is harmless, because
//! ids come from the source's own.

pub(crate) mod admission;
pub(crate) mod answer;
mod batch;
pub(crate) mod body;
mod handler;
mod server;
pub mod signature;
mod trace;

use std::{collections::BTreeMap, sync::Arc};

use axum::{Router, routing::post};
use echolot_pipeline::{clock::Clock, settings::SecretError};
use echolot_schemas::{InvalidName, SourceName};

use self::{admission::Admission, handler::Push, signature::SigningKey};
pub use self::{
    batch::{Format, Judge, Outcome, Refusal, TooMany, format},
    server::serve,
};
use crate::{
    keep::KeepRule, log::Publish, metrics::IngestMetrics, observe::Observer, settings::PushSettings,
};

/// Senders cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A secret cannot be read.
    #[error("ingest.push.senders.{name}.secret: {source}")]
    Secret {
        /// Which sender.
        name: String,
        /// What is wrong.
        source: SecretError,
    },
    /// A name that no source may have.
    #[error("ingest.push.senders: {0}")]
    Name(#[from] InvalidName),
}

/// One that may push.
#[derive(Debug)]
struct Sender {
    source: SourceName,
    key: Option<SigningKey>,
    keep: KeepRule,
}

/// The router of `POST /v1/mentions`, to be mounted beside others or served by [`serve`].
pub fn router<P: Publish>(
    settings: &PushSettings,
    log: P,
    observer: Observer,
    metrics: IngestMetrics,
    clock: Clock,
) -> Result<Router, SetupError> {
    let senders = senders(settings)?;
    let admission = Admission::new(
        settings.requests_in_flight,
        settings.bytes_in_flight.as_u64(),
        metrics.in_flight_bytes.clone(),
    );
    let settings = settings.clone();
    let push = Push { settings, senders, admission, log, observer, metrics, clock };
    Ok(Router::new().route("/v1/mentions", post(handler::mentions::<P>)).with_state(Arc::new(push)))
}

fn senders(settings: &PushSettings) -> Result<BTreeMap<String, Arc<Sender>>, SetupError> {
    let sender = |(name, sender): (&String, &crate::settings::SenderSettings)| {
        let secret = sender
            .secret
            .read()
            .map_err(|source| SetupError::Secret { name: name.clone(), source })?;
        let key = (!sender.secret.is_empty()).then(|| SigningKey::new(&secret));
        let source = SourceName::new(name.as_str())?;
        Ok((name.clone(), Arc::new(Sender { source, key, keep: sender.keep })))
    };
    settings.senders.iter().map(sender).collect()
}
