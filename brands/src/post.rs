//! What a query sees of a mention.

/// A borrowed view of one mention.
///
/// Fields a source does not know stay `None`; a field test on an unknown value is false.
#[derive(Debug, Clone, Copy, Default)]
pub struct Post<'a> {
    /// Title, for articles and forum topics.
    pub title: Option<&'a str>,
    /// The text.
    pub text: &'a str,
    /// Language, BCP 47 (`de`, `de-AT`).
    pub lang: Option<&'a str>,
    /// Name of the configured source.
    pub source: &'a str,
    /// Author as stored: handle or pseudonym.
    pub author: Option<&'a str>,
    /// Where the mention was published.
    pub url: Option<&'a str>,
    /// Tags the source gives (category, topic), without sigil.
    pub tags: &'a [String],
    /// Country, ISO 3166 (`DE`).
    pub country: Option<&'a str>,
    /// Rating in the source's own unit, stars mostly.
    pub rating: Option<f64>,
    /// Sort time, seconds since 1970 UTC.
    pub created: Option<i64>,
    /// Whether the mention answers another.
    pub is_reply: bool,
    /// Whether it comes from an internal source.
    pub internal: bool,
}

impl<'a> Post<'a> {
    /// A mention of which only the text is known.
    pub fn text(text: &'a str) -> Self {
        Self { text, ..Self::default() }
    }
}
