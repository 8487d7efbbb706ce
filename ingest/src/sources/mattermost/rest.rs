//! Asking the server: which channels there are, and what was said since.

use std::collections::HashMap;

use bytes::Bytes;
use echolot_pipeline::clock::Clock;
use echolot_schemas::SourceName;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use super::{
    options::{PACE, TOKEN_HINT},
    post::Post,
};
use crate::{
    http::{Fetch, HttpClient},
    source::{Observation, SourceFault},
};

/// Most posts that the server answers at once; what is older is left out.
pub(super) const MOST: usize = 1_000;

/// A server, and who asks.
pub(super) struct Server {
    pub http: HttpClient,
    pub clock: Clock,
    pub url: Url,
    pub token: SecretString,
}

#[derive(Deserialize)]
struct Channel {
    id: String,
}

/// Posts of a channel.
#[derive(Deserialize)]
pub(super) struct Posts {
    posts: HashMap<String, Post>,
}

impl Posts {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.posts.len()
    }

    /// In the order in which they changed.
    pub(super) fn in_order(self) -> impl Iterator<Item = Post> {
        let mut posts: Vec<Post> = self.posts.into_values().collect();
        posts.sort_by(|one, other| (one.update_at, &one.id).cmp(&(other.update_at, &other.id)));
        posts.into_iter()
    }
}

/// What a post means; none for what the server wrote and for files without words.
pub(super) fn observe(
    name: &SourceName,
    post: Post,
    link: impl Fn(&str) -> String,
) -> Option<Observation> {
    let kept = post.is_written() && (!post.is_wordless() || post.is_gone());
    kept.then(|| {
        let link = link(&post.id);
        Observation::new(name, post.submission(link), Bytes::new())
    })
}

impl Server {
    /// The id of a channel.
    pub(super) async fn channel(&self, team: &str, name: &str) -> Result<String, SourceFault> {
        let path = format!("api/v4/teams/name/{team}/channels/name/{name}");
        Ok(self.get::<Channel>(self.address(&path)?).await?.id)
    }

    /// What changed in a channel since a time in milliseconds, deletions included.
    pub(super) async fn since(&self, channel: &str, millis: i64) -> Result<Posts, SourceFault> {
        let mut url = self.address(&format!("api/v4/channels/{channel}/posts"))?;
        url.query_pairs_mut().append_pair("since", &millis.to_string());
        self.get(url).await
    }

    /// The address of the websocket.
    pub(super) fn socket(&self) -> Result<Url, SourceFault> {
        let mut url = self.address("api/v4/websocket")?;
        let scheme = if url.scheme() == "http" { "ws" } else { "wss" };
        url.set_scheme(scheme)
            .map_err(|()| SourceFault::Fatal(format!("{} is no address", self.url)))?;
        Ok(url)
    }

    fn address(&self, path: &str) -> Result<Url, SourceFault> {
        self.url.join(path).map_err(|error| SourceFault::Fatal(format!("{path}: {error}")))
    }

    async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<T, SourceFault> {
        let fetch = Fetch::get(url).bearer(self.token.expose_secret()).pace(PACE);
        let answer = self.http.fetch(fetch).await?.or_fault(self.clock.now(), TOKEN_HINT)?;
        serde_json::from_slice(&answer.body)
            .map_err(|error| SourceFault::transient(format!("{}: {error}", answer.url.path())))
    }
}
