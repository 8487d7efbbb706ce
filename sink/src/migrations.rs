//! The schema, as `schemas/clickhouse/` holds it, and how it reaches the server.

use clickhouse::Row;
use echolot_store::{Action, Store, StoreError};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// One file of `schemas/clickhouse/`: one statement.
struct File {
    number: u32,
    name: &'static str,
    sql: &'static str,
}

macro_rules! file {
    ($number:literal, $folder:literal, $name:literal) => {
        File {
            number: $number,
            name: $name,
            sql: include_str!(concat!("../../schemas/clickhouse/", $folder, "/", $name, ".sql")),
        }
    };
}

/// Tables of a generation; each is applied once, in this order. The first is where that is noted.
const GENERATION: [File; 6] = [
    file!(0, "generation", "0000_schema_migrations"),
    file!(1, "generation", "0001_mentions"),
    file!(2, "generation", "0002_sentiment_10s"),
    file!(3, "generation", "0003_brands_and_noise"),
    file!(4, "generation", "0004_sentiment_by_group"),
    file!(7, "generation", "0007_unmatched"),
];

/// Tables of the published database; each may be applied again.
const PUBLISHED: [File; 4] = [
    file!(1, "published", "0001_generations"),
    file!(2, "published", "0002_incidents"),
    file!(3, "published", "0003_source_coverage"),
    file!(4, "published", "0004_source_gaps"),
];

/// Views of the published database; replaced whenever a generation is promoted.
const VIEWS: [File; 9] = [
    file!(1, "views", "01_mentions"),
    file!(2, "views", "02_sentiment_by_minute"),
    file!(3, "views", "03_sentiment_by_hour"),
    file!(4, "views", "04_sentiment_by_day"),
    file!(5, "views", "05_share_of_voice"),
    file!(6, "views", "06_score_provenance"),
    file!(7, "views", "07_mentions_by_brand"),
    file!(8, "views", "08_mentions_collapsed"),
    file!(9, "views", "09_response_times"),
];

impl File {
    fn statement(&self, store: &Store, generation: u32) -> String {
        self.sql
            .replace("{generation}", &store.database(generation))
            .replace("{published}", store.published())
    }

    fn sha256(&self) -> String {
        hex::encode(Sha256::digest(self.sql))
    }
}

#[derive(Row, Deserialize)]
struct Applied {
    number: u32,
    sha256: String,
}

/// Creates the published database and its own tables.
pub(crate) async fn migrate_published(store: &Store) -> Result<(), StoreError> {
    create_database(store, store.published()).await?;
    for file in &PUBLISHED {
        store.execute(Action::Migrate, &file.statement(store, 0)).await?;
    }
    Ok(())
}

/// Brings a generation's tables up to date, creating its database where it is missing. Returns how
/// many migrations were new.
///
/// Dying between a statement and its note is harmless: every statement may run again. Two at once
/// are, too.
pub(crate) async fn migrate_generation(
    store: &Store,
    generation: u32,
) -> Result<usize, StoreError> {
    let database = store.database(generation);
    create_database(store, &database).await?;
    let [notes, ..] = &GENERATION;
    store.execute(Action::Migrate, &notes.statement(store, generation)).await?;
    let applied = store
        .fetch::<Applied>(
            Action::Migrate,
            &format!(
                "SELECT number, toString(sha256) AS sha256 FROM {database}.schema_migrations FINAL"
            ),
        )
        .await?;
    let mut new = 0;
    for file in &GENERATION {
        let now = file.sha256();
        match applied.iter().find(|applied| applied.number == file.number) {
            Some(applied) if applied.sha256 == now => {}
            Some(applied) => {
                return Err(StoreError::Altered {
                    database,
                    number: file.number,
                    applied: applied.sha256.clone(),
                    now,
                });
            }
            None => {
                store.execute(Action::Migrate, &file.statement(store, generation)).await?;
                store.execute(Action::Migrate, &note(&database, file, &now)).await?;
                new += 1;
            }
        }
    }
    Ok(new)
}

/// Points every view at a generation.
pub(crate) async fn replace_views(store: &Store, generation: u32) -> Result<(), StoreError> {
    for file in &VIEWS {
        store.execute(Action::Migrate, &file.statement(store, generation)).await?;
    }
    Ok(())
}

/// An engine of its own, since some servers replace `default` and others choose another one.
async fn create_database(store: &Store, name: &str) -> Result<(), StoreError> {
    let sql = format!("CREATE DATABASE IF NOT EXISTS {name} ENGINE = Atomic");
    store.execute(Action::Migrate, &sql).await
}

fn note(database: &str, file: &File, sha256: &str) -> String {
    format!(
        "INSERT INTO {database}.schema_migrations (number, name, sha256) \
         VALUES ({}, '{}', '{sha256}')",
        file.number, file.name
    )
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;

    fn on_disk(folder: &str) -> BTreeSet<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/clickhouse").join(folder);
        std::fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn every_file_in_the_folders_is_applied_under_its_number() {
        for (folder, files) in
            [("generation", &GENERATION[..]), ("published", &PUBLISHED), ("views", &VIEWS)]
        {
            let embedded: BTreeSet<String> = files.iter().map(|f| f.name.to_owned()).collect();
            assert_eq!(embedded, on_disk(folder), "{folder}");
            for (index, file) in files.iter().enumerate() {
                let (number, _) = file.name.split_once('_').unwrap();
                assert_eq!(number.parse::<u32>().unwrap(), file.number, "{}", file.name);
                assert!(index == 0 || files[index - 1].number < file.number, "{}", file.name);
            }
        }
    }
}
