//! Asks ClickHouse over HTTP, as any analyst's tool would.

use anyhow::{Context, bail};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

use crate::engines::Endpoints;

/// A client with the application's rights.
#[derive(Clone)]
pub struct StoreClient {
    http: reqwest::Client,
    url: String,
    user: String,
    password: SecretString,
}

impl StoreClient {
    /// A client for these engines.
    pub fn new(endpoints: &Endpoints) -> Self {
        Self {
            http: reqwest::Client::new(),
            url: endpoints.url.clone(),
            user: endpoints.user.clone(),
            password: endpoints.password.clone(),
        }
    }

    /// Runs a statement; its answer as text.
    pub async fn execute(&self, sql: &str) -> anyhow::Result<String> {
        let answer = self
            .http
            .post(format!("{}/?output_format_json_quote_64bit_integers=0", self.url))
            .header("X-ClickHouse-User", &self.user)
            .header("X-ClickHouse-Key", self.password.expose_secret())
            .body(sql.to_owned())
            .send()
            .await
            .context("ClickHouse does not answer")?;
        let well = answer.status().is_success();
        let text = answer.text().await.context("ClickHouse broke off")?;
        if !well {
            bail!("{sql}: {}", text.chars().take(500).collect::<String>());
        }
        Ok(text)
    }

    /// The rows of a query.
    pub async fn rows<T: DeserializeOwned>(&self, sql: &str) -> anyhow::Result<Vec<T>> {
        let text = self.execute(&format!("{sql} FORMAT JSONEachRow")).await?;
        text.lines()
            .map(|line| serde_json::from_str(line).with_context(|| format!("{sql}: {line}")))
            .collect()
    }

    /// The only number of a query's only row.
    pub async fn number(&self, sql: &str) -> anyhow::Result<u64> {
        let text = self.execute(sql).await?;
        text.trim().parse().with_context(|| format!("{sql}: {text:?} is no number"))
    }
}
