//! Something to follow from the first minute: Bluesky, where a network is there and nothing else is
//! configured. It needs no account.

use std::time::Duration;

use echolot_ingest::{
    http::{HttpClient, HttpError},
    sources::{SourceSettings, jetstream::JetstreamOptions},
};
use serde_json::{Map, Value};
use tokio::time::timeout;

use crate::settings::Settings;

/// Name of the source, part of its mentions' ids.
const NAME: &str = "bluesky";
/// How long a start may wait to find out that there is no network.
const PATIENCE: Duration = Duration::from_secs(3);

/// Adds Bluesky to the sources where there are none and its server can be reached; a line that says
/// what is followed.
pub(super) async fn follow(settings: &mut Settings) -> anyhow::Result<String> {
    let configured = settings.sources.iter().count();
    if configured > 0 {
        return Ok(format!("live      {configured} configured sources: `echolot source status`"));
    }
    let server = JetstreamOptions::default();
    let host = server.url.host_str().unwrap_or_default().to_owned();
    let http = HttpClient::new(&settings.ingest.http)?;
    Ok(match reached(&http, &server).await {
        Ok(()) => {
            let table = Map::from_iter([("kind".to_owned(), Value::from("jetstream"))]);
            settings.sources.add(NAME, SourceSettings::read(table));
            format!(
                "live      posts about your brands on Bluesky ({host}; --no-live to leave it out)"
            )
        }
        Err(why) => format!("live      nothing is followed: no way to Bluesky ({why})"),
    })
}

/// Why the server cannot be reached, in a few words.
async fn reached(http: &HttpClient, server: &JetstreamOptions) -> Result<(), String> {
    match timeout(PATIENCE, http.connect(&server.url)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(HttpError::Unreachable { detail, .. })) => Err(detail),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    fn settings(overrides: &[&str]) -> Settings {
        let overrides: Vec<String> = overrides.iter().map(ToString::to_string).collect();
        Settings::load(None, &overrides).unwrap()
    }

    #[tokio::test]
    async fn a_server_is_reached_or_it_is_told_why_not() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap()).parse().unwrap();
        let server = JetstreamOptions { url, ..JetstreamOptions::default() };
        let mut http = settings(&[]).ingest.http;
        http.allow = vec!["127.0.0.1".to_owned()];
        let client = HttpClient::new(&http).unwrap();
        assert_eq!(reached(&client, &server).await, Ok(()));
        drop(listener);
        let why = reached(&client, &server).await.unwrap_err();
        assert!(why.contains("refused"), "{why}");
    }

    #[tokio::test]
    async fn what_is_configured_is_followed_and_nothing_added() {
        let mut settings = settings(&["sources.hn.kind=hackernews", "sources.hn.keep=all"]);
        let line = follow(&mut settings).await.unwrap();
        assert!(line.contains("1 configured"), "{line}");
        assert_eq!(settings.sources.iter().count(), 1);
    }

    #[test]
    fn the_added_source_keeps_what_brands_match_and_is_valid() {
        let table = Map::from_iter([("kind".to_owned(), Value::from("jetstream"))]);
        let source = SourceSettings::read(table);
        assert_eq!(source.keep(), Some(echolot_ingest::keep::KeepRule::Matches));
        let mut settings = settings(&[]);
        settings.sources.add(NAME, source);
        let enabled: Vec<_> = settings.sources.enabled().map(|(name, _)| name).collect();
        assert_eq!(enabled.len(), 1);
    }
}
