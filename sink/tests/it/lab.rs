//! A fresh pair of databases on the real server, and what the tests ask of it.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use bytesize::ByteSize;
use clickhouse::{Client, Row, RowOwned, RowRead};
use echolot_engines::Login;
use echolot_pipeline::{
    clock::Clock,
    settings::WorkerSettings,
    stage::{Fault, Item, Stage, Verdict},
};
use echolot_schemas::{EnrichedEvent, MentionId, Timestamp};
use echolot_sink::{
    GenerationChoice, SinkMetrics, SinkSettings, Writer, audit::StoreAudit, generations,
};
use echolot_store::{ClickHouseSettings, Store};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::server;

/// Partitions that tests use.
pub(crate) const PARTITIONS: std::ops::Range<i32> = 0..3;

pub(crate) struct Lab {
    pub(crate) store: Store,
    pub(crate) settings: ClickHouseSettings,
}

/// A mention as the published view shows it.
#[derive(Clone, Debug, PartialEq, Row, Deserialize)]
pub(crate) struct Seen {
    #[serde(with = "clickhouse::serde::uuid")]
    pub(crate) id: uuid::Uuid,
    pub(crate) published_at: i64,
    pub(crate) text: String,
    pub(crate) language: String,
    pub(crate) polarity: i8,
    pub(crate) brands: Vec<String>,
}

/// Counts by (bucket, brand, language): mentions, positive ones, likes.
pub(crate) type Counts = BTreeMap<(u32, String, String), (u64, u64, u64)>;

#[derive(Row, Deserialize)]
struct Counted {
    bucket: u32,
    brand: String,
    language: String,
    mentions: u64,
    positive: u64,
    likes: u64,
}

/// What the runtime does with a batch when no other one waits.
pub(crate) trait Settle {
    async fn settle(&mut self, batch: &[Item<EnrichedEvent>]) -> Result<Vec<Verdict<()>>, Fault>;
}

impl Settle for Writer {
    async fn settle(&mut self, batch: &[Item<EnrichedEvent>]) -> Result<Vec<Verdict<()>>, Fault> {
        let verdicts = self.judge(batch).await?;
        self.complete().await?;
        Ok(verdicts)
    }
}

impl Lab {
    /// Databases of its own, with generation 1 migrated and promoted.
    pub(crate) async fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self::named(&format!("echolot_{number}")).await
    }

    /// The same under a given name: that of the databases which the analyst may read.
    pub(crate) async fn named(database: &str) -> Self {
        let server = server::shared().await;
        let settings = ClickHouseSettings {
            database: database.to_owned(),
            ..settings(&server.url, &server.application)
        };
        let store = Store::new(&settings).unwrap();
        generations::migrate(&store, GenerationChoice::Promoted).await.unwrap();
        Self { store, settings }
    }

    /// A writer that was just assigned these partitions.
    pub(crate) async fn writer(&self, partitions: impl IntoIterator<Item = i32>) -> Writer {
        self.writer_through(&self.store, partitions).await
    }

    /// A writer that reaches the server by another way.
    pub(crate) async fn writer_through(
        &self,
        store: &Store,
        partitions: impl IntoIterator<Item = i32>,
    ) -> Writer {
        let metrics = SinkMetrics::new(&prometheus::Registry::new()).unwrap();
        let clock = Clock::stopped_at(Timestamp::from_millis(crate::log::NOON + 1000));
        let mut writer = Writer::new(store.clone(), 1, &sink_settings(), metrics, clock);
        writer.assigned(&partitions.into_iter().collect::<Vec<_>>()).await.unwrap();
        writer
    }

    /// What the published view shows, by id.
    pub(crate) async fn mentions(&self) -> BTreeMap<MentionId, Seen> {
        let seen: Vec<Seen> = self
            .query(&format!(
                "SELECT id, published_at, text, language, polarity, brands FROM {}.mentions",
                self.settings.database
            ))
            .await;
        let total = seen.len();
        let by_id: BTreeMap<MentionId, Seen> =
            seen.into_iter().map(|seen| (seen.id.into(), seen)).collect();
        assert_eq!(by_id.len(), total, "a mention is shown twice");
        by_id
    }

    /// The aggregates that are not zero.
    pub(crate) async fn counts(&self) -> Counts {
        let counted: Vec<Counted> = self
            .query(&format!(
                "SELECT bucket, brand, language, sum(c.mentions) AS mentions, \
                 sum(c.positive) AS positive, sum(c.likes) AS likes \
                 FROM {}_g1.sentiment_10s AS c FINAL GROUP BY bucket, brand, language \
                 HAVING mentions > 0",
                self.settings.database
            ))
            .await;
        counted
            .into_iter()
            .map(|c| ((c.bucket, c.brand, c.language), (c.mentions, c.positive, c.likes)))
            .collect()
    }

    /// The law that every test ends with: nothing doubled, aggregates equal a recount.
    pub(crate) async fn assert_sound(&self) {
        let audit = StoreAudit::new(&self.store, 1);
        for partition in PARTITIONS {
            let partition = u16::try_from(partition).unwrap();
            let doubled = audit.doubled(partition, 5).await.unwrap();
            assert_eq!(doubled.count, 0, "doubled: {:?}", doubled.examples);
            let differing = audit.differing(partition, 5).await.unwrap();
            assert_eq!(differing.count, 0, "differing: {:?}", differing.examples);
        }
    }

    /// Any query, as the application.
    pub(crate) async fn query<T: RowOwned + RowRead>(&self, sql: &str) -> Vec<T> {
        client(&self.settings).query_raw(sql).fetch_all().await.unwrap()
    }

    /// Any statement, as the application.
    pub(crate) async fn execute(&self, sql: &str) {
        client(&self.settings).query_raw(sql).execute().await.unwrap();
    }
}

pub(crate) fn client(settings: &ClickHouseSettings) -> Client {
    Client::default()
        .with_url(&settings.url)
        .with_user(&settings.user)
        .with_password(settings.password.read().unwrap().expose_secret())
}

pub(crate) fn settings(url: &str, login: &Login) -> ClickHouseSettings {
    ClickHouseSettings {
        url: url.to_owned(),
        user: login.user.clone(),
        password: SecretString::from(login.password.expose_secret()).into(),
        ca_file: String::new(),
        database: "echolot".to_owned(),
        timeout: Duration::from_secs(30),
        long_timeout: Duration::from_mins(2),
    }
}

pub(crate) fn sink_settings() -> SinkSettings {
    SinkSettings {
        generation: GenerationChoice::Promoted,
        sightings_memory: ByteSize::mib(1),
        count_within: Duration::from_secs(1),
        worker: WorkerSettings {
            batch_rows: 1000,
            batch_bytes: ByteSize::mib(1),
            linger: Duration::from_millis(10),
            in_flight_rows: 1000,
            in_flight_bytes: ByteSize::mib(1),
            drain: Duration::from_secs(1),
            poison_run: 100,
            poison_ratio: 1.0,
        },
    }
}
