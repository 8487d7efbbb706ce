//! Brand definitions: TOML text in, a validated book out.
//!
//! ```toml
//! name = "Deutsche Bahn"
//! group = "Rail"
//! query = '"Deutsche Bahn" OR #DeutscheBahn OR @DB_Bahn'
//! competitors = ["Flixbus"]
//! owned_accounts = ["@DB_Bahn", "bluesky:bahn.example"]
//! languages = ["de", "en"]
//!
//! [alerts]
//! sensitivity = "high"
//! min_mentions = 20
//! channels = ["pr-team"]
//! ```

mod brand;
mod error;
mod file;
mod version;

use std::collections::HashMap;

pub use brand::{Alerts, Brand, OwnedAccount, Sensitivity};
pub use error::{BookError, BookErrors};

use crate::matcher::BrandIndex;
use crate::post::Post;
use crate::query::Warning;
use crate::text::fold_value;

/// Brands of one book; more belong into a second process.
pub const MAX_BRANDS: usize = 20_000;
/// Bytes of one brand file.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// All brands, validated together.
#[derive(Debug, Clone, Default)]
pub struct BrandBook {
    brands: Vec<Brand>,
    by_name: HashMap<String, BrandIndex>,
    by_handle: HashMap<String, Vec<BrandIndex>>,
}

impl BrandBook {
    /// Reads brand files as (name, content), in any order. Brands are ordered by name, so that the
    /// same files give the same book. Fails with every error of every file.
    pub fn from_files<N: AsRef<str>, C: AsRef<str>>(
        files: impl IntoIterator<Item = (N, C)>,
    ) -> Result<Self, BookErrors> {
        let mut brands = Vec::new();
        let mut errors = Vec::new();
        for (name, content) in files {
            match file::read(name.as_ref(), content.as_ref()) {
                Ok(found) => brands.extend(found),
                Err(found) => errors.extend(found),
            }
        }
        // A brand whose own file is broken must not make its competitors' files look broken.
        let complete = errors.is_empty();
        let book = Self::from_brands(brands, complete, &mut errors);
        if errors.is_empty() { Ok(book) } else { Err(BookErrors(errors)) }
    }

    fn from_brands(mut brands: Vec<Brand>, complete: bool, errors: &mut Vec<BookError>) -> Self {
        brands.sort_by(|a, b| (fold_value(&a.name), &a.file).cmp(&(fold_value(&b.name), &b.file)));
        if brands.len() > MAX_BRANDS {
            errors.push(BookError::TooManyBrands { count: brands.len() });
        }
        for pair in brands.windows(2) {
            if let [first, second] = pair
                && fold_value(&first.name) == fold_value(&second.name)
            {
                let (name, first) = (second.name.clone(), first.file.clone());
                errors.push(BookError::DuplicateName { file: second.file.clone(), name, first });
            }
        }
        let by_name: HashMap<String, BrandIndex> =
            (0..).zip(&brands).map(|(index, brand)| (fold_value(&brand.name), index)).collect();
        for brand in brands.iter().filter(|_| complete) {
            for competitor in &brand.competitors {
                if !by_name.contains_key(&fold_value(competitor)) {
                    errors.push(BookError::UnknownCompetitor {
                        file: brand.file.clone(),
                        brand: brand.name.clone(),
                        competitor: competitor.clone(),
                        resembles: resembling(competitor, &brands),
                    });
                }
            }
        }
        let mut by_handle: HashMap<String, Vec<BrandIndex>> = HashMap::new();
        for (index, brand) in (0..).zip(&brands) {
            for account in &brand.owned_accounts {
                by_handle.entry(account.handle().to_owned()).or_default().push(index);
            }
        }
        Self { brands, by_name, by_handle }
    }

    /// All brands, ordered by name; their indices are those the matcher reports.
    pub fn brands(&self) -> &[Brand] {
        &self.brands
    }

    /// The brand at an index.
    pub fn get(&self, index: BrandIndex) -> Option<&Brand> {
        self.brands.get(index as usize)
    }

    /// The index of a brand by its name, in any case.
    pub fn index_of(&self, name: &str) -> Option<BrandIndex> {
        self.by_name.get(&fold_value(name)).copied()
    }

    /// Whether any brand has accounts of its own.
    pub fn owns_accounts(&self) -> bool {
        !self.by_handle.is_empty()
    }

    /// The brands that wrote the mention themselves, each once, in ascending order. Costs one look
    /// however many brands there are.
    pub fn wrote(&self, post: &Post<'_>) -> Vec<BrandIndex> {
        let Some(author) = post.author.filter(|_| self.owns_accounts()) else {
            return Vec::new();
        };
        let handle = fold_value(author.trim_start_matches('@'));
        let candidates = self.by_handle.get(&handle).into_iter().flatten().copied();
        let mut own: Vec<_> = candidates
            .filter(|index| self.get(*index).is_some_and(|brand| brand.wrote(post)))
            .collect();
        own.dedup();
        own
    }

    /// Every warning with the brand it is about.
    pub fn warnings(&self) -> impl Iterator<Item = (&Brand, &Warning)> {
        self.brands
            .iter()
            .flat_map(|brand| brand.warnings.iter().map(move |warning| (brand, warning)))
    }

    /// A fingerprint of all definitions, to tell whether a reload changed anything.
    pub fn version(&self) -> String {
        version::of(self.brands.iter().map(|brand| brand.version.as_str()))
    }
}

fn resembling(name: &str, brands: &[Brand]) -> Option<String> {
    let wanted = fold_value(name);
    let distance = |brand: &&Brand| strsim::damerau_levenshtein(&fold_value(&brand.name), &wanted);
    brands
        .iter()
        .min_by_key(distance)
        .filter(|brand| distance(brand) <= 2)
        .map(|brand| brand.name.clone())
}
