//! Recorded exchanges of the platforms, played by servers on loopback.
//!
//! ```text
//!  expected_v1.jsonl ─▶ Stream    ws://…/subscribe               hangs up in mid-stream as scheduled
//!  Mastodon cassettes ─▶ Web      /api/v1/timelines/public       401 once its token was revoked
//!  feed-rs fixtures ──▶    〃     /news.atom
//! ```
//!
//! The recordings are files of the test data (`event_samples`); what they do not hold, such as an
//! account that is taken down, is said in the same framing by [`Stream`]. Called by `tests/it` and by
//! the program `recordings`.

mod cassettes;
mod stream;
mod web;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;

pub use self::stream::{Did, Stream};
use self::web::Web;

/// The secret that `[sources.ideas]` is called with, in the header `X-Echolot-Token`.
pub const HOOK_SECRET: &str = "a secret of the recordings";

/// A feed with four entries.
const FEED: &str = "feed-rs/atom/atom_example_6.xml";
/// A timeline of twenty statuses.
const TIMELINE: &str = "/api/v1/timelines/public";

/// The servers; they end with this.
pub struct Recordings {
    /// Bluesky.
    pub stream: Stream,
    web: Web,
    folder: PathBuf,
}

impl Recordings {
    /// Plays the recordings under `data`, the folder `event_samples`. The samples that sources can be
    /// tested with are written to `folder`.
    ///
    /// `hang_ups` are how many events the first connections to the stream get before it hangs up;
    /// between two events it waits for `pace`.
    pub async fn start(
        data: &Path,
        folder: &Path,
        pace: Duration,
        hang_ups: Vec<usize>,
    ) -> anyhow::Result<Self> {
        let folder = folder.to_owned();
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let recorded = data.join("bluesky_jetstream/expected_v1.jsonl");
        let recorded =
            fs::read_to_string(&recorded).with_context(|| recorded.display().to_string())?;
        let feed = cassettes::file(&data.join("feed-rs.tar.zst"), FEED)?;
        let timeline =
            cassettes::answer(&data.join("mastodon_py_cassettes.tar.zst"), "GET", TIMELINE)?;
        fs::write(folder.join("bluesky.jsonl"), &recorded)?;
        fs::write(folder.join("news.atom"), &feed)?;
        fs::write(folder.join("fediverse.json"), &timeline)?;
        let stream = Stream::start(&recorded, pace, hang_ups).await?;
        let web = Web::start(feed, serde_json::from_str(&timeline)?).await?;
        Ok(Self { stream, web, folder })
    }

    /// What `echolot source test NAME --sample` reads for the sources of [`Recordings::config`]:
    /// `bluesky`, `fediverse` and `news`.
    pub fn sample(&self, source: &str) -> PathBuf {
        let extension = match source {
            "bluesky" => "jsonl",
            "fediverse" => "json",
            _ => "atom",
        };
        self.folder.join(source).with_extension(extension)
    }

    /// The tokens of `[sources.members]` are worth nothing from now on.
    pub fn revoke_tokens(&self) {
        self.web.revoke_tokens();
    }

    /// The configuration of an Echolot that follows these servers.
    pub fn config(&self) -> String {
        config(self.stream.address(), self.web.address())
    }
}

fn config(stream: SocketAddr, web: SocketAddr) -> String {
    format!(
        r#"[ingest]
purge_every = "1s"

[ingest.http]
allow = ["127.0.0.1"]
pace = "0s"

[sources.bluesky]
kind = "jetstream"
url = "ws://{stream}"
version = "v1"
keep = "all"

[sources.bluesky.stream]
linger = "50ms"
reconnect_first = "50ms"
reconnect_longest = "200ms"

[sources.fediverse]
kind = "mastodon"
url = "http://{web}"
timelines = ["public:local"]
interval = "1s"
pace = "0s"

[sources.members]
kind = "mastodon"
url = "http://{web}"
token = "{token}"
timelines = ["public:local"]
interval = "1s"
pace = "0s"

[sources.news]
kind = "feed"
urls = ["http://{web}/news.atom"]
interval = "1s"

[sources.ideas]
kind = "webhook"
auth = {{ secret = "{HOOK_SECRET}" }}
items = "/ideas"

[sources.ideas.fields]
id = "/id"
text = "/text"
published_at = "/at"
author = "/by"
deleted = {{ from = "/state", equals = ["deleted"] }}
"#,
        token = web::TOKEN,
    )
}
