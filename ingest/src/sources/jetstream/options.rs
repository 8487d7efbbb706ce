//! `[sources.NAME]` with `kind = "jetstream"`.

use std::{fs, path::PathBuf};

use bytes::Bytes;
use echolot_pipeline::{settings::Problems, stage::Rejection};
use serde::Deserialize;
use url::Url;

use super::{
    decompress::Dictionary,
    reader::{Heard, Item, Reader, malformed},
    source::JetstreamSource,
};
use crate::{
    keep::KeepRule,
    rejected::Place,
    source::{Page, SourceFault},
    sources::{Parts, SampleContext, SourceContext, SourceOptions, stream::StreamSettings},
};

/// Most accounts that a server takes.
const DIDS: usize = 10_000;

/// Which protocol the server speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Version {
    /// `/subscribe`: cursors are times, and one that is too old is clamped without a word.
    V1,
    /// `network.bsky.jetstream.subscribeEvents`: cursors are numbers, and the server says when one
    /// is too old.
    #[default]
    V2,
}

impl Version {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::V1 => Self::V2,
            Self::V2 => Self::V1,
        }
    }

    /// As people say it.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }

    /// As in the settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }
}

/// The options of a Jetstream source.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JetstreamOptions {
    /// The server, without a path.
    pub url: Url,
    /// Which protocol it speaks.
    pub version: Version,
    /// Only these accounts are asked for, as DIDs; empty for everybody.
    pub dids: Vec<String>,
    /// Accounts whose posts are kept whatever the brands say, as DIDs.
    pub follow: Vec<String>,
    /// File with the server's zstd dictionary; none for frames that are not compressed.
    pub dictionary: Option<PathBuf>,
    /// What all streams have.
    pub stream: StreamSettings,
}

impl Default for JetstreamOptions {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "a constant, checked by a test")]
        let url = Url::parse("wss://jetstream.us-east.bsky.network").expect("a constant address");
        Self {
            url,
            version: Version::default(),
            dids: Vec::new(),
            follow: Vec::new(),
            dictionary: None,
            stream: StreamSettings::default(),
        }
    }
}

impl JetstreamOptions {
    /// The dictionary, where one is configured.
    pub(super) fn read_dictionary(&self) -> Result<Option<Dictionary>, String> {
        let read = |path: &PathBuf| {
            let named = |error: &dyn ToString| format!("{}: {}", path.display(), error.to_string());
            let bytes = fs::read(path).map_err(|error| named(&error))?;
            Dictionary::new(bytes).map_err(|error| named(&error))
        };
        self.dictionary.as_ref().map(read).transpose()
    }
}

impl SourceOptions for JetstreamOptions {
    fn validate(&self, path: &str, problems: &mut Problems) {
        problems.check(
            matches!(self.url.scheme(), "ws" | "wss") && self.url.path() == "/",
            &format!("{path}.url"),
            "must be the address of a server without a path, such as \
             wss://jetstream.us-east.bsky.network",
        );
        let is_did = |did: &String| {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"._:%-".contains(&b);
            did.starts_with("did:") && did.len() <= 256 && did.bytes().all(plain)
        };
        for (name, dids) in [("dids", &self.dids), ("follow", &self.follow)] {
            problems.check(
                dids.len() <= DIDS && dids.iter().all(is_did),
                &format!("{path}.{name}"),
                format!("must be at most {DIDS} of the form did:plc:… or did:web:…"),
            );
        }
        let unasked = |did: &&String| !self.dids.is_empty() && !self.dids.contains(did);
        problems.check(
            !self.follow.iter().any(|did| unasked(&did)),
            &format!("{path}.follow"),
            "names accounts that dids leaves out: add them there, or leave dids empty",
        );
        if let Err(message) = self.read_dictionary() {
            problems.check(false, &format!("{path}.dictionary"), message);
        }
        self.stream.validate(path, problems);
    }

    /// What everybody says is too much to keep.
    fn keep(&self) -> KeepRule {
        KeepRule::Matches
    }

    fn build(&self, context: SourceContext) -> Result<Parts, SourceFault> {
        let dictionary = self.read_dictionary().map_err(SourceFault::Fatal)?;
        let source = JetstreamSource::new(self, dictionary, context).map_err(|error| {
            SourceFault::Fatal(format!("the dictionary cannot be used: {error}"))
        })?;
        Ok(Parts::pulled(source))
    }

    /// A sample is a file of frames, one a line.
    fn judge_sample(&self, context: &SampleContext<'_>, sample: Bytes) -> Result<Page, Rejection> {
        let reader = Reader::new(context.name.clone(), self.version).following(&self.follow);
        let mut page = Page::default();
        let lines =
            sample.split(|byte| *byte == b'\n').zip(1..).filter(|(line, _)| !line.is_empty());
        for (line, number) in lines {
            let original = sample.slice_ref(line);
            let place = || Place::Line { file: None, line: number };
            match std::str::from_utf8(line).map(|text| reader.read(text, &original)) {
                Ok(Ok(Heard::Event { item, .. })) => match item {
                    Some(Item::Observed(observation)) => page.observations.push(*observation),
                    Some(Item::Purged(purge)) => page.purges.push(purge),
                    Some(Item::Rejected(rejected)) => page.rejected.push(*rejected),
                    None => {}
                },
                Ok(Ok(Heard::Info(_) | Heard::Error(_) | Heard::Unknown)) => {}
                Ok(Err(error)) => page.rejected.push(malformed(place(), &error, original)),
                Err(error) => page.rejected.push(malformed(place(), &error, original)),
            }
        }
        Ok(page)
    }
}
