//! Serving a router to senders that may be slow, many, or hostile.

use std::{sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::settings::PushSettings;

/// Largest head of a request.
const HEAD_BYTES: usize = 32 * 1024;
/// Pause after a failed accept, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `router` (HTTP/1.1) until `cancel`; then takes no more and finishes what was begun.
///
/// Heads must come within `header_timeout`, which also ends idle connections; bodies are bounded by
/// the router. Dropping the future ends every connection at once.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    settings: &PushSettings,
    cancel: CancellationToken,
) {
    let slots = Arc::new(Semaphore::new(settings.connections));
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (slot, listener.accept().await)
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            (slot, accepted) = next => match accepted {
                Ok((stream, _)) => {
                    let served =
                        connection(stream, router.clone(), settings.header_timeout, cancel.clone());
                    connections.spawn(async move {
                        let _slot = slot;
                        served.await;
                    });
                }
                Err(error) => {
                    tracing::warn!("push cannot accept a connection: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    while connections.join_next().await.is_some() {}
}

async fn connection(
    stream: TcpStream,
    router: Router,
    header_timeout: Duration,
    cancel: CancellationToken,
) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(header_timeout).max_buf_size(HEAD_BYTES);
    let service = TowerToHyperService::new(router);
    let mut served = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = cancel.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("push connection ended: {error}");
    }
}
