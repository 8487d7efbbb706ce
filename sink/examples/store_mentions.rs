//! Stores a few mentions on a real ClickHouse of its own and prints what an analyst sees.
//!
//! ```text
//! cargo run -p echolot-sink --example store_mentions
//! ```
//!
//! The crate's tests start it, too, as the binary with the hidden subcommand.

#![expect(clippy::print_stdout, reason = "an example that prints its result")]

use std::{env, time::Duration};

use anyhow::Context;
use bytesize::ByteSize;
use clickhouse::{Client, Row};
use echolot_engines::{EngineHome, EngineOptions, Supervisor, entry};
use echolot_pipeline::{
    clock::Clock,
    settings::WorkerSettings,
    stage::{Item, Stage},
};
use echolot_schemas::{
    EnrichedEvent, Mention, MentionId, RawPosition, SourceName, Timestamp,
    enriched::{
        BrandMatch, Distribution, Enriched, Language, ModelRef, Polarity, Retracted, Sentiment,
    },
    mention::Engagement,
};
use echolot_sink::{GenerationChoice, SinkMetrics, SinkSettings, Writer, generations};
use echolot_store::{ClickHouseSettings, Store};
use secrecy::ExposeSecret;
use serde::Deserialize;

/// 2026-06-01T12:00:00Z.
const NOON: i64 = 1_780_315_200_000;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        // No runtime here: this process becomes the engine.
        ["engine", order] => Ok(entry::run(order)?),
        [] => store_mentions(),
        _ => anyhow::bail!("usage: store_mentions"),
    }
}

#[tokio::main]
async fn store_mentions() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let options = EngineOptions { kafka: None, ..EngineOptions::default() };
    let supervisor = Supervisor::start(EngineHome::open(folder.path())?, options, |_| {}).await?;
    let endpoint =
        supervisor.endpoints().clickhouse.as_ref().context("ClickHouse was asked for")?;
    let clickhouse = ClickHouseSettings {
        url: endpoint.url.clone(),
        user: endpoint.application.user.clone(),
        password: endpoint.application.password.clone().into(),
        ca_file: String::new(),
        database: "echolot".to_owned(),
        timeout: Duration::from_secs(30),
        long_timeout: Duration::from_mins(10),
    };

    let store = Store::new(&clickhouse)?;
    let generation = generations::migrate(&store, GenerationChoice::Promoted).await?;
    let metrics = SinkMetrics::new(&prometheus::Registry::new())?;
    let clock = Clock::stopped_at(Timestamp::from_millis(NOON + 1000));
    let mut writer = Writer::new(store, generation, &settings(), metrics, clock);
    writer.assigned(&[0]).await?;

    let source = SourceName::new("forum")?;
    let praise = mention(&source, "1", "Die neue Lampe ist großartig!", Polarity::Positive);
    let complaint = mention(&source, "2", "Meine Lampe flackert nur noch.", Polarity::Negative);
    let gone = EnrichedEvent::Erased(Retracted {
        raw: RawPosition { partition: 0, offset: 2 },
        observed_at: Timestamp::from_millis(NOON + 60_000),
        id: MentionId::derive(&source, "2"),
        source: source.clone(),
    });
    let batch: Vec<Item<EnrichedEvent>> = (0..)
        .zip([praise, complaint, gone])
        .map(|(offset, event)| at(RawPosition { partition: 0, offset }, event))
        .collect();
    println!("{:?}", writer.judge(&batch).await?);
    // Delivered again, it changes nothing.
    writer.judge(&batch).await?;
    writer.complete().await?;

    let analyst = Client::default()
        .with_url(&endpoint.url)
        .with_user(&endpoint.analyst.user)
        .with_password(endpoint.analyst.password.expose_secret());
    let days = analyst
        .query("SELECT toString(day) AS date, brand, mentions, net_sentiment FROM echolot.sentiment_by_day ORDER BY brand")
        .fetch_all::<Day>()
        .await?;
    for Day { date, brand, mentions, net_sentiment } in days {
        println!("{date} {brand:>4} {mentions} mentions, net sentiment {net_sentiment:+.2}");
    }
    supervisor.stop(Duration::from_secs(9)).await;
    Ok(())
}

#[derive(Row, Deserialize)]
struct Day {
    date: String,
    brand: String,
    mentions: u64,
    net_sentiment: f64,
}

fn settings() -> SinkSettings {
    SinkSettings {
        generation: GenerationChoice::Promoted,
        sightings_memory: ByteSize::mib(1),
        count_within: Duration::from_secs(1),
        worker: WorkerSettings {
            batch_rows: 1000,
            batch_bytes: ByteSize::mib(1),
            linger: Duration::from_millis(200),
            in_flight_rows: 1000,
            in_flight_bytes: ByteSize::mib(1),
            drain: Duration::from_secs(10),
            poison_run: 100,
            poison_ratio: 0.5,
        },
    }
}

fn at(raw: RawPosition, mut event: EnrichedEvent) -> Item<EnrichedEvent> {
    if let EnrichedEvent::Enriched(enriched) = &mut event {
        enriched.raw = raw;
    }
    Item { event, position: raw }
}

fn mention(source: &SourceName, native_id: &str, text: &str, polarity: Polarity) -> EnrichedEvent {
    let model =
        |id: &str| ModelRef { id: id.into(), version: "1".into(), hash: "0123456789ab".into() };
    let share = |of| if of == polarity { 0.8 } else { 0.1 };
    EnrichedEvent::Enriched(Box::new(Enriched {
        raw: RawPosition { partition: 0, offset: 0 },
        observed_at: Timestamp::from_millis(NOON),
        enriched_at: Timestamp::from_millis(NOON),
        mention: Mention {
            id: MentionId::derive(source, native_id),
            source: source.clone(),
            native_id: native_id.to_owned(),
            text: text.to_owned(),
            title: None,
            url: None,
            published_at: Timestamp::from_millis(NOON),
            edited_at: None,
            declared_language: None,
            author: None,
            parent_id: None,
            thread_id: None,
            engagement: Engagement::default(),
            tags: Vec::new(),
            country: None,
            rating: None,
            internal: false,
        },
        language: Language { code: "de".into(), confidence: 0.9, model: model("whichlang") },
        sentiment: Sentiment {
            polarity,
            distribution: Distribution {
                negative: share(Polarity::Negative),
                neutral: share(Polarity::Neutral),
                positive: share(Polarity::Positive),
            },
            model: model("lexicon-de-en"),
        },
        brands: vec![BrandMatch::new("Lumo", "c0ffee")],
    }))
}
