//! Reading the published views, within caps.

use std::sync::Arc;

use clickhouse::{RowOwned, RowRead, query::Query};
use echolot_store::{Action, ClickHouseSettings, Store, StoreError};
use tokio::sync::Semaphore;

use crate::{error::ApiError, settings::DashboardSettings};

/// Asks the store as the user that only reads. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    store: Store,
    /// So many questions at once; the others wait here and not at the store.
    places: Arc<Semaphore>,
}

impl Reader {
    pub(crate) fn new(
        store: &ClickHouseSettings,
        settings: &DashboardSettings,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            store: Store::reader(store, &settings.login(), settings.limits())?,
            places: Arc::new(Semaphore::new(settings.concurrency)),
        })
    }

    /// Asks; `bind` sets every `{name:Type}` of the text.
    pub(crate) async fn ask<T>(
        &self,
        sql: &str,
        bind: impl FnOnce(Query) -> Query,
    ) -> Result<Vec<T>, ApiError>
    where
        T: RowOwned + RowRead,
    {
        // Never closed, so this cannot fail; if it did, the question would go on without a place.
        let _place = self.places.acquire().await.ok();
        Ok(self.store.fetch_bound(Action::Read, sql, bind).await?)
    }
}
