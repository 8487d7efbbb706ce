//! The server: routes, what the handlers share, and its life.

use std::sync::Arc;

use axum::{Json, Router, middleware, routing::get};
use echolot_pipeline::{brands::LiveBrands, health::Health};
use echolot_store::{ClickHouseSettings, StoreError};
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;

use crate::{
    answer,
    api::{self, Pulse},
    page::page,
    reader::Reader,
    settings::DashboardSettings,
};

/// What every handler may use. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) reader: Reader,
    /// The brands as they are configured now, to explain matches by.
    pub(crate) brands: LiveBrands,
    pub(crate) pulse: Arc<watch::Sender<Pulse>>,
    pub(crate) cancel: CancellationToken,
}

impl Shared {
    pub(crate) fn configured_brands(&self) -> Vec<String> {
        self.brands.present().book().brands().iter().map(|brand| brand.name.clone()).collect()
    }
}

/// The dashboard cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum DashboardError {
    /// The reading user's password.
    #[error("dashboard: {0}")]
    Store(#[from] StoreError),
    /// Nobody may be let in who could write.
    #[error(
        "dashboard.user must name a user of the store that only reads; the embedded server has one, \
         docker/clickhouse/users.d shows how to make one"
    )]
    NoReader,
    /// The socket.
    #[error("the dashboard's server ended: {0}")]
    Serve(#[from] std::io::Error),
}

/// Serves the pages.
#[derive(Debug)]
pub struct Dashboard {
    /// How to reach the store.
    pub store: ClickHouseSettings,
    /// Its own settings.
    pub settings: DashboardSettings,
    /// The brands as configured.
    pub brands: LiveBrands,
    /// Told once it serves.
    pub health: Health,
}

impl Dashboard {
    /// Serves on `listener` until cancelled. A store out of reach is told by the answers; it is no
    /// reason to end.
    pub async fn serve(
        self,
        listener: TcpListener,
        cancel: CancellationToken,
    ) -> Result<(), DashboardError> {
        if self.settings.user.is_empty() {
            return Err(DashboardError::NoReader);
        }
        let reader = Reader::new(&self.store, &self.settings)?;
        let (pulse, _) = watch::channel(Pulse::default());
        let pulse = Arc::new(pulse);
        let shared = Shared {
            reader: reader.clone(),
            brands: self.brands,
            pulse: Arc::clone(&pulse),
            cancel: cancel.clone(),
        };
        self.health.ready();
        let server = axum::serve(listener, router(shared))
            .with_graceful_shutdown(cancel.clone().cancelled_owned());
        tokio::select! {
            ended = async { server.await } => Ok(ended?),
            () = api::follow(reader, &pulse) => Ok(()),
        }
    }
}

/// The description of the API, as `/api/openapi.json` gives it.
pub fn openapi() -> OpenApi {
    api::routes().split_for_parts().1
}

fn router(shared: Shared) -> Router {
    let (routes, description) = api::routes().split_for_parts();
    routes
        .route("/api/openapi.json", get(move || async move { Json(description) }))
        .route("/api/{*unknown}", get(api::unknown))
        .layer(middleware::from_fn(answer::tagged))
        .fallback(page)
        .layer(middleware::from_fn(answer::guarded))
        .with_state(shared)
}
