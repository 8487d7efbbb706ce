//! Asks a ClickHouse whether it serves.

use reqwest::{Client, StatusCode};
use secrecy::ExposeSecret;

use crate::ClickHouseEndpoint;

/// Runs `SELECT 1` as the application's user, so that the answer also proves that
/// this is our server with our users, and not another one on the same port.
#[derive(Debug)]
pub(crate) struct Probe {
    client: Client,
    endpoint: ClickHouseEndpoint,
}

impl Probe {
    pub(crate) fn new(endpoint: ClickHouseEndpoint) -> Self {
        Self { client: Client::new(), endpoint }
    }

    pub(crate) async fn is_ready(&self) -> reqwest::Result<bool> {
        let login = &self.endpoint.application;
        let answer = self
            .client
            .get(format!("{}/?query=SELECT%201", self.endpoint.url))
            .header("X-ClickHouse-User", &login.user)
            .header("X-ClickHouse-Key", login.password.expose_secret())
            .send()
            .await?;
        Ok(answer.status() == StatusCode::OK)
    }
}
