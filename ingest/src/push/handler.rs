//! One request from its head to its answer.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::{Query, Request, State},
    http::{HeaderMap, Uri, header},
    response::Response,
};
use bytes::Bytes;
use echolot_pipeline::clock::Clock;
use echolot_schemas::RawEvent;
use serde::Deserialize;

use crate::{
    log::Publish,
    metrics::IngestMetrics,
    observe::Observer,
    push::{
        Judge, Outcome, Sender,
        admission::{Admission, Permit},
        answer::{Refused, receipt},
        batch,
        body::{self, Encoding},
        signature::{self, Claim, SignatureFault},
        trace::traceparent,
    },
    settings::PushSettings,
};

/// The header that may name the source instead of `?source=`.
const SOURCE_HEADER: &str = "x-echolot-source";
/// W3C Trace Context.
const TRACEPARENT: &str = "traceparent";
/// Bodies up to this size are judged where they are; larger ones would hold up other requests.
const BRIEF_BYTES: usize = 16 * 1024;

/// What all requests share.
pub(super) struct Push<P> {
    pub(super) settings: PushSettings,
    pub(super) senders: BTreeMap<String, Arc<Sender>>,
    pub(super) admission: Arc<Admission>,
    pub(super) log: P,
    pub(super) observer: Observer,
    pub(super) metrics: IngestMetrics,
    pub(super) clock: Clock,
}

/// The query of the URL. Others' parameters are passed over.
#[derive(Debug, Default, Deserialize)]
struct Named {
    source: Option<String>,
}

/// Handles `POST /v1/mentions`.
pub(super) async fn mentions<P: Publish>(
    State(push): State<Arc<Push<P>>>,
    request: Request,
) -> Response {
    let (head, mut body) = request.into_parts();
    let named = named_source(&head.uri, &head.headers);
    let name = named.as_deref().unwrap_or_default().to_owned();
    let accepted = match named {
        Ok(name) => accept(&push, &name, &head.headers, &mut body).await,
        Err(refused) => Err(refused),
    };
    // One that waits for `100 Continue` has sent nothing yet, and need not.
    if accepted.is_err() && !head.headers.contains_key(header::EXPECT) {
        body::discard(&mut body).await;
    }
    let response = match accepted {
        Ok(outcome) => receipt(&outcome),
        Err(refused) => refused.answer(push.settings.retry_after),
    };
    push.metrics.request(&name, response.status().as_u16());
    response
}

async fn accept<P: Publish>(
    push: &Arc<Push<P>>,
    name: &str,
    headers: &HeaderMap,
    body: &mut Body,
) -> Result<Outcome, Refused> {
    let unknown = || Refused::UnknownSource(name.chars().take(64).collect());
    let sender = push.senders.get(name).cloned().ok_or_else(unknown)?;
    let mut permit = push.admission.admit()?;
    if push.log.is_saturated() {
        return Err(Refused::Saturated);
    }
    let settings = &push.settings;
    let claim = claim(push, &sender, headers)?;
    let encoding = Encoding::parse(text(headers, header::CONTENT_ENCODING))?;
    let declared = text(headers, header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    let most = settings.body_limit.as_u64();
    let body = body::read(body, declared, most, settings.body_timeout, &mut permit).await?;
    let work = Work {
        push: Arc::clone(push),
        sender: Arc::clone(&sender),
        claim,
        encoding,
        content_type: text(headers, header::CONTENT_TYPE).map(str::to_owned),
        body,
        permit,
    };
    let (outcome, _permit) = work.spawn().await?;
    for (reason, count) in outcome.reasons.values() {
        push.metrics.rejected(&sender.source, *reason, *count);
    }
    push.metrics.filtered(&sender.source, outcome.filtered as u64);
    publish(push, &sender, &outcome.events, traceparent(text(headers, TRACEPARENT))).await?;
    Ok(outcome)
}

/// The signature's header with its time checked; none where the sender needs none.
fn claim<P>(
    push: &Push<P>,
    sender: &Sender,
    headers: &HeaderMap,
) -> Result<Option<Claim>, SignatureFault> {
    if sender.key.is_none() {
        return Ok(None);
    }
    let header = headers.get(signature::HEADER).ok_or(SignatureFault::Missing)?;
    let header = header.to_str().map_err(|_| SignatureFault::Malformed("it is not ASCII"))?;
    let claim = Claim::parse(header)?;
    claim.check_time(push.clock.now(), push.settings.signature_window)?;
    Ok(Some(claim))
}

async fn publish<P: Publish>(
    push: &Push<P>,
    sender: &Sender,
    events: &[RawEvent],
    traceparent: Option<&str>,
) -> Result<(), Refused> {
    if events.is_empty() {
        return Ok(());
    }
    let (source, timeout) = (&sender.source, push.settings.publish_timeout);
    let started = Instant::now();
    let published = tokio::time::timeout(timeout, push.log.publish(events, traceparent)).await;
    push.metrics.publish_seconds.observe(started.elapsed().as_secs_f64());
    let refused = match published {
        Ok(Ok(())) => {
            push.metrics.acknowledged(source, events, push.clock.now());
            return Ok(());
        }
        Ok(Err(fault)) => Refused::Log(fault),
        Err(_) => Refused::NoAcknowledgement(timeout),
    };
    push.metrics.fault(source, "log");
    tracing::warn!(%source, events = events.len(), "push was not acknowledged: {refused}");
    Err(refused)
}

/// What is to be done with a body that is there: all of it takes time, none of it waits.
struct Work<P> {
    push: Arc<Push<P>>,
    sender: Arc<Sender>,
    claim: Option<Claim>,
    encoding: Encoding,
    content_type: Option<String>,
    body: Bytes,
    permit: Permit,
}

impl<P: Publish> Work<P> {
    /// Runs it where it holds up no other request.
    async fn spawn(self) -> Result<(Outcome, Permit), Refused> {
        if self.body.len() <= BRIEF_BYTES && self.encoding == Encoding::Identity {
            return self.run();
        }
        tokio::task::spawn_blocking(|| self.run())
            .await
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    fn run(mut self) -> Result<(Outcome, Permit), Refused> {
        if let (Some(claim), Some(key)) = (&self.claim, &self.sender.key) {
            claim.verify(key, &self.body)?;
        }
        let most = self.push.settings.decompressed_limit.as_u64();
        let body = body::decompress(self.encoding, self.body, most, &mut self.permit)?;
        if body.trim_ascii().is_empty() {
            return Err(Refused::Empty);
        }
        let judge = Judge {
            observer: &self.push.observer,
            source: &self.sender.source,
            keep: self.sender.keep,
            observed_at: self.push.clock.now(),
            items_limit: self.push.settings.items_limit,
        };
        let outcome = judge.judge(batch::format(self.content_type.as_deref(), &body), &body)?;
        Ok((outcome, self.permit))
    }
}

/// The source as the request names it, which proves nothing yet.
fn named_source(uri: &Uri, headers: &HeaderMap) -> Result<String, Refused> {
    let query = Query::<Named>::try_from_uri(uri).map_err(|_| Refused::NoSource)?.0.source;
    let header = text(headers, SOURCE_HEADER).map(str::to_owned);
    match (query, header) {
        (Some(query), Some(header)) if query != header => Err(Refused::TwoSources),
        (query, header) => query.or(header).ok_or(Refused::NoSource),
    }
}

fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
