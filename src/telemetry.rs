//! Logs, and the HTTP server of `/live`, `/ready` and `/metrics`.

use std::{io::Write as _, net::SocketAddr, path::Path, sync::Mutex};

use anyhow::Context;
use axum::{Router, extract::State, http::StatusCode, routing::get};
use echolot_pipeline::health::HealthBoard;
use prometheus::{Registry, TextEncoder};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::{
    EnvFilter, Layer as _, filter::LevelFilter, fmt, layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::settings::{LogFormat, TelemetrySettings};

/// Days of log files that are kept.
const LOG_FILES: usize = 7;

/// Sends log events to standard error.
pub(crate) fn init(settings: &TelemetrySettings) -> anyhow::Result<()> {
    let events = fmt::layer().with_target(false).with_writer(std::io::stderr);
    let subscriber = tracing_subscriber::registry().with(filter(settings)?);
    match settings.format {
        LogFormat::Text => subscriber.with(events).init(),
        LogFormat::Json => subscriber.with(events.json().flatten_event(true)).init(),
    }
    Ok(())
}

/// Sends log events to a file a day in `folder`, and warnings to standard error as well: the
/// terminal belongs to what `up` shows.
pub(crate) fn init_beside(settings: &TelemetrySettings, folder: &Path) -> anyhow::Result<()> {
    let file = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("echolot")
        .filename_suffix("log")
        .max_log_files(LOG_FILES)
        .build(folder)
        .with_context(|| format!("cannot write logs into {}", folder.display()))?;
    let warnings =
        fmt::layer().with_target(false).with_writer(std::io::stderr).with_filter(LevelFilter::WARN);
    let events = fmt::layer().with_target(false).with_ansi(false).with_writer(Mutex::new(file));
    let subscriber = tracing_subscriber::registry().with(filter(settings)?).with(warnings);
    match settings.format {
        LogFormat::Text => subscriber.with(events).init(),
        LogFormat::Json => subscriber.with(events.json().flatten_event(true)).init(),
    }
    Ok(())
}

fn filter(settings: &TelemetrySettings) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(&settings.log)
        .with_context(|| format!("telemetry.log: {:?} is no log filter", settings.log))
}

/// The last word of a process that ends with an error, whether logging was set up or not.
pub(crate) fn complain(error: &anyhow::Error) {
    // Nothing is left to tell when standard error itself is closed.
    let _ = writeln!(std::io::stderr(), "echolot: {error:#}");
}

#[derive(Clone)]
struct Observed {
    board: HealthBoard,
    registry: Registry,
}

/// Serves health and metrics until cancelled.
pub(crate) async fn serve(
    listen: &str,
    board: HealthBoard,
    registry: Registry,
    cancel: CancellationToken,
) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("telemetry.listen: cannot listen on {listen}"))?;
    let address = listener.local_addr()?;
    let router = Router::new()
        .route("/live", get(live))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Observed { board, registry });
    tokio::spawn(async move {
        let server = axum::serve(listener, router);
        if let Err(error) = server.with_graceful_shutdown(cancel.cancelled_owned()).await {
            tracing::error!("the telemetry server ended: {error}");
        }
    });
    Ok(address)
}

async fn live(State(observed): State<Observed>) -> (StatusCode, String) {
    let dead = observed.board.dead();
    if dead.is_empty() {
        (StatusCode::OK, "live\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, format!("stuck: {}\n", dead.join(", ")))
    }
}

async fn ready(State(observed): State<Observed>) -> (StatusCode, String) {
    let waiting = observed.board.not_ready();
    let lines = |parts: &[(&str, String)]| -> String {
        let lines = parts.iter().map(|(part, reason)| format!("{part}: {reason}\n"));
        lines.collect()
    };
    if waiting.is_empty() {
        return (StatusCode::OK, format!("ready\n{}", lines(&observed.board.notes())));
    }
    (StatusCode::SERVICE_UNAVAILABLE, lines(&waiting))
}

async fn metrics(State(observed): State<Observed>) -> Result<String, StatusCode> {
    TextEncoder::new()
        .encode_to_string(&observed.registry.gather())
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}
