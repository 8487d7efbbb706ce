//! How fast the sink writes, on a real server of its own.
//!
//! ```text
//! cargo bench -p echolot-sink --bench write [-- ROWS [CASE]]
//! ```
//!
//! Each case writes ROWS mentions (500,000 unless told) in batches into a fresh generation and
//! prints rows per second, seconds of a batch (median, 99th percentile, by phase) and processor time
//! per row, of the server and of this process.

#![expect(clippy::print_stdout, reason = "a bench that prints its result")]

use std::{
    env,
    time::{Duration, Instant},
};

use anyhow::Context;
use bytesize::ByteSize;
use echolot_engines::{EngineHome, EngineKind, EngineOptions, Supervisor, entry};
use echolot_pipeline::{
    clock::Clock,
    settings::WorkerSettings,
    stage::{Item, Stage},
};
use echolot_schemas::{
    EnrichedEvent, Mention, MentionId, RawPosition, SourceName, Timestamp,
    enriched::{BrandMatch, Distribution, Enriched, Language, ModelRef, Polarity, Sentiment},
    mention::{Author, Engagement},
};
use echolot_sink::{
    GenerationChoice, SinkMetrics, SinkSettings, Writer, audit::StoreAudit, generations,
};
use echolot_store::{ClickHouseSettings, Store};

const PARTITIONS: i32 = 12;
/// 2026-06-01T12:00:00Z.
const NOON: i64 = 1_780_315_200_000;
/// 2020-06-01, for the six years before it.
const SIX_YEARS_BEFORE: i64 = NOON - 6 * 365 * 86_400_000;

/// One way of filling the store.
struct Case {
    name: &'static str,
    batch: i64,
    /// Milliseconds between two mentions.
    step: f64,
    start: i64,
    /// One mention in so many is one seen before; 0 for none.
    repeats: i64,
}

const CASES: [Case; 7] = [
    Case { name: "live-10k", batch: 10_000, step: 0.1, start: NOON, repeats: 0 },
    Case { name: "live-25k", batch: 25_000, step: 1.0 / 60.0, start: NOON, repeats: 0 },
    Case { name: "live-50k", batch: 50_000, step: 1.0 / 60.0, start: NOON, repeats: 0 },
    Case { name: "paced-2500", batch: 2_500, step: 0.1, start: NOON, repeats: 0 },
    Case { name: "repeats-25k", batch: 25_000, step: 1.0 / 60.0, start: NOON, repeats: 4 },
    Case {
        name: "history-10k",
        batch: 10_000,
        step: 378_000.0,
        start: SIX_YEARS_BEFORE,
        repeats: 0,
    },
    Case {
        name: "history-25k",
        batch: 25_000,
        step: 378_000.0,
        start: SIX_YEARS_BEFORE,
        repeats: 0,
    },
];

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if let [command, order] = &args[..]
        && command == "engine"
    {
        return Ok(entry::run(order)?);
    }
    let rows = args.first().map_or(Ok(500_000), |rows| rows.parse())?;
    write_all(rows, args.get(1).map(String::as_str))
}

#[tokio::main]
async fn write_all(rows: i64, only: Option<&str>) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let options = EngineOptions { kafka: None, ..EngineOptions::default() };
    let supervisor = Supervisor::start(EngineHome::open(folder.path())?, options, |_| {}).await?;
    let server = supervisor.pid(EngineKind::ClickHouse).context("the server is ready")?;
    let endpoint = supervisor.endpoints().clickhouse.clone().context("ClickHouse was asked for")?;
    let store = Store::new(&ClickHouseSettings {
        url: endpoint.url,
        user: endpoint.application.user,
        password: endpoint.application.password.into(),
        ca_file: String::new(),
        database: "echolot".to_owned(),
        timeout: Duration::from_mins(1),
        long_timeout: Duration::from_mins(10),
    })?;
    generations::migrate(&store, GenerationChoice::Promoted).await?;
    println!(
        "{:<12} {:>9} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9} {:>8}",
        "case", "rows/s", "p50 s", "p99 s", "look-up", "insert", "recomp.", "server µs", "sink µs"
    );
    for case in CASES.iter().filter(|case| only.is_none_or(|only| only == case.name)) {
        run(&store, case, rows, server).await?;
    }
    supervisor.stop(Duration::from_secs(9)).await;
    Ok(())
}

async fn run(store: &Store, case: &Case, rows: i64, server: u32) -> anyhow::Result<()> {
    let generation = generations::create_next(store).await?;
    let registry = prometheus::Registry::new();
    let metrics = SinkMetrics::new(&registry)?;
    let mut writer = Writer::new(store.clone(), generation, &settings(), metrics, Clock::system());
    writer.assigned(&(0..PARTITIONS).collect::<Vec<_>>()).await?;
    let mut took = Vec::new();
    let (server_before, sink_before) = (processor_seconds(server)?, own_seconds()?);
    let mut making = 0.0;
    for first in (0..rows).step_by(usize::try_from(case.batch)?) {
        let made = own_seconds()?;
        let batch: Vec<_> =
            (first..(first + case.batch).min(rows)).map(|n| item(case, n)).collect();
        making += own_seconds()? - made;
        let started = Instant::now();
        writer.judge(&batch).await?;
        writer.complete().await?;
        took.push(started.elapsed().as_secs_f64());
    }
    let server_micros = (processor_seconds(server)? - server_before) * 1e6 / rows as f64;
    let sink_micros = (own_seconds()? - sink_before - making) * 1e6 / rows as f64;
    let total: f64 = took.iter().sum();
    let batches = took.len() as f64;
    took.sort_by(f64::total_cmp);
    let phase = |name| phase_seconds(&registry, name) / batches;
    println!(
        "{:<12} {:>9.0} {:>8.3} {:>8.3} {:>8.3} {:>8.3} {:>8.3} {:>9.1} {:>8.1}",
        case.name,
        rows as f64 / total,
        took[took.len() / 2],
        took[took.len() * 99 / 100],
        phase("look_up"),
        phase("insert"),
        phase("recompute"),
        server_micros,
        sink_micros,
    );
    let audit = StoreAudit::new(store, generation);
    for partition in 0..u16::try_from(PARTITIONS)? {
        let differing = audit.differing(partition, 3).await?;
        anyhow::ensure!(differing.count == 0, "{differing:?}");
        let doubled = audit.doubled(partition, 3).await?;
        anyhow::ensure!(doubled.count == 0, "{doubled:?}");
    }
    generations::drop(store, generation).await?;
    Ok(())
}

