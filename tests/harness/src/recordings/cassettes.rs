//! Files of the packed test data.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use anyhow::Context;
use serde::Deserialize;
use serde_yaml_ng::Value;

/// A recorded session.
#[derive(Deserialize)]
struct Cassette {
    interactions: Vec<Interaction>,
}

#[derive(Deserialize)]
struct Interaction {
    request: Request,
    response: Response,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    uri: String,
}

#[derive(Deserialize)]
struct Response {
    body: Body,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    string: Option<Value>,
}

/// The file called `name` in a packed folder.
pub(super) fn file(packed: &Path, name: &str) -> anyhow::Result<Vec<u8>> {
    let is_wanted = |path: &Path| path == Path::new(name);
    find(packed, is_wanted, |_, bytes| Ok(Some(bytes)))
        .with_context(|| format!("{name} in {}", packed.display()))
}

/// What was answered to `method` on `path` in a packed folder of cassettes.
pub(super) fn answer(packed: &Path, method: &str, path: &str) -> anyhow::Result<String> {
    let is_cassette = |path: &Path| path.extension().is_some_and(|extension| extension == "yaml");
    find(packed, is_cassette, |name, bytes| {
        let Cassette { interactions } =
            serde_yaml_ng::from_slice(&bytes).with_context(|| name.display().to_string())?;
        let fits = |one: &Interaction| {
            let asked = one.request.uri.split(['?', '#']).next().unwrap_or_default();
            one.request.method == method && asked.ends_with(path)
        };
        let found = interactions.into_iter().find(fits);
        Ok(found.and_then(|one| match one.response.body.string? {
            Value::Tagged(tagged) => tagged.value.as_str().map(str::to_owned),
            value => value.as_str().map(str::to_owned),
        }))
    })
    .with_context(|| format!("{method} {path} in {}", packed.display()))
}

/// The first thing that `take` makes of the files that are wanted.
fn find<T>(
    packed: &Path,
    is_wanted: impl Fn(&Path) -> bool,
    take: impl Fn(&Path, Vec<u8>) -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let unpacked = zstd::Decoder::new(BufReader::new(File::open(packed)?))?;
    for entry in tar::Archive::new(unpacked).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        if is_wanted(&path) {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            if let Some(found) = take(&path, bytes)? {
                return Ok(found);
            }
        }
    }
    anyhow::bail!("it was not recorded")
}
