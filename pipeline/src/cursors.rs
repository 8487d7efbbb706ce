//! Where each source goes on: the compacted topic `ingest.cursors`.

use echolot_schemas::{cursor::CursorRecord, topics};

use crate::{
    client::KafkaFault,
    producer::{Producer, PublishError},
    reader::LogReader,
    settings::KafkaSettings,
};

/// A cursor cannot be read or saved.
#[derive(Debug, thiserror::Error)]
pub enum CursorError {
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] KafkaFault),
    /// The log did not take it.
    #[error(transparent)]
    Save(#[from] PublishError),
    /// The record is no cursor.
    #[error("the cursor of {name} is no valid record: {source}")]
    Malformed {
        /// Cursor name.
        name: String,
        /// Where and why.
        source: serde_json::Error,
    },
}

/// Loads and saves cursors by name. Cheap to clone.
#[derive(Clone)]
pub struct CursorStore {
    settings: KafkaSettings,
    producer: Producer,
}

impl CursorStore {
    /// A store that saves through `producer`.
    pub fn new(settings: KafkaSettings, producer: Producer) -> Self {
        Self { settings, producer }
    }

    /// The cursor saved last under this name.
    pub async fn load(&self, name: &str) -> Result<Option<CursorRecord>, CursorError> {
        let (settings, wanted) = (self.settings.clone(), name.to_owned());
        let read = move || -> Result<Option<Vec<u8>>, KafkaFault> {
            let mut last = None;
            LogReader::connect(&settings, "cursors")?.read_all(&topics::CURSORS, |record| {
                if record.key == Some(wanted.as_bytes()) {
                    last = record.payload.map(<[u8]>::to_vec);
                }
            })?;
            Ok(last)
        };
        let last = tokio::task::spawn_blocking(read)
            .await
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        last.map(|payload| serde_json::from_slice(&payload))
            .transpose()
            .map_err(|source| CursorError::Malformed { name: name.to_owned(), source })
    }

    /// Saves a cursor. To be called only after everything before it was acknowledged.
    pub async fn save(&self, name: &str, cursor: &CursorRecord) -> Result<(), CursorError> {
        let payload = serde_json::to_vec(cursor)
            .map_err(|source| CursorError::Malformed { name: name.to_owned(), source })?;
        let key = Some(name.as_bytes());
        self.producer.publish_bytes(&topics::CURSORS, None, key, &payload, &[]).await?;
        Ok(())
    }
}
