//! Share of voice: how the mentions of a group divide among its brands.

use std::collections::BTreeMap;

use crate::book::BrandBook;
use crate::matcher::BrandIndex;

/// A brand's part of its group's mentions.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Share {
    /// The brand.
    pub brand: String,
    /// Its mentions.
    pub mentions: u64,
    /// Its part of the group's mentions, from 0 to 1; 0 when the group has none.
    pub share: f64,
}

/// Divides counted mentions by group. A mention of two brands counts for both, so shares of a group
/// sum to one over mentions of brands, not over mentions.
pub fn shares(
    book: &BrandBook,
    counts: impl IntoIterator<Item = (BrandIndex, u64)>,
) -> BTreeMap<String, Vec<Share>> {
    let mut mentions = vec![0_u64; book.brands().len()];
    for (index, count) in counts {
        if let Some(sum) = mentions.get_mut(index as usize) {
            *sum = sum.saturating_add(count);
        }
    }
    let mut groups: BTreeMap<String, Vec<Share>> = BTreeMap::new();
    for (brand, mentions) in book.brands().iter().zip(mentions) {
        let share = Share { brand: brand.name.clone(), mentions, share: 0.0 };
        groups.entry(brand.group.clone()).or_default().push(share);
    }
    for shares in groups.values_mut() {
        let total: u64 = shares.iter().map(|share| share.mentions).fold(0, u64::saturating_add);
        for share in shares.iter_mut().filter(|_| total > 0) {
            share.share = share.mentions as f64 / total as f64;
        }
    }
    groups
}
