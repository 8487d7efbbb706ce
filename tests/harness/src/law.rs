//! The law that every scenario ends with.
//!
//! Every acknowledged mention is exactly one of: shown by the store, deleted, about no brand, or a
//! dead letter. No mention is shown twice, none that nobody sent, none in a state that is not the
//! log's last. The published counts equal a recount of the published mentions. And `echolot audit`,
//! which finds this out in another way, agrees.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
};

use anyhow::{Context, ensure};
use echolot_schemas::{MentionId, dead_letter::header, topics};
use serde::Deserialize;

use crate::{
    log::Record,
    pipeline::{Pipeline, Told},
    places::{Places, Row},
};

/// What `echolot audit --json` says.
#[derive(Clone, Debug, Default, Deserialize)]
#[expect(missing_docs, reason = "they are the keys of the audit, explained there")]
pub struct Audit {
    pub events: u64,
    pub stored: u64,
    pub superseded: u64,
    pub unmatched: u64,
    pub dead_lettered: u64,
    pub deleted: u64,
    pub pending: u64,
    pub lost: u64,
    pub doubled: u64,
    pub unexplained: u64,
    pub aggregates_differ: u64,
}

/// Where every acknowledged mention is, and whatever is wrong.
#[derive(Debug, Default)]
pub struct Account {
    /// Mentions that were acknowledged.
    pub acknowledged: usize,
    /// Of these, shown by the store.
    pub stored: usize,
    /// Of these, deleted for good.
    pub deleted: usize,
    /// Of these, about no brand and not kept.
    pub unmatched: usize,
    /// Of these, dead letters in every state.
    pub dead_lettered: usize,
    /// Of these, nowhere, or shown in a state that is not the last.
    pub lost: Vec<MentionId>,
    /// In two of these places, or shown twice.
    pub doubled: Vec<MentionId>,
    /// Shown, though nobody sent them.
    pub unexplained: Vec<MentionId>,
    /// Published counts that are not those of the published mentions.
    pub miscounted: Vec<String>,
    /// The audit's own finding.
    pub audit: Audit,
    /// Its last words, when it was not clean.
    pub audit_complaint: Option<String>,
}

impl Account {
    /// True when nothing is wrong.
    pub fn holds(&self) -> bool {
        self.lost.is_empty()
            && self.doubled.is_empty()
            && self.unexplained.is_empty()
            && self.miscounted.is_empty()
            && self.audit_complaint.is_none()
            && self.acknowledged == self.stored + self.deleted + self.unmatched + self.dead_lettered
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} acknowledged = {} stored + {} deleted + {} unmatched + {} dead-lettered; {} lost, \
             {} doubled, {} unexplained, {} miscounted; audit {}",
            self.acknowledged,
            self.stored,
            self.deleted,
            self.unmatched,
            self.dead_lettered,
            self.lost.len(),
            self.doubled.len(),
            self.unexplained.len(),
            self.miscounted.len(),
            self.audit_complaint.as_deref().unwrap_or("clean"),
        )?;
        for (what, ids) in
            [("lost", &self.lost), ("doubled", &self.doubled), ("unexplained", &self.unexplained)]
        {
            for id in ids.iter().take(5) {
                write!(f, "\n{what}: {id}")?;
            }
        }
        self.miscounted.iter().take(5).try_for_each(|line| write!(f, "\nmiscounted: {line}"))
    }
}

#[derive(Deserialize)]
struct Shown {
    id: MentionId,
    rows: u64,
}

impl Pipeline {
    /// Waits until all is worked off, then says where every acknowledged mention is.
    pub async fn account(&self) -> anyhow::Result<Account> {
        let told = self.tool(&["audit", "--json", "--wait", "120s"]).await?;
        let (audit, audit_complaint) = judge_audit(&told)?;
        let raw = self.log.records(topics::RAW).await?;
        ensure!(audit.events == raw.len() as u64, "{audit:?}, but the log has {}", raw.len());
        let mut places = Places::of(&raw);
        places.unmatched(&self.log.records(topics::ENRICHED).await?);
        let letters = self.log.records(topics::DEAD).await?;
        places.dead(letters.iter().filter(|letter| !self.was_put_back(letter)));
        let (database, generation) = (self.database(), self.generation().await?);
        let rows: Vec<Row> = self.store.rows(&latest_rows(&generation)).await?;
        places.rows = rows.into_iter().map(|row| (row.id, row)).collect();
        let shown: Vec<Shown> = self
            .store
            .rows(&format!("SELECT id, count() AS rows FROM {database}.mentions GROUP BY id"))
            .await?;
        places.shown = shown.into_iter().map(|shown| (shown.id, shown.rows)).collect();

        let mut account = Account { audit, audit_complaint, ..Account::default() };
        for id in self.known.all_acknowledged() {
            places.settle(id, &mut account);
        }
        let sent = self.known.all_sent();
        account.unexplained =
            places.shown.keys().filter(|id| !sent.contains(id)).copied().collect();
        account.miscounted = self.miscounted(database).await?;
        Ok(account)
    }

