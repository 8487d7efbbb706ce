//! `echolot dead-letters`: what was refused and why; and back to where it came from, once mended.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    process::ExitCode,
};

use anyhow::bail;
use clap::{Args, Subcommand};
use echolot_pipeline::reader::{LogReader, Record};
use echolot_schemas::{
    dead_letter::header,
    topics::{self, Topic},
};
use serde::Serialize;

use crate::{
    engines::Engines,
    process::Process,
    settings::Settings,
    tools::{self, log_engine, print},
};

/// Payload bytes that `show` prints at most.
const SHOWN: usize = 4096;

#[derive(Debug, Args)]
pub(crate) struct DeadLettersArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// One line each, oldest first.
    List(Filter),
    /// One, whole: reason, headers, payload.
    Show {
        /// Its number in the list.
        number: i64,
    },
    /// Puts the original bytes back on the topic that they came from.
    Retry(Filter),
}

#[derive(Debug, Args)]
struct Filter {
    /// Numbers in the list; all where left out.
    numbers: Vec<i64>,
    /// Those of one stage: ingest, enrich, sink.
    #[arg(long)]
    stage: Option<String>,
    /// Those of one reason, such as `malformed`.
    #[arg(long)]
    reason: Option<String>,
    /// Prints one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// Offset of the newest raw event, by partition and key.
type Newest = HashMap<(i32, Vec<u8>), i64>;

/// A dead letter as it stands on its topic, whose offset is its number.
#[derive(Debug, Serialize)]
struct Letter {
    number: i64,
    at: String,
    stage: String,
    reason: String,
    detail: String,
    origin: Option<String>,
    bytes: usize,
    #[serde(skip)]
    topic: Option<String>,
    #[serde(skip)]
    partition: Option<i32>,
    #[serde(skip)]
    offset: Option<i64>,
    #[serde(skip)]
    key: Option<Vec<u8>>,
    #[serde(skip)]
    payload: Vec<u8>,
    #[serde(skip)]
    headers: Vec<(String, Vec<u8>)>,
}

pub(crate) async fn run(mut settings: Settings, args: DeadLettersArgs) -> anyhow::Result<ExitCode> {
    let engines = Engines::reach(&mut settings, log_engine).await?;
    let outcome = act(settings, args.action).await;
    engines.stop().await;
    outcome.map(|()| ExitCode::SUCCESS)
}

async fn act(settings: Settings, action: Action) -> anyhow::Result<()> {
    let letters = read(&settings).await?;
    match action {
        Action::List(filter) => list(&filter.choose(letters), filter.json),
        Action::Show { number } => show(letters.iter().find(|letter| letter.number == number)),
        Action::Retry(filter) => retry(settings, filter.choose(letters)).await,
    }
}

async fn read(settings: &Settings) -> anyhow::Result<Vec<Letter>> {
    let kafka = settings.kafka.clone();
    let read = move || {
        let mut letters = Vec::new();
        LogReader::connect(&kafka, "dead-letters")?
            .read_all(&topics::DEAD, |record| letters.push(Letter::of(&record)))?;
        Ok(letters)
    };
    tokio::task::spawn_blocking(read).await?
}

impl Filter {
    fn choose(&self, letters: Vec<Letter>) -> Vec<Letter> {
        let numbers: HashSet<i64> = self.numbers.iter().copied().collect();
        let fits = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        letters
            .into_iter()
            .filter(|letter| numbers.is_empty() || numbers.contains(&letter.number))
            .filter(|letter| fits(&self.stage, &letter.stage) && fits(&self.reason, &letter.reason))
            .collect()
    }
}

impl Letter {
    fn of(record: &Record<'_>) -> Self {
        let text = |name: &str| {
            let (_, value) = record.headers().find(|(key, _)| *key == name)?;
            Some(String::from_utf8_lossy(value).into_owned())
        };
        let topic = text(header::TOPIC);
        let partition = text(header::PARTITION).and_then(|number| number.parse().ok());
        let place = |topic: &String| {
            let part = |name| text(name).unwrap_or_default();
            format!("{topic}/{}@{}", part(header::PARTITION), part(header::OFFSET))
        };
        Self {
            number: record.position.offset,
            at: text(header::AT).unwrap_or_default(),
            stage: text(header::STAGE).unwrap_or_default(),
            reason: text(header::REASON).unwrap_or_default(),
            detail: text(header::DETAIL).unwrap_or_default(),
            origin: topic.as_ref().map(place),
            bytes: record.payload.map_or(0, <[u8]>::len),
            topic,
            partition,
            offset: text(header::OFFSET).and_then(|number| number.parse().ok()),
            key: record.key.map(<[u8]>::to_vec),
            payload: record.payload.unwrap_or_default().to_vec(),
            headers: record
                .headers()
                .filter(|(name, _)| !name.starts_with(header::PREFIX))
                .map(|(name, value)| (name.to_owned(), value.to_vec()))
                .collect(),
        }
    }
}

impl Letter {
    /// Partition and key, where it comes from the raw topic.
    fn raw_key(&self) -> Option<(i32, Vec<u8>)> {
        let raw = self.topic.as_deref() == Some(topics::RAW.name);
        Some((self.partition.filter(|_| raw)?, self.key.clone()?))
    }

