//! Reloading brand files while the role runs.

use std::time::Duration;

use tokio::{signal::unix::Signal, task::JoinError, time};

use super::{BrandFiles, BrandMetrics, BrandSet, LiveBrands};
use crate::health::Health;

/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Puts changed brand files into use. A broken one leaves the last good version at work, is told
/// once in the log, and shows as a note in `/ready`: the role does its work, so it stays ready.
#[derive(Debug)]
pub struct BrandWatch {
    files: BrandFiles,
    brands: LiveBrands,
    handles_kept: bool,
    metrics: BrandMetrics,
    health: Health,
}

impl BrandWatch {
    /// Watches the files that `brands` was loaded from. `handles_kept` is `privacy.keep_handles`.
    pub fn new(
        files: BrandFiles,
        brands: LiveBrands,
        handles_kept: bool,
        metrics: BrandMetrics,
        health: Health,
    ) -> Self {
        let watch = Self { files, brands, handles_kept, metrics, health };
        watch.announce(&watch.brands.present(), "brands loaded");
        watch
    }

    /// Watches for as long as it is polled; SIGHUP reloads at once. Ends only when a reload
    /// panicked.
    pub async fn run(mut self, mut hangup: Signal) -> JoinError {
        loop {
            let told = tokio::select! {
                () = time::sleep(LOOK) => false,
                Some(()) = hangup.recv() => true,
            };
            let look = move || {
                self.look(told);
                self
            };
            self = match tokio::task::spawn_blocking(look).await {
                Ok(watch) => watch,
                Err(panic) => return panic,
            };
        }
    }

    /// Reloads when a file changed, or when told to.
    pub fn look(&mut self, told: bool) {
        if !told && !self.files.changed() {
            return;
        }
        match self.files.load() {
            Ok(set) => {
                self.brands.replace(set);
                self.health.clear_note();
                // Not before it is so: whoever reads this may rely on it.
                self.announce(&self.brands.present(), "brands reloaded");
            }
            Err(error) => {
                let present = self.brands.present();
                let version = present.book().version();
                self.metrics.reload_failures.with_label_values(&[self.health.name()]).inc();
                self.health.note(&format!(
                    "brand files cannot be used, version {version} goes on: {}",
                    error.to_string().lines().next().unwrap_or_default()
                ));
                tracing::error!(
                    %version,
                    "brand files cannot be used, the last good version goes on:\n{}",
                    error.render()
                );
            }
        }
    }

    fn announce(&self, set: &BrandSet, what: &'static str) {
        let book = set.book();
        let count = book.brands().len();
        let gauge = self.metrics.brands.with_label_values(&[self.health.name()]);
        gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        tracing::info!(brands = count, version = %book.version(), "{what}");
        for (brand, warning) in book.warnings() {
            tracing::info!(brand = %brand.name, file = %brand.file, "{}", warning.kind);
        }
        if !self.handles_kept {
            let asking = set.asking_for_handles();
            if !asking.is_empty() {
                tracing::warn!(
                    brands = asking.join(", "),
                    "`author:` is compared with handles, and none are kept; set \
                     privacy.keep_handles = true, or remove it"
                );
            }
        }
    }
}
