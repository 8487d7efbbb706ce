//! `echolot brands`: brand files and queries, checked and tried before they count.
//!
//! The very matcher of the pipeline answers, so what is shown here is what will be stored.

mod check;
mod preview;
mod sample;
mod trial;

use std::{io::Write as _, process::ExitCode};

use clap::{Args, Subcommand};
use echolot_brands::{Brand, Query, QueryError, Warning};
use echolot_pipeline::brands::{BrandFiles, BrandSet, BrandsError};
use serde_json::json;

use crate::{settings::Settings, tools::print};

/// Exit status where a question could not be answered.
const UNANSWERED: u8 = 2;

#[derive(Debug, Subcommand)]
pub(crate) enum BrandsCommand {
    /// Checks brand files: every error with its place. Exits 0, or 1 when they are broken.
    Check(check::CheckArgs),
    /// Whether a query matches a text. Exits 0 when it does, 1 when not, 2 on an error.
    Test(trial::TestArgs),
    /// Which terms of a query or brand a text holds, where, and which of them count.
    Explain(trial::ExplainArgs),
    /// What a query or brand would have found in the last days of the store. Stores nothing.
    Preview(preview::PreviewArgs),
}

pub(crate) async fn run(settings: Settings, command: BrandsCommand) -> anyhow::Result<ExitCode> {
    match command {
        BrandsCommand::Check(args) => Ok(check::run(settings, &args)),
        BrandsCommand::Test(args) => trial::test(&settings, &args),
        BrandsCommand::Explain(args) => trial::explain(&settings, &args),
        BrandsCommand::Preview(args) => preview::run(settings, args).await,
    }
}

/// A query as typed, or that of a brand.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Asked {
    /// The query; brands/README.md describes the language.
    #[arg(long)]
    query: Option<String>,
    /// A brand of the brand files.
    #[arg(long)]
    brand: Option<String>,
}

/// What is looked for.
struct Wanted {
    query: Query,
    warnings: Vec<Warning>,
    /// Languages that it is limited to; none means all.
    languages: Vec<String>,
}

impl Wanted {
    fn parse(query: &str) -> Result<Self, Refusal> {
        let (query, warnings) = Query::parse(query)?;
        Ok(Self { query, warnings, languages: Vec::new() })
    }

    fn of(settings: Settings, asked: &Asked) -> Result<Self, Refusal> {
        let Some(name) = &asked.brand else {
            return Self::parse(asked.query.as_deref().unwrap_or_default());
        };
        let set = configured(settings)?;
        let book = set.book();
        let found = book.index_of(name).and_then(|index| book.get(index));
        let Some(Brand { query, warnings, languages, .. }) = found.cloned() else {
            return Err(Refusal::UnknownBrand {
                name: name.clone(),
                known: book.brands().iter().map(|brand| brand.name.clone()).collect(),
            });
        };
        Ok(Self { query, warnings, languages })
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("{0}")]
    Query(#[from] QueryError),
    #[error("{0}")]
    Files(#[from] BrandsError),
    #[error("there are no brand files: set enrich.brands, or run `echolot up` once")]
    NoFiles,
    #[error("there is no brand `{name}`; there are {}", known.join(", "))]
    UnknownBrand { name: String, known: Vec<String> },
}

impl Refusal {
    /// Tells it: with a mark below the place on standard error, or as JSON with offsets on standard
    /// output.
    fn tell(&self, as_json: bool) -> ExitCode {
        if as_json {
            print(json!({ "error": self.to_json() }).to_string());
        } else {
            let told = match self {
                Self::Query(error) => error.render(),
                Self::Files(error) => error.render(),
                other => other.to_string(),
            };
            // Nothing is left to tell when standard error itself is closed.
            let _ = writeln!(std::io::stderr(), "{}", told.trim_end());
        }
        ExitCode::from(UNANSWERED)
    }

    fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Query(error) => json!(error),
            Self::Files(BrandsError::Book(errors)) => json!({ "code": "files", "files": errors }),
            Self::Files(error) => json!({ "code": "files", "message": error.to_string() }),
            Self::NoFiles => json!({ "code": "no-files", "message": self.to_string() }),
            Self::UnknownBrand { .. } => {
                json!({ "code": "unknown-brand", "message": self.to_string() })
            }
        }
    }
}

/// The brands of the configured files, or of those that `up` made.
fn configured(mut settings: Settings) -> Result<BrandSet, Refusal> {
    if settings.enrich.brands.is_empty() {
        if !settings.own_brands().is_dir() {
            return Err(Refusal::NoFiles);
        }
        settings.use_own_brands();
    }
    Ok(BrandFiles::new(&settings.enrich.brands).load()?)
}

/// A warning for a terminal.
fn warning_line(warning: &Warning) -> String {
    format!("warning: {} (at {}..{})", warning.kind, warning.bytes.start, warning.bytes.end)
}
