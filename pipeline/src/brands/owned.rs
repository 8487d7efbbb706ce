//! Mentions that a brand wrote itself, told by their authors' pseudonyms.
//!
//! The log holds a keyed hash of an author, not the handle. So the handles of the brand files are
//! hashed with the same key and compared: nothing more about anybody gets onto the log, and when a
//! brand gains an account, a replay finds what that account wrote before. The hash knows no
//! likeness, though: an account is found by its handle as the source writes it, or in lower case,
//! with `@` or without.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use echolot_brands::{BrandBook, BrandIndex, book::OwnedAccount};
use echolot_schemas::{SourceName, mention::Author};

/// Sources whose accounts are remembered; further ones are hashed each time. Past what anybody
/// configures, so that only a log written by others gets there.
const SOURCES: usize = 256;

/// The pseudonym of a handle at a source, as ingest makes it.
#[derive(Clone)]
pub struct Pseudonymise(Arc<Pseudonym>);

type Pseudonym = dyn Fn(&SourceName, &str) -> String + Send + Sync;

impl Pseudonymise {
    /// By this function.
    pub fn new(pseudonym: impl Fn(&SourceName, &str) -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(pseudonym))
    }
}

impl fmt::Debug for Pseudonymise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pseudonymise(…)")
    }
}

/// By pseudonym the brands that speak through it, ascending.
type Own = HashMap<String, Vec<BrandIndex>>;

/// The pseudonyms of all owned accounts of a book, by source, made when a source is first seen.
#[derive(Debug, Default)]
pub(super) struct OwnPseudonyms(RwLock<HashMap<SourceName, Arc<Own>>>);

impl OwnPseudonyms {
    pub(super) fn wrote(
        &self,
        book: &BrandBook,
        source: &SourceName,
        author: &Author,
        pseudonymise: &Pseudonymise,
    ) -> Vec<BrandIndex> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(source).cloned();
        let own = known.unwrap_or_else(|| {
            let own = Arc::new(of_source(book, source, pseudonymise));
            let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
            if known.len() < SOURCES {
                known.insert(source.clone(), Arc::clone(&own));
            }
            own
        });
        own.get(&author.pseudonym).cloned().unwrap_or_default()
    }
}

fn of_source(book: &BrandBook, source: &SourceName, pseudonymise: &Pseudonymise) -> Own {
    let mut own = Own::new();
    for (index, brand) in (0..).zip(book.brands()) {
        let here = |account: &&OwnedAccount| account.is_on(source.as_str());
        for account in brand.owned_accounts.iter().filter(here) {
            let written = account.written();
            let lower = written.to_lowercase();
            for handle in [written, &lower, &format!("@{written}"), &format!("@{lower}")] {
                let brands = own.entry((pseudonymise.0)(source, handle)).or_default();
                if brands.last() != Some(&index) {
                    brands.push(index);
                }
            }
        }
    }
    own
}
