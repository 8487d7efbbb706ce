//! The brands that are matched now.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::BrandSet;

/// A shared place for the present set of brands. Cheap to clone; all clones see a replacement.
#[derive(Clone, Debug)]
pub struct LiveBrands(Arc<ArcSwap<BrandSet>>);

impl LiveBrands {
    /// Begins with a set.
    pub fn new(set: BrandSet) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(set)))
    }

    /// The present set. Whoever holds it goes on with it when it is replaced, so that a batch is
    /// matched by one version from its first mention to its last.
    pub fn present(&self) -> Arc<BrandSet> {
        self.0.load_full()
    }

    /// Puts another set in its place.
    pub fn replace(&self, set: BrandSet) {
        self.0.store(Arc::new(set));
    }
}
