//! The shipped sample: posts about fictional brands, carried by the binary.

use std::path::Path;

use anyhow::Context;
use echolot_ingest::files::Origin;

use crate::{process::Process, settings::Settings, tools};

const POSTS: &[u8] = include_bytes!("../../sample/posts.ndjson");
const BRANDS: &[u8] = include_bytes!("../../sample/brands.toml");

/// Brands of the sample, where the settings name none: a folder to edit in the data folder.
pub(super) fn prepare_brands(settings: &mut Settings) -> anyhow::Result<()> {
    if settings.enrich.brands.is_empty() {
        let folder = settings.own_brands();
        if !folder.exists() {
            std::fs::create_dir_all(&folder)
                .with_context(|| format!("cannot create {}", folder.display()))?;
            write(&folder.join("sample.toml"), BRANDS)?;
        }
        settings.use_own_brands();
    }
    Ok(())
}

/// Reads the sample into the log. Its place is remembered there, so a second start adds
/// nothing. Returns the posts that were new.
pub(super) async fn load(process: &Process) -> anyhow::Result<u64> {
    let path = process.settings.data.dir.join("sample.ndjson");
    write(&path, POSTS)?;
    let collected = tools::backfill::read_sample(process, Origin::File(path)).await?;
    if collected.accepted > 0 {
        tools::print(format!("sample    {} posts read", collected.accepted));
    } else {
        tools::print("sample    already in the log");
    }
    Ok(collected.accepted)
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