    /// [`Pipeline::account`], and an error unless the law holds.
    pub async fn assert_law(&self) -> anyhow::Result<Account> {
        let account = self.account().await?;
        ensure!(account.holds(), "the law is broken: {account}");
        ensure!(account.acknowledged > 0, "nothing was acknowledged, so nothing was tested");
        Ok(account)
    }

    /// True for a dead letter whose event is under way again. One from the raw topic stays dead: what
    /// was put back is an event of its own there.
    fn was_put_back(&self, letter: &Record) -> bool {
        self.was_retried(letter.position.offset)
            && letter.header(header::TOPIC) == Some(topics::ENRICHED.name)
    }

    /// Where the published counts differ from a recount of the published mentions.
    async fn miscounted(&self, database: &str) -> anyhow::Result<Vec<String>> {
        let counted: Vec<Counted> = self
            .store
            .rows(&format!(
                "SELECT toUnixTimestamp(v.minute) AS minute, brand, source, language, \
                 sum(v.mentions) AS mentions, sum(v.negative) AS negative, \
                 sum(v.neutral) AS neutral, sum(v.positive) AS positive, sum(v.likes) AS likes \
                 FROM {database}.sentiment_by_minute AS v \
                 GROUP BY minute, brand, source, language"
            ))
            .await?;
        let recounted: Vec<Counted> = self
            .store
            .rows(&format!(
                "SELECT minute, about.1 AS brand, source, language, count() AS mentions, \
                 countIf(about.2 = 'negative') AS negative, \
                 countIf(about.2 = 'neutral') AS neutral, \
                 countIf(about.2 = 'positive') AS positive, \
                 sum(ifNull(m.likes, 0)) AS likes FROM \
                 (SELECT toUnixTimestamp(toStartOfMinute(published_at)) AS minute, source, \
                 language, likes, arrayJoin(arrayConcat([('*', polarity)], \
                 if(empty(brands), [('', polarity)], arrayZip(brands, brand_polarity)))) AS about \
                 FROM {database}.mentions) AS m GROUP BY minute, brand, source, language"
            ))
            .await?;
        let (counted, recounted) = (by_key(counted), by_key(recounted));
        let keys: HashSet<_> = counted.keys().chain(recounted.keys()).collect();
        let differs = keys.into_iter().filter_map(|key| {
            let (found, right) = (counted.get(key), recounted.get(key));
            (found != right).then(|| format!("{key:?}: counted {found:?}, recounted {right:?}"))
        });
        Ok(differs.collect())
    }
}

fn judge_audit(told: &Told) -> anyhow::Result<(Audit, Option<String>)> {
    let audit = serde_json::from_str(&told.stdout)
        .with_context(|| format!("the audit said {:?}\n{}", told.stdout, told.stderr))?;
    let complaint = (told.code != Some(0)).then(|| told.stdout.trim().to_owned());
    Ok((audit, complaint))
}

/// Hidden rows included, the highest offset of each mention.
fn latest_rows(generation: &str) -> String {
    format!(
        "SELECT id, toString(argMax(m.state, (m.raw_offset, m.stored_at))) AS state, \
         argMax(m.raw_partition, (m.raw_offset, m.stored_at)) AS raw_partition, \
         max(m.raw_offset) AS raw_offset FROM {generation}.mentions AS m GROUP BY id"
    )
}

/// A row of a view of counts.
#[derive(Deserialize)]
struct Counted {
    minute: u64,
    brand: String,
    source: String,
    language: String,
    mentions: u64,
    negative: u64,
    neutral: u64,
    positive: u64,
    likes: u64,
}

type Key = (u64, String, String, String);

fn by_key(rows: Vec<Counted>) -> BTreeMap<Key, [u64; 5]> {
    let entry = |row: Counted| {
        let counts = [row.mentions, row.negative, row.neutral, row.positive, row.likes];
        ((row.minute, row.brand, row.source, row.language), counts)
    };
    rows.into_iter().map(entry).collect()
}
