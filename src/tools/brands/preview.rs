//! `echolot brands preview`: a query over the last days of the store, before it is saved.

use std::{collections::BTreeMap, process::ExitCode};

use anyhow::Context;
use clap::Args;
use clickhouse::{Client, Row};
use echolot_brands::{Matcher, Post, Scratch, Warning};
use echolot_schemas::Timestamp;
use echolot_store::Store;
use serde::{Deserialize, Serialize};

use super::{
    Asked, Wanted,
    sample::{Sample, Shown},
    warning_line,
};
use crate::{
    engines::Engines,
    settings::Settings,
    tools::{log_engine, print},
};

const DAY_MS: i64 = 86_400_000;

#[derive(Debug, Args)]
pub(crate) struct PreviewArgs {
    #[command(flatten)]
    asked: Asked,
    /// How many days, up to the newest mention of the store.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=3660))]
    days: u16,
    /// Most mentions to read, newest first.
    #[arg(long, default_value_t = 1_000_000)]
    most: u64,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// A mention of the published view, as far as queries see it.
#[derive(Clone, Debug, Default, Row, Deserialize)]
pub(super) struct Stored {
    pub(super) id: String,
    /// Milliseconds since 1970.
    pub(super) published: i64,
    pub(super) source: String,
    pub(super) text: String,
    pub(super) title: String,
    pub(super) url: String,
    pub(super) language: String,
    pub(super) author_handle: String,
    pub(super) is_reply: u8,
    pub(super) tags: Vec<String>,
    pub(super) country: String,
    pub(super) rating: u8,
    pub(super) internal: bool,
}

impl Stored {
    /// As enrichment saw it: what the view writes as empty was absent.
    pub(super) fn post(&self) -> Post<'_> {
        fn some(text: &str) -> Option<&str> {
            (!text.is_empty()).then_some(text)
        }
        Post {
            title: some(&self.title),
            text: &self.text,
            lang: some(&self.language).filter(|language| *language != "und"),
            source: &self.source,
            author: some(&self.author_handle),
            url: some(&self.url),
            tags: &self.tags,
            country: some(&self.country),
            rating: (self.rating > 0).then(|| f64::from(self.rating)),
            created: Some(self.published.div_euclid(1000)),
            is_reply: self.is_reply != 0,
            internal: self.internal,
        }
    }
}

const NEWEST: &str = "SELECT toUnixTimestamp64Milli(max(published_at)) FROM mentions";

const MENTIONS: &str = "SELECT toString(id) AS id, toUnixTimestamp64Milli(published_at) AS published, \
    toString(source) AS source, text, title, url, toString(language) AS language, author_handle, \
    isNotNull(parent_id) AS is_reply, tags, toString(country) AS country, rating, internal \
    FROM mentions \
    WHERE published_at > fromUnixTimestamp64Milli({after:Int64}, 'UTC') \
    AND published_at <= fromUnixTimestamp64Milli({until:Int64}, 'UTC') \
    LIMIT {most:UInt64}";

#[derive(Default)]
struct Counts {
    read: u64,
    matched: u64,
    languages: BTreeMap<String, u64>,
    sources: BTreeMap<String, u64>,
    sample: Sample,
}

#[derive(Serialize)]
struct Preview {
    query: String,
    /// Excluded, and included.
    after: Timestamp,
    until: Timestamp,
    read: u64,
    /// Whether all mentions of the period were read.
    complete: bool,
    matched: u64,
    share: f64,
    languages: BTreeMap<String, u64>,
    sources: BTreeMap<String, u64>,
    samples: Vec<Shown>,
    warnings: Vec<Warning>,
}

pub(super) async fn run(mut settings: Settings, args: PreviewArgs) -> anyhow::Result<ExitCode> {
    let wanted = match Wanted::of(settings.clone(), &args.asked) {
        Ok(wanted) => wanted,
        Err(refusal) => return Ok(refusal.tell(args.json)),
    };
    let engines = Engines::reach(&mut settings, log_engine).await?;
    let outcome = preview(&settings, wanted, &args).await;
    engines.stop().await;
    let preview = outcome?;
    print(if args.json { serde_json::to_string(&preview)? } else { preview.render() });
    Ok(ExitCode::SUCCESS)
}

async fn preview(
    settings: &Settings,
    wanted: Wanted,
    args: &PreviewArgs,
) -> anyhow::Result<Preview> {
    let client = Store::plain_client(&settings.clickhouse)?;
    let until = client.query(NEWEST).fetch_one::<i64>().await.context("reading the store")?;
    let after = until.saturating_sub(i64::from(args.days) * DAY_MS);
    let matcher = Matcher::from_queries([(&wanted.query, wanted.languages.as_slice())])?;
    let mut counts = Counts::default();
    // Day by day, so that the store never sorts nor holds more than one.
    let mut day_until = until;
    while day_until > after && counts.read < args.most {
        let day_after = (day_until - DAY_MS).max(after);
        counts.add(&client, &matcher, (day_after, day_until), args.most).await?;
        day_until = day_after;
    }
    let Counts { read, matched, languages, sources, sample } = counts;
    Ok(Preview {
        query: wanted.query.format(),
        after: Timestamp::from_millis(after),
        until: Timestamp::from_millis(until),
        read,
        complete: read < args.most,
        matched,
        share: if read == 0 { 0.0 } else { matched as f64 / read as f64 },
        languages,
        sources,
        samples: sample.explained(&wanted.query)?,
        warnings: wanted.warnings,
    })
}

impl Counts {
    /// Matches the mentions of one day; `most` bounds what is read in all.
    async fn add(
        &mut self,
        client: &Client,
        matcher: &Matcher,
        (after, until): (i64, i64),
        most: u64,
    ) -> anyhow::Result<()> {
        let mut scratch = Scratch::default();
        let mut rows = client
            .query(MENTIONS)
            .param("after", after)
            .param("until", until)
            .param("most", most - self.read)
            .fetch::<Stored>()
            .context("reading mentions")?;
        while let Some(mention) = rows.next().await.context("reading mentions")? {
            self.read += 1;
            if matcher.matches(&mention.post(), &mut scratch).is_empty() {
                continue;
            }
            self.matched += 1;
            self.sample.offer(&mention);
            *self.languages.entry(mention.language).or_default() += 1;
            *self.sources.entry(mention.source).or_default() += 1;
        }
        Ok(())
    }
}

impl Preview {
    fn render(&self) -> String {
        let Self { query, after, until, read, matched, .. } = self;
        let mut lines = vec![
            format!("query      {query}"),
            format!("period     {after} to {until}"),
            format!("matched    {matched} of {read} mentions ({:.2} %)", 100.0 * self.share),
            format!("languages  {}", most_first(&self.languages)),
            format!("sources    {}", most_first(&self.sources)),
        ];
        if !self.complete {
            lines.push("not all mentions of the period were read; --most reads more".to_owned());
        }
        lines.extend(self.warnings.iter().map(warning_line));
        lines.extend(self.samples.iter().map(|shown| format!("\n{}", shown.render())));
        lines.join("\n")
    }
}

fn most_first(counts: &BTreeMap<String, u64>) -> String {
    let mut counts: Vec<_> = counts.iter().collect();
    counts.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
    counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}
