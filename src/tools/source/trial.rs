//! `echolot source test NAME|KIND --sample PATH`: nothing is connected to and nothing is written.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, bail};
use bytesize::ByteSize;
use clap::Args;
use echolot_ingest::{
    observe::Observer,
    source::Page,
    sources::{CommonSettings, SampleContext, SourceOptions, kind},
};
use echolot_pipeline::clock::Clock;
use echolot_schemas::{RawEvent, SourceName};
use serde::Serialize;

use crate::{
    settings::Settings,
    tools::{print, source::told::told, table},
};

/// Most mentions that are shown in full.
const SHOWN: usize = 20;
/// Largest sample file.
const SAMPLE_MOST: ByteSize = ByteSize::mib(64);

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// A configured source, or a kind with its default options.
    source: String,
    /// A recorded answer, or a folder of them.
    #[arg(long, value_name = "PATH")]
    sample: PathBuf,
    /// Prints one JSON object a file, its mentions among it.
    #[arg(long)]
    json: bool,
}

/// What became of one file.
#[derive(Serialize)]
struct Tried {
    file: String,
    observed: Vec<RawJson>,
    deleted: usize,
    authors_gone: usize,
    rejected: Vec<String>,
}

/// An event as it would stand on the log.
#[derive(Serialize)]
#[serde(transparent)]
struct RawJson(serde_json::Value);

pub(crate) fn run(settings: &Settings, args: &TestArgs) -> anyhow::Result<ExitCode> {
    let (name, common, options) = chosen(settings, &args.source)?;
    let observer = Observer::new(settings.author_key()?, &settings.privacy, &settings.ingest);
    let clock = Clock::system();
    let mut files = Vec::new();
    gather(&args.sample, &mut files)?;
    let (mut read, mut refused, mut reasons) = (0, 0, BTreeMap::<String, usize>::new());
    let mut shown = table(["file", "observed", "deleted", "authors gone", "rejected"]);
    let (mut mentions, mut more) = (Vec::new(), 0);
    for file in &files {
        let context = SampleContext { name: &name, file, common: &common, clock: &clock };
        let tried = try_file(&context, options.as_ref(), &observer)?;
        let whole = tried.rejected.is_empty();
        (read, refused) = if whole { (read + 1, refused) } else { (read, refused + 1) };
        for reason in &tried.rejected {
            *reasons.entry(class(reason)).or_default() += 1;
        }
        if args.json {
            print(serde_json::to_string(&tried)?);
        } else {
            for RawJson(event) in &tried.observed {
                if mentions.len() < SHOWN {
                    mentions.push(told(&event["mention"]));
                } else {
                    more += 1;
                }
            }
            let first = tried.rejected.first().map_or("", String::as_str);
            shown.add_row([
                tried.file.clone(),
                tried.observed.len().to_string(),
                tried.deleted.to_string(),
                tried.authors_gone.to_string(),
                first.chars().take(100).collect(),
            ]);
        }
    }
    if !args.json {
        for mention in mentions {
            print(mention);
        }
        if more > 0 {
            print(format!("and {more} mentions more: --json shows all\n"));
        }
        print(shown.to_string());
        print(format!("{read} files read whole, {refused} with rejections"));
        for (reason, count) in reasons {
            print(format!("{count:>6}  {reason}"));
        }
    }
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

type Chosen = (SourceName, CommonSettings, Arc<dyn SourceOptions>);

/// The configured source of this name, or the kind of it.
fn chosen(settings: &Settings, wanted: &str) -> anyhow::Result<Chosen> {
    let name = SourceName::new(wanted)?;
    if let Some(source) = settings.sources.get(wanted)
        && let (Some(common), Some(options)) = (source.common(), source.options())
    {
        return Ok((name, common.clone(), Arc::clone(options)));
    }
    let Some(kind) = kind(wanted) else {
        bail!("{wanted} is neither a configured source nor a kind: see `echolot source list`");
    };
    let options = kind.read(serde_json::json!({}))?;
    Ok((name, CommonSettings::default(), options))
}

fn try_file(
    context: &SampleContext<'_>,
    options: &dyn SourceOptions,
    observer: &Observer,
) -> anyhow::Result<Tried> {
    let file = context.file.display().to_string();
    let bytes = fs::read(context.file).with_context(|| format!("cannot read {file}"))?;
    let mut tried =
        Tried { file, observed: Vec::new(), deleted: 0, authors_gone: 0, rejected: Vec::new() };
    match options.judge_sample(context, bytes.into()) {
        Err(rejection) => tried.rejected.push(rejection.detail),
        Ok(page) => judge(&mut tried, page, observer, context)?,
    }
    Ok(tried)
}

fn judge(
    tried: &mut Tried,
    page: Page,
    observer: &Observer,
    context: &SampleContext<'_>,
) -> anyhow::Result<()> {
    tried.authors_gone = page.purges.len();
    for rejected in page.rejected {
        tried.rejected.push(format!("{}: {}", rejected.place, rejected.rejection.detail));
    }
    for observation in page.observations {
        let place = observation.place;
        match observer.observe(&observation.source, observation.submission, context.clock.now()) {
            Ok(RawEvent::Deleted(_)) => tried.deleted += 1,
            Ok(RawEvent::Observed(seen)) => {
                tried.observed.push(RawJson(serde_json::to_value(seen)?));
            }
            Err(rejection) => tried.rejected.push(format!("{place}: {}", rejection.detail)),
        }
    }
    Ok(())
}

/// Files under `path`, in order.
fn gather(path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let told = || format!("cannot read {}", path.display());
    let kind = fs::metadata(path).with_context(told)?;
    if kind.is_file() {
        if kind.len() > SAMPLE_MOST.as_u64() {
            bail!("{} is larger than {SAMPLE_MOST}", path.display());
        }
        files.push(path.to_owned());
        return Ok(());
    }
    let mut inner: Vec<PathBuf> = fs::read_dir(path)
        .with_context(told)?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()
        .with_context(told)?;
    inner.sort();
    for path in inner {
        gather(&path, files)?;
    }
    Ok(())
}

/// The reason without what is particular to one file.
fn class(reason: &str) -> String {
    let words = reason.rsplit_once(": ").map_or(reason, |(_, last)| last);
    words.chars().filter(|c| !c.is_ascii_digit()).take(60).collect()
}
