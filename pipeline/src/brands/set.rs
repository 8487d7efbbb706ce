//! One version of all brands, ready to match.

use std::collections::BTreeSet;

use echolot_brands::{
    Brand, BrandBook, Matcher, Post, Scratch,
    query::{Expr, field::FieldTest},
};
use echolot_schemas::{Mention, enriched::BrandMatch};

use super::BrandsError;

/// A brand book and its matcher. Never changes; a reload makes another.
#[derive(Debug)]
pub struct BrandSet {
    book: BrandBook,
    matcher: Matcher,
    /// By index in the book: what a match puts into the mention.
    entries: Vec<BrandMatch>,
    /// Languages that some query asks for.
    languages: BTreeSet<String>,
}

impl BrandSet {
    /// Compiles a book.
    pub fn compile(book: BrandBook) -> Result<Self, BrandsError> {
        let matcher = Matcher::compile(&book)?;
        let entries = book
            .brands()
            .iter()
            .map(|brand| BrandMatch { brand: brand.name.clone(), version: brand.version.clone() })
            .collect();
        let mut languages = BTreeSet::new();
        for brand in book.brands() {
            visit_fields(brand.query.expr(), &mut |test| {
                if let FieldTest::Lang(language) = test {
                    languages.insert(language.clone());
                }
            });
        }
        Ok(Self { book, matcher, entries, languages })
    }

    /// The brands.
    pub fn book(&self) -> &BrandBook {
        &self.book
    }

    /// The brands that a mention is about, each once, ordered by name.
    pub fn find(&self, post: &Post<'_>, scratch: &mut Scratch) -> Vec<BrandMatch> {
        let found = self.matcher.matches(post, scratch);
        found.iter().filter_map(|index| self.entries.get(*index as usize)).cloned().collect()
    }

    /// Whether a brand may be about a mention whose language is not known yet, or an owned account
    /// wrote it: true for every mention that [`Self::find`] could match, in whatever language it
    /// turns out to be.
    pub fn may_concern(&self, post: &Post<'_>, scratch: &mut Scratch) -> bool {
        // Languages that no query asks for are all the same to every query, and same as unknown.
        let languages = self.languages.iter().map(|language| Some(language.as_str()));
        let mut languages = std::iter::once(None).chain(languages);
        languages.any(|lang| !self.matcher.matches(&Post { lang, ..*post }, scratch).is_empty())
            || self.book.brands().iter().any(|brand| brand.wrote(post))
    }

    /// Names of brands that ask who wrote a mention, by `author:` or owned accounts. A handle is
    /// on the log only where `privacy.keep_handles` is true; elsewhere such a test is never met.
    pub fn asking_for_handles(&self) -> Vec<&str> {
        let asks =
            |brand: &&Brand| !brand.owned_accounts.is_empty() || asks_author(brand.query.expr());
        self.book.brands().iter().filter(asks).map(|brand| brand.name.as_str()).collect()
    }
}

fn asks_author(expr: &Expr) -> bool {
    let mut asks = false;
    visit_fields(expr, &mut |test| asks |= matches!(test, FieldTest::Author(_)));
    asks
}

fn visit_fields(expr: &Expr, visit: &mut impl FnMut(&FieldTest)) {
    match expr {
        Expr::Field(leaf) => visit(&leaf.value),
        Expr::Not(inner) => visit_fields(inner, visit),
        Expr::And(parts) | Expr::Or(parts) => {
            for part in parts {
                visit_fields(part, visit);
            }
        }
        Expr::Text(_) | Expr::Raw(_) | Expr::Near(_) => {}
    }
}

/// A mention as queries see it, in the language that was detected (`und`: unknown). Its author is
/// the handle; a pseudonym is nobody's name, so it never matches.
pub fn seen<'a>(mention: &'a Mention, language: &'a str) -> Post<'a> {
    Post {
        title: mention.title.as_deref(),
        text: &mention.text,
        lang: (language != "und").then_some(language),
        source: mention.source.as_str(),
        author: mention.author.as_ref().and_then(|author| author.handle.as_deref()),
        url: mention.url.as_deref(),
        tags: &mention.tags,
        country: mention.country.as_deref(),
        rating: mention.rating.map(f64::from),
        created: Some(mention.published_at.as_millis().div_euclid(1000)),
        is_reply: mention.parent_id.is_some(),
        internal: mention.internal,
    }
}