    fn is_outdated(&self, newest: &Newest) -> bool {
        let newest = self.raw_key().and_then(|place| newest.get(&place).copied());
        newest.zip(self.offset).is_some_and(|(newest, own)| newest > own)
    }
}

fn list(letters: &[Letter], json: bool) -> anyhow::Result<()> {
    if json {
        for letter in letters {
            print(serde_json::to_string(letter)?);
        }
        return Ok(());
    }
    let mut table = tools::table(["number", "at", "stage", "reason", "from", "bytes", "detail"]);
    for letter in letters {
        table.add_row([
            letter.number.to_string(),
            letter.at.clone(),
            letter.stage.clone(),
            letter.reason.clone(),
            letter.origin.clone().unwrap_or_default(),
            letter.bytes.to_string(),
            printable(&letter.detail),
        ]);
    }
    print(table.to_string());
    print(format!("{} dead letters", letters.len()));
    Ok(())
}

fn show(letter: Option<&Letter>) -> anyhow::Result<()> {
    let Some(letter) = letter else {
        bail!("there is no dead letter of that number; `echolot dead-letters list` shows them");
    };
    print(serde_json::to_string_pretty(letter)?);
    for (name, value) in &letter.headers {
        print(format!("{name}: {}", printable(&String::from_utf8_lossy(value))));
    }
    let shown = &letter.payload[..letter.payload.len().min(SHOWN)];
    print(format!("\n{}", printable(&String::from_utf8_lossy(shown))));
    Ok(())
}

/// Hostile bytes must not steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

async fn retry(settings: Settings, letters: Vec<Letter>) -> anyhow::Result<()> {
    let process = Process::new(settings)?;
    let producer = process.producer("dead-letters.producer")?;
    let newest = newest_events(&process.settings, &letters).await?;
    let (mut again, mut homeless, mut outdated) = (0_u64, 0_u64, 0_u64);
    for letter in letters {
        let Some(topic) = letter.topic.as_deref().and_then(known_topic) else {
            homeless += 1;
            continue;
        };
        if letter.is_outdated(&newest) {
            outdated += 1;
            continue;
        }
        producer
            .publish_bytes(
                &topic,
                letter.partition,
                letter.key.as_deref(),
                &letter.payload,
                &letter.headers,
            )
            .await?;
        again += 1;
    }
    print(format!("{again} put back to where they came from"));
    if outdated > 0 {
        print(format!("{outdated} left alone: a newer event of the same mention is on the log"));
    }
    if homeless > 0 {
        print(format!(
            "{homeless} left alone: they never reached a topic; mend them at their source and send \
             them again"
        ));
    }
    Ok(())
}

/// Offset of the newest raw event of each mention that a letter is about. Putting an old state back
/// behind a newer one would undo an edit.
async fn newest_events(settings: &Settings, letters: &[Letter]) -> anyhow::Result<Newest> {
    let wanted: HashSet<(i32, Vec<u8>)> = letters.iter().filter_map(Letter::raw_key).collect();
    let partitions: BTreeSet<i32> = wanted.iter().map(|(partition, _)| *partition).collect();
    let kafka = settings.kafka.clone();
    let read = move || -> anyhow::Result<Newest> {
        let reader = LogReader::connect(&kafka, "dead-letters")?;
        let extents = reader.extents(&topics::RAW)?;
        let mut newest = Newest::new();
        for partition in partitions {
            let Some(extent) = extents.get(usize::try_from(partition)?) else { continue };
            reader.read(&topics::RAW, partition, extent.high, |record| {
                if let Some(key) = record.key {
                    let place = (partition, key.to_vec());
                    if wanted.contains(&place) {
                        newest.insert(place, record.position.offset);
                    }
                }
            })?;
        }
        Ok(newest)
    };
    tokio::task::spawn_blocking(read).await?
}

fn known_topic(name: &str) -> Option<Topic> {
    [topics::RAW, topics::ENRICHED].into_iter().find(|topic| topic.name == name)
}
