//! Which element means what, in every dialect: the one table of this module.

/// Whose element it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vocabulary {
    /// RSS 0.9 to 2.0, RDF, CDF and Atom 0.3 and 1.0, with or without a namespace.
    Feed,
    DublinCore,
    Content,
    Xhtml,
    Media,
    Podcast,
    Other,
}

impl Vocabulary {
    /// By the name of the namespace. Case, white space and a missing last slash are often wrong.
    pub(super) fn of_namespace(name: &str) -> Self {
        let name = name.trim().to_ascii_lowercase();
        let name = name.strip_prefix("https").or(name.strip_prefix("http")).unwrap_or(&name);
        match name.trim_end_matches(['/', '#']) {
            ""
            | "://www.w3.org/2005/atom"
            | "://purl.org/atom/ns"
            | "://purl.org/atom"
            | "://purl.org/rss/1.0"
            | "://my.netscape.com/rdf/simple/0.9"
            | "://channel.netscape.com/rdf/simple/0.9"
            | "://my.netscape.com/publish/formats/rss-0.91.dtd"
            | "://backend.userland.com/rss"
            | "://backend.userland.com/rss2"
            | "://backend.userland.com/rss2.1"
            | "://blogs.law.harvard.edu/tech/rss"
            | "://purl.org/net/rss1.1" => Self::Feed,
            "://purl.org/dc/elements/1.1"
            | "://purl.org/dc/elements/1.0"
            | "://purl.org/dc/terms" => Self::DublinCore,
            "://purl.org/rss/1.0/modules/content" => Self::Content,
            "://www.w3.org/1999/xhtml" => Self::Xhtml,
            "://search.yahoo.com/mrss" => Self::Media,
            "://www.itunes.com/dtds/podcast-1.0.dtd" => Self::Podcast,
            _ => Self::Other,
        }
    }

    /// By a prefix that the document forgot to declare.
    pub(super) fn of_prefix(prefix: &str) -> Self {
        match prefix {
            "atom" | "rss" => Self::Feed,
            "dc" | "dcterms" => Self::DublinCore,
            "content" => Self::Content,
            "xhtml" => Self::Xhtml,
            "media" => Self::Media,
            "itunes" => Self::Podcast,
            _ => Self::Other,
        }
    }
}

/// What an element says of its entry, or of the feed as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Title,
    Summary,
    Content,
    Link,
    Guid,
    Id,
    Published,
    Updated,
    Author,
    Category,
    Language,
}

/// The meaning of an element and how much it counts: of two with the same meaning the higher one is
/// taken, of equal ones the first.
pub(super) fn field(vocabulary: Vocabulary, name: &str) -> Option<(Field, u8)> {
    use self::{Field as F, Vocabulary as V};
    Some(match (vocabulary, name) {
        (V::Feed, "title") => (F::Title, 3),
        (V::DublinCore, "title") => (F::Title, 2),
        (V::Media | V::Podcast, "title") => (F::Title, 1),
        (V::Feed, "description" | "summary" | "abstract") => (F::Summary, 4),
        (V::DublinCore, "description" | "abstract") => (F::Summary, 3),
        (V::Podcast, "summary") => (F::Summary, 2),
        (V::Media, "description" | "text") | (V::Podcast, "subtitle") => (F::Summary, 1),
        (V::Content | V::Feed, "encoded") => (F::Content, 4),
        (V::Feed, "content" | "fullitem") => (F::Content, 3),
        (V::Xhtml, "body" | "div") | (V::Feed, "body") => (F::Content, 2),
        (V::Feed, "link") => (F::Link, 1),
        (V::Feed, "guid") => (F::Guid, 3),
        (V::Feed, "id") => (F::Id, 2),
        (V::DublinCore, "identifier") => (F::Id, 1),
        (V::Feed, "pubdate" | "published" | "issued") => (F::Published, 4),
        (V::DublinCore, "issued") => (F::Published, 3),
        (V::DublinCore, "date") => (F::Published, 2),
        (V::Feed | V::DublinCore, "created") => (F::Published, 1),
        (V::Feed, "updated" | "modified" | "lastbuilddate") => (F::Updated, 2),
        (V::DublinCore, "modified") => (F::Updated, 1),
        (V::Feed, "author") => (F::Author, 3),
        (V::DublinCore, "creator" | "author") => (F::Author, 2),
        (V::Podcast, "author") => (F::Author, 1),
        (V::Feed, "category") | (V::DublinCore, "subject") => (F::Category, 1),
        (V::Feed | V::DublinCore, "language") => (F::Language, 1),
        _ => return None,
    })
}
