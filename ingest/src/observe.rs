//! From what a source says to the event about it.

use std::collections::HashSet;

use echolot_pipeline::{brands::LiveBrands, stage::Rejection};
use echolot_schemas::{
    Invalid, Mention, MentionId, RawEvent, SourceName, Timestamp,
    dead_letter::Reason,
    limits,
    mention::Author,
    purge::PurgeRequest,
    raw::{Deleted, Observed},
    submission::Submission,
};

use crate::{
    keep::{Keep, KeepRule},
    privacy::AuthorKey,
    settings::{IngestSettings, PrivacySettings},
    source::AuthorPurge,
};

/// Makes events of submissions: derives ids, hides authors, checks every limit.
#[derive(Clone, Debug)]
pub struct Observer {
    key: AuthorKey,
    keep_handles: bool,
    internal: HashSet<SourceName>,
    brands: Option<LiveBrands>,
}

impl Observer {
    /// An observer with the operator's choices about authors and internal sources. It knows no
    /// brand, so whoever keeps matches only gets none.
    pub fn new(key: AuthorKey, privacy: &PrivacySettings, ingest: &IngestSettings) -> Self {
        Self {
            key,
            keep_handles: privacy.keep_handles,
            internal: ingest.internal_sources(),
            brands: None,
        }
    }

    /// Knows the brands that sources with `keep = "matches"` are filtered by.
    #[must_use]
    pub fn with_brands(self, brands: LiveBrands) -> Self {
        Self { brands: Some(brands), ..self }
    }

    /// The filter of a source with this rule, for the next page.
    pub fn keep(&self, rule: KeepRule) -> Keep {
        Keep::new(rule, self.brands.as_ref())
    }

    /// The event that `submission` means, seen at `source` at `observed_at`.
    ///
    /// Refused with the field's name when something required is missing or a limit is passed.
    /// An optional field that is an empty text counts as absent.
    pub fn observe(
        &self,
        source: &SourceName,
        submission: Submission,
        observed_at: Timestamp,
    ) -> Result<RawEvent, Rejection> {
        self.event(source, submission, observed_at).map_err(|invalid| Rejection {
            reason: Reason::Invalid,
            detail: as_submitted(invalid).to_string(),
        })
    }

    fn event(
        &self,
        source: &SourceName,
        submission: Submission,
        observed_at: Timestamp,
    ) -> Result<RawEvent, Invalid> {
        native_id("id", &submission.id)?;
        let id = MentionId::derive(source, &submission.id);
        if submission.deleted {
            return Ok(RawEvent::Deleted(Deleted { id, source: source.clone(), observed_at }));
        }
        let published_at = submission.published_at.ok_or_else(|| {
            Invalid::new("published_at", "is missing; only a deleted mention may go without")
        })?;
        let internal = self.internal.contains(source);
        let mention = Mention {
            id,
            author: self.author(source, internal, submission.author)?,
            parent_id: relative(source, "parent", submission.parent)?,
            thread_id: relative(source, "thread", submission.thread)?,
            source: source.clone(),
            native_id: submission.id,
            text: submission.text.unwrap_or_default(),
            title: filled(submission.title),
            url: filled(submission.url),
            published_at,
            edited_at: submission.edited_at,
            declared_language: filled(submission.language),
            engagement: submission.engagement.unwrap_or_default(),
            tags: tags(submission.tags),
            country: filled(submission.country),
            rating: submission.rating,
            internal,
        };
        mention.validate(observed_at)?;
        Ok(RawEvent::Observed(Box::new(Observed { observed_at, mention })))
    }

    /// The request to forget an author; none at an internal source, where no author is kept and so
    /// none can be found.
    pub fn purge(&self, purge: &AuthorPurge, requested_at: Timestamp) -> Option<PurgeRequest> {
        let AuthorPurge { source, author } = purge;
        (!self.internal.contains(source)).then(|| PurgeRequest {
            pseudonym: self.key.pseudonym(source, author),
            source: source.clone(),
            requested_at,
        })
    }

    /// Never for internal sources: what colleagues write is not to be traced to them.
    fn author(
        &self,
        source: &SourceName,
        internal: bool,
        author: Option<String>,
    ) -> Result<Option<Author>, Invalid> {
        let Some(handle) = filled(author).filter(|_| !internal) else { return Ok(None) };
        // Checked here as well: the mention's own check sees the handle only where it is kept.
        if handle.len() > limits::HANDLE_BYTES {
            let problem = format!("is {} bytes, at most {}", handle.len(), limits::HANDLE_BYTES);
            return Err(Invalid::new("author", problem));
        }
        Ok(Some(Author {
            pseudonym: self.key.pseudonym(source, &handle),
            handle: Some(handle).filter(|_| self.keep_handles),
        }))
    }
}

/// Checked before anything is derived from it: an id of a megabyte is not worth a hash.
fn native_id(field: &'static str, id: &str) -> Result<(), Invalid> {
    if id.is_empty() {
        return Err(Invalid::new(field, "is empty"));
    }
    if id.len() > limits::NATIVE_ID_BYTES {
        let problem = format!("is {} bytes, at most {}", id.len(), limits::NATIVE_ID_BYTES);
        return Err(Invalid::new(field, problem));
    }
    if id.contains('\0') {
        return Err(Invalid::new(field, "holds a NUL character; remove it"));
    }
    Ok(())
}

fn relative(
    source: &SourceName,
    field: &'static str,
    id: Option<String>,
) -> Result<Option<MentionId>, Invalid> {
    let Some(id) = filled(id) else { return Ok(None) };
    native_id(field, &id)?;
    Ok(Some(MentionId::derive(source, &id)))
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Tags are kept without `#`, so that a hashtag and a category of the same name are one.
fn tags(mut tags: Vec<String>) -> Vec<String> {
    for tag in &mut tags {
        if tag.starts_with('#') {
            tag.remove(0);
        }
    }
    tags.retain(|tag| !tag.is_empty());
    tags
}

/// The sender knows the fields by the names of a submission, not by those of a mention.
fn as_submitted(mut invalid: Invalid) -> Invalid {
    invalid.field = match invalid.field {
        "native_id" => "id",
        "declared_language" => "language",
        "author.handle" | "author.pseudonym" => "author",
        field => field,
    };
    invalid
}
