//! `echolot brands check`.

use std::process::ExitCode;

use clap::Args;
use echolot_brands::BrandBook;
use echolot_pipeline::brands::BrandFiles;
use serde_json::json;

use super::{Refusal, configured, warning_line};
use crate::{
    settings::Settings,
    tools::{print, table},
};

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Brand files, read together; paths may hold wildcards. Left out: those of enrich.brands.
    files: Vec<String>,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(settings: Settings, args: &CheckArgs) -> ExitCode {
    let checked = if args.files.is_empty() {
        configured(settings)
    } else {
        BrandFiles::new(&args.files).load().map_err(Refusal::from)
    };
    let set = match checked {
        Ok(set) => set,
        Err(refusal @ Refusal::Files(_)) => {
            refusal.tell(args.json);
            return ExitCode::FAILURE;
        }
        Err(refusal) => return refusal.tell(args.json),
    };
    print(if args.json { to_json(set.book()) } else { to_table(set.book()) });
    ExitCode::SUCCESS
}

fn to_json(book: &BrandBook) -> String {
    let brands: Vec<_> = book
        .brands()
        .iter()
        .map(|brand| {
            json!({
                "name": brand.name,
                "group": brand.group,
                "version": brand.version,
                "file": brand.file,
                "query": brand.query.format(),
                "warnings": brand.warnings,
            })
        })
        .collect();
    json!({ "version": book.version(), "brands": brands }).to_string()
}

fn to_table(book: &BrandBook) -> String {
    let mut table = table(["brand", "group", "version", "file"]);
    for brand in book.brands() {
        table.add_row([&brand.name, &brand.group, &brand.version, &brand.file]);
    }
    let warnings = book
        .warnings()
        .map(|(brand, warning)| format!("\n{}: {}", brand.name, warning_line(warning)));
    format!("{table}{}", warnings.collect::<String>())
}
