//! Asks a ClickHouse server for its version, with a bound parameter and a time limit.
//!
//! ```text
//! cargo run -p echolot-store --example ask -- http://127.0.0.1:8123 USER PASSWORD
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use anyhow::Context as _;
use clickhouse::Row;
use echolot_store::{Action, ClickHouseSettings, Store};
use secrecy::SecretString;
use serde::Deserialize;

#[derive(Row, Deserialize)]
struct Answer {
    text: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().context("usage: ask URL [USER [PASSWORD]]")?;
    let user = arguments.next().unwrap_or_else(|| "default".to_owned());
    let password = SecretString::from(arguments.next().unwrap_or_default());
    let store = Store::new(&ClickHouseSettings {
        url,
        user,
        password: password.into(),
        ca_file: String::new(),
        database: "echolot".to_owned(),
        timeout: Duration::from_secs(5),
        long_timeout: Duration::from_secs(5),
    })?;
    let sql = "SELECT concat({greeting:String}, version()) AS text";
    let bind = |query: clickhouse::query::Query| query.param("greeting", "ClickHouse ");
    for Answer { text } in store.fetch_bound::<Answer>(Action::Read, sql, bind).await? {
        println!("{text}");
    }
    Ok(())
}
