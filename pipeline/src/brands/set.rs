//! One version of all brands, ready to match.

use std::{collections::BTreeSet, ops::Range};

use echolot_brands::{
    Brand, BrandBook, BrandIndex, Matcher, Post, Scratch, Target, query::FieldTest, targets,
};
use echolot_schemas::{
    Mention,
    enriched::{BrandMatch, TextSpan},
};

use super::{BrandsError, OwnPseudonyms, Pseudonymise};

/// A brand book and its matcher. Never changes; a reload makes another.
#[derive(Debug)]
pub struct BrandSet {
    book: BrandBook,
    matcher: Matcher,
    /// By index in the book: what a match puts into the mention.
    entries: Vec<BrandMatch>,
    /// Languages that some query asks for.
    languages: BTreeSet<String>,
    own: OwnPseudonyms,
}

impl BrandSet {
    /// Compiles a book.
    pub fn compile(book: BrandBook) -> Result<Self, BrandsError> {
        let matcher = Matcher::compile(&book)?;
        let entries = book
            .brands()
            .iter()
            .map(|brand| BrandMatch {
                group: Some(brand.group.clone()),
                ..BrandMatch::new(&*brand.name, &*brand.version)
            })
            .collect();
        let mut languages = BTreeSet::new();
        for brand in book.brands() {
            languages.extend(brand.query.fields().into_iter().filter_map(|test| match test {
                FieldTest::Lang(language) => Some(language.clone()),
                _ => None,
            }));
        }
        let own = OwnPseudonyms::default();
        Ok(Self { book, matcher, entries, languages, own })
    }

    /// The brands.
    pub fn book(&self) -> &BrandBook {
        &self.book
    }

    /// The brands that a mention is about, each once, ordered by name, with the parts of the text
    /// that concern each. Those in `own` wrote it themselves ([`Self::wrote`]): it is about them
    /// whether their queries match or not, and marked.
    pub fn find(
        &self,
        post: &Post<'_>,
        own: &[BrandIndex],
        scratch: &mut Scratch,
    ) -> Vec<BrandMatch> {
        if self.matcher.matches(post, scratch).is_empty() && own.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<(BrandIndex, BrandMatch)> = targets(&self.matcher, post, scratch)
            .into_iter()
            .filter_map(|Target { brand, parts }| {
                let mut entry = self.entries.get(brand as usize)?.clone();
                entry.owned = own.contains(&brand);
                entry.target = spans(&parts, post.text);
                Some((brand, entry))
            })
            .collect();
        for brand in own {
            if let Err(at) = found.binary_search_by_key(brand, |(index, _)| *index)
                && let Some(entry) = self.entries.get(*brand as usize)
            {
                found.insert(at, (*brand, BrandMatch { owned: true, ..entry.clone() }));
            }
        }
        found.into_iter().map(|(_, entry)| entry).collect()
    }

    /// The brands whose own accounts wrote a mention. Its author is compared by the visible handle
    /// where that is kept, and else by the pseudonyms that the accounts of the book have.
    pub fn wrote(&self, mention: &Mention, pseudonymise: &Pseudonymise) -> Vec<BrandIndex> {
        match &mention.author {
            Some(_) if !self.book.owns_accounts() => Vec::new(),
            Some(author) if author.handle.is_some() => self.book.wrote(&seen(mention, "und")),
            Some(author) => self.own.wrote(&self.book, &mention.source, author, pseudonymise),
            None => Vec::new(),
        }
    }

    /// Whether a brand may be about a mention whose language is not known yet, or an owned account
    /// wrote it: true for every mention that [`Self::find`] could match, in whatever language it
    /// turns out to be.
    pub fn may_concern(&self, post: &Post<'_>, scratch: &mut Scratch) -> bool {
        // Languages that no query asks for are all the same to every query, and same as unknown.
        let languages = self.languages.iter().map(|language| Some(language.as_str()));
        let mut languages = std::iter::once(None).chain(languages);
        languages.any(|lang| !self.matcher.matches(&Post { lang, ..*post }, scratch).is_empty())
            || !self.book.wrote(post).is_empty()
    }

    /// Names of brands that ask who wrote a mention by `author:`. A handle is on the log only where
    /// `privacy.keep_handles` is true; elsewhere such a test is never met.
    pub fn asking_for_handles(&self) -> Vec<&str> {
        let asks = |brand: &&Brand| {
            brand.query.fields().into_iter().any(|test| matches!(test, FieldTest::Author(_)))
        };
        self.book.brands().iter().filter(asks).map(|brand| brand.name.as_str()).collect()
    }
}

/// The parts as an event holds them; the whole text is told by none.
fn spans(parts: &[Range<usize>], text: &str) -> Vec<TextSpan> {
    if let [only] = parts
        && *only == (0..text.len())
    {
        return Vec::new();
    }
    let span = |part: &Range<usize>| {
        // A text has at most 64 KiB.
        Some(TextSpan { start: part.start.try_into().ok()?, end: part.end.try_into().ok()? })
    };
    parts.iter().filter_map(span).collect()
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
