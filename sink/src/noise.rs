//! Copies, reposts and spam among the mentions of this store.
//!
//! A mention's group is decided when it is stored, by what was stored before it; the row keeps the
//! answer. Memory holds the last texts only ([`echolot_brands::noise::Settings`]) and is filled
//! again from the last rows whenever partitions are assigned, so a restart gives the same groups.
//!
//! With one writer a text and its near copies are one group. Of several writers each remembers what
//! it stored itself since then, and what all had stored before: the same wording may then be in two
//! groups, one for each writer. `text_hash` is the same whoever stores a wording, and
//! `mentions_collapsed` puts each wording into one group: copies and reposts are always one text
//! there, near copies as soon as any writer has seen both wordings.

use clickhouse::Row;
use echolot_brands::{
    Post,
    noise::{self, Judgement, Noise},
    text::tokens::Tokens,
};
use echolot_schemas::enriched::Enriched;
use echolot_store::{Action, Store, StoreError};
use serde::Deserialize;
use uuid::Uuid;

/// The columns of a row that tell of copies and spam.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct NoiseColumns {
    pub(crate) text_hash: u64,
    pub(crate) text_group: u64,
    pub(crate) repost: bool,
    pub(crate) spam: f32,
    pub(crate) spam_reasons: Vec<&'static str>,
}

/// The last texts of a generation.
pub(crate) struct RecentTexts {
    noise: Noise,
    tokens: Tokens,
}

#[derive(Row, Deserialize)]
struct Remembered {
    #[serde(with = "clickhouse::serde::uuid")]
    id: Uuid,
    title: String,
    text: String,
    author: String,
    text_group: u64,
}

impl RecentTexts {
    /// Remembers nothing.
    pub(crate) fn empty() -> Self {
        Self { noise: Noise::new(noise::Settings::default()), tokens: Tokens::default() }
    }

    /// Remembers the last mentions of the generation, of every partition.
    pub(crate) async fn load(store: &Store, database: &str) -> Result<Self, StoreError> {
        let mut recent = Self::empty();
        let last = noise::Settings::default().texts;
        // The time first, so that texts are read of the last rows only.
        let sql = format!(
            "SELECT id, title, text, author, text_group FROM {database}.mentions \
             WHERE state = 'live' AND observed_at >= (SELECT min(observed_at) FROM \
             (SELECT observed_at FROM {database}.mentions ORDER BY observed_at DESC LIMIT {last})) \
             ORDER BY observed_at, id LIMIT {}",
            2 * last
        );
        let mut rows = store.stream::<Remembered>(Action::Load, &sql)?;
        while let Some(row) = rows.next().await? {
            let title = Some(row.title.as_str()).filter(|title| !title.is_empty());
            let author = Some(row.author.as_str()).filter(|author| !author.is_empty());
            let post = Post { title, author, ..Post::text(&row.text) };
            recent.tokens.read(title, &row.text);
            recent.noise.recall(row.id.as_u128(), row.text_group, &post, &recent.tokens);
        }
        Ok(recent)
    }

    /// What to store of a mention; `again` for one that is stored already.
    pub(crate) fn judge(&mut self, enriched: &Enriched, again: bool) -> NoiseColumns {
        let mention = &enriched.mention;
        let author = mention.author.as_ref().map(|author| author.pseudonym.as_str());
        let post = Post { title: mention.title.as_deref(), author, ..Post::text(&mention.text) };
        self.tokens.read(post.title, post.text);
        let id = mention.id.as_uuid().as_u128();
        let Judgement { placement, spam } = self.noise.judge(id, again, &post, &self.tokens);
        NoiseColumns {
            text_hash: placement.text,
            text_group: placement.group,
            repost: noise::repost::detect(post.text).is_some(),
            #[expect(clippy::cast_possible_truncation, reason = "a score needs no more digits")]
            spam: spam.score as f32,
            spam_reasons: spam.reasons.iter().map(|reason| reason.as_str()).collect(),
        }
    }
}
