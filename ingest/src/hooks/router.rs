//! The HTTP side of webhooks.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use bytes::Bytes;

use crate::{
    collector::Collector,
    hooks::Hook,
    log::Publish,
    push::{
        admission::Admission,
        answer::Refused,
        body::{self, Encoding},
    },
    settings::PushSettings,
};

/// What all requests share.
struct Shared<P, C> {
    settings: PushSettings,
    hooks: BTreeMap<String, Arc<dyn Hook>>,
    admission: Arc<Admission>,
    collector: Collector<P, C>,
}

/// The router of `POST /v1/hooks/NAME`, under the same limits as `/v1/mentions`.
pub fn router<P, C>(
    settings: &PushSettings,
    hooks: Vec<Arc<dyn Hook>>,
    collector: Collector<P, C>,
) -> Router
where
    P: Publish,
    C: Send + Sync + 'static,
{
    let admission = Admission::new(
        settings.requests_in_flight,
        settings.bytes_in_flight.as_u64(),
        collector.metrics.in_flight_bytes.clone(),
    );
    let hooks = hooks.into_iter().map(|hook| (hook.name().to_string(), hook)).collect();
    let shared = Shared { settings: settings.clone(), hooks, admission, collector };
    Router::new().route("/v1/hooks/{name}", post(handle::<P, C>)).with_state(Arc::new(shared))
}

async fn handle<P: Publish, C: Send + Sync + 'static>(
    State(shared): State<Arc<Shared<P, C>>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let response = match accept(&shared, &name, request).await {
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err(refused) => refused.answer(shared.settings.retry_after),
    };
    shared.collector.metrics.request(&name, response.status().as_u16());
    response
}

async fn accept<P: Publish, C>(
    shared: &Shared<P, C>,
    name: &str,
    request: Request,
) -> Result<(), Refused> {
    let Shared { settings, hooks, admission, collector } = shared;
    let unknown = || Refused::UnknownSource(name.chars().take(64).collect());
    let hook = hooks.get(name).ok_or_else(unknown)?;
    let mut permit = admission.admit()?;
    if collector.log.is_saturated() {
        return Err(Refused::Saturated);
    }
    let (head, mut body) = request.into_parts();
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    let encoding = Encoding::parse(text(header::CONTENT_ENCODING))?;
    let declared = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    let most = settings.body_limit.as_u64();
    let sent = body::read(&mut body, declared, most, settings.body_timeout, &mut permit).await?;
    let unpacked = settings.decompressed_limit.as_u64();
    let body: Bytes = body::decompress(encoding, sent, unpacked, &mut permit)?;
    hook.authenticate(&head.headers, &body, collector.clock.now()).map_err(Refused::Hook)?;
    let page = hook.translate(&head.headers, body);
    let within = settings.publish_timeout;
    collector.take(hook.name(), page, hook.keep(), within).await.map_err(|fault| {
        collector.metrics.fault(hook.name(), "log");
        Refused::Log(fault)
    })?;
    Ok(())
}