/// User and system time of a process, in seconds, all threads.
fn processor_seconds(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(") ").context("stat has a name in parentheses")?;
    let ticks =
        fields.split(' ').skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    // Linux reports hundredths of a second to user space on every platform (proc(5)).
    Ok(ticks / 100.0)
}

fn own_seconds() -> anyhow::Result<f64> {
    processor_seconds(std::process::id())
}

fn phase_seconds(registry: &prometheus::Registry, phase: &str) -> f64 {
    registry
        .gather()
        .iter()
        .filter(|family| family.name() == "echolot_sink_phase_seconds")
        .flat_map(prometheus::proto::MetricFamily::get_metric)
        .filter(|metric| metric.get_label().iter().any(|label| label.value() == phase))
        .map(|metric| metric.get_histogram().get_sample_sum())
        .sum()
}

fn settings() -> SinkSettings {
    SinkSettings {
        generation: GenerationChoice::Promoted,
        sightings_memory: ByteSize::mib(64),
        count_within: Duration::from_secs(1),
        worker: WorkerSettings {
            batch_rows: 50_000,
            batch_bytes: ByteSize::mib(64),
            linger: Duration::from_millis(200),
            in_flight_rows: 100_000,
            in_flight_bytes: ByteSize::mib(128),
            drain: Duration::from_secs(10),
            poison_run: 100,
            poison_ratio: 0.5,
        },
    }
}

/// The n-th mention: about 200 letters, one of 8 brands or none, of 6 languages and 5 sources.
fn item(case: &Case, n: i64) -> Item<EnrichedEvent> {
    // A repeat is a new state (more likes) of the mention a batch before.
    let repeats = case.repeats > 0 && n % case.repeats == 0 && n >= case.batch;
    let same_as = if repeats { n - case.batch + 1 } else { n };
    let mixed = same_as.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.cast_signed()).unsigned_abs();
    let pick =
        |of: usize, salt: u32| usize::try_from(mixed.rotate_left(salt) % of as u64).unwrap_or(0);
    let source = ["forum", "ideas", "push", "rss.news", "intranet"][pick(5, 7)];
    #[expect(clippy::expect_used, reason = "the five names above are well-formed")]
    let source = SourceName::new(source).expect("a source name of lower-case letters");
    let native_id = format!("post-{same_as}");
    let id = MentionId::derive(&source, &native_id);
    let partition = i32::try_from(id.as_uuid().as_u128() % 12).unwrap_or(0);
    let raw = RawPosition { partition, offset: n };
    let now = Clock::system().now();
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of six years fit an i64")]
    let published_at = Timestamp::from_millis(case.start + (same_as as f64 * case.step) as i64);
    let model =
        |id: &str| ModelRef { id: id.into(), version: "1".into(), hash: "0123456789ab".into() };
    let polarity = Polarity::ALL[pick(3, 19)];
    let share = |of| if of == polarity { 0.8 } else { 0.1 };
    let brands = match pick(9, 31) {
        8 => Vec::new(),
        brand => vec![BrandMatch::new(format!("brand-{brand}"), "c0ffee")],
    };
    let enriched = Enriched {
        raw,
        observed_at: now,
        enriched_at: now,
        mention: Mention {
            id,
            source,
            native_id,
            text: format!(
                "{mixed:020} Der Kundendienst hat sich nach zwei Wochen gemeldet und die Lampe getauscht; jetzt flackert auch die neue, und niemand am Telefon weiß, woran es liegt. {mixed:x}"
            ),
            title: None,
            url: Some(format!("https://forum.example/t/{same_as}")),
            published_at,
            edited_at: None,
            declared_language: Some("de".to_owned()),
            author: Some(Author { pseudonym: format!("{mixed:032x}"), handle: None }),
            parent_id: None,
            thread_id: Some(id),
            engagement: Engagement {
                likes: Some(n.unsigned_abs() % 50),
                replies: Some(2),
                shares: None,
                reach: None,
            },
            tags: vec!["lampe".to_owned()],
            country: Some("DE".to_owned()),
            rating: None,
            internal: false,
        },
        language: Language {
            code: ["de", "en", "fr", "es", "it", "pt"][pick(6, 43)].to_owned(),
            confidence: 0.9,
            model: model("whichlang"),
        },
        sentiment: Sentiment {
            polarity,
            distribution: Distribution {
                negative: share(Polarity::Negative),
                neutral: share(Polarity::Neutral),
                positive: share(Polarity::Positive),
            },
            model: model("lexicon-de-en"),
        },
        brands,
    };
    Item { event: EnrichedEvent::Enriched(Box::new(enriched)), position: raw }
}
