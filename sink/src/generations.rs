//! Generations: each is a whole projection in a database of its own; the views show one of them.
//!
//! A rebuild fills the next one beside the promoted one and is promoted once it is complete:
//!
//! ```text
//!  create ──▶ building ──promote──▶ promoted ──another is promoted──▶ retired ──drop──▶ dropped
//! ```

use clickhouse::Row;
use serde::Deserialize;

use echolot_store::{Action, Store, StoreError};

use crate::{migrations, settings::GenerationChoice};

/// What has become of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub enum GenerationState {
    /// Being filled.
    Building = 0,
    /// Shown by the views.
    Promoted = 1,
    /// Was promoted before.
    Retired = 2,
    /// Its database is gone.
    Dropped = 3,
}

impl GenerationState {
    const ALL: [Self; 4] = [Self::Building, Self::Promoted, Self::Retired, Self::Dropped];

    /// The name in the table and on screen.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::Promoted => "promoted",
            Self::Retired => "retired",
            Self::Dropped => "dropped",
        }
    }
}

/// A generation as it is noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Its number, from 1.
    pub number: u32,
    /// What has become of it.
    pub state: GenerationState,
}

#[derive(Row, Deserialize)]
struct Noted {
    generation: u32,
    state: i8,
}

/// Creates or updates whatever the published database and the chosen generation need, and promotes
/// the first generation there is. Returns the generation to work on. May run at every start and on
/// several machines at once.
pub async fn migrate(store: &Store, choice: GenerationChoice) -> Result<u32, StoreError> {
    migrations::migrate_published(store).await?;
    let noted = list(store).await?;
    let promoted = promoted_among(&noted);
    let number = match choice {
        GenerationChoice::Number(number) => number,
        GenerationChoice::Promoted => promoted.unwrap_or(1),
    };
    create(store, number, &noted).await?;
    match promoted {
        None => promote(store, number).await?,
        // A new build may bring new views.
        Some(promoted) => migrations::replace_views(store, promoted).await?,
    }
    Ok(number)
}

/// Every generation, dropped ones included, by number. The published database must be there.
pub async fn list(store: &Store) -> Result<Vec<Generation>, StoreError> {
    let sql = format!(
        "SELECT generation, state FROM {}.generations FINAL ORDER BY generation",
        store.published()
    );
    let noted = store.fetch::<Noted>(Action::Migrate, &sql).await?;
    noted
        .into_iter()
        .map(|Noted { generation, state }| {
            let known = GenerationState::ALL.into_iter().find(|known| *known as i8 == state);
            let state = known.ok_or_else(|| StoreError::Mismatch {
                action: Action::Migrate,
                detail: format!("generation {generation} has the unknown state {state}"),
            })?;
            Ok(Generation { number: generation, state })
        })
        .collect()
}

/// The generation that the views show.
pub async fn promoted(store: &Store) -> Result<Option<u32>, StoreError> {
    Ok(promoted_among(&list(store).await?))
}

fn promoted_among(noted: &[Generation]) -> Option<u32> {
    noted.iter().find(|g| g.state == GenerationState::Promoted).map(|g| g.number)
}

/// Creates the generation after the last one, dropped ones counted, and returns its number: no
/// number is ever used twice.
pub async fn create_next(store: &Store) -> Result<u32, StoreError> {
    migrations::migrate_published(store).await?;
    let noted = list(store).await?;
    let number = noted.last().map_or(1, |last| last.number + 1);
    create(store, number, &noted).await?;
    Ok(number)
}

async fn create(store: &Store, number: u32, noted: &[Generation]) -> Result<(), StoreError> {
    migrations::migrate_generation(store, number).await?;
    if noted.iter().any(|g| g.number == number && g.state != GenerationState::Dropped) {
        return Ok(());
    }
    note(store, number, GenerationState::Building).await
}

/// Points the views at a generation.
///
/// Each view is replaced in one step; a query that reads several of them may see both generations
/// for some milliseconds. Dying in the middle leaves the views mixed and the notes old: promoting
/// again completes it.
pub async fn promote(store: &Store, number: u32) -> Result<(), StoreError> {
    let noted = list(store).await?;
    let there = |g: &&Generation| g.number == number && g.state != GenerationState::Dropped;
    noted.iter().find(there).ok_or(StoreError::NoGeneration(number))?;
    migrations::replace_views(store, number).await?;
    // First the new one, so that there is always one promoted; `list` takes the lower of two, and
    // promoting again completes it.
    note(store, number, GenerationState::Promoted).await?;
    for before in noted {
        if before.state == GenerationState::Promoted && before.number != number {
            note(store, before.number, GenerationState::Retired).await?;
        }
    }
    Ok(())
}

/// Drops a generation's database. The promoted one is refused.
pub async fn drop(store: &Store, number: u32) -> Result<(), StoreError> {
    let noted = list(store).await?;
    let generation =
        noted.iter().find(|g| g.number == number).ok_or(StoreError::NoGeneration(number))?;
    if generation.state == GenerationState::Promoted {
        return Err(StoreError::Promoted(number));
    }
    let sql = format!("DROP DATABASE IF EXISTS {} SYNC", store.database(number));
    store.execute(Action::Migrate, &sql).await?;
    note(store, number, GenerationState::Dropped).await
}

async fn note(store: &Store, number: u32, state: GenerationState) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO {}.generations (generation, state) VALUES ({number}, '{}')",
        store.published(),
        state.as_str()
    );
    store.execute(Action::Migrate, &sql).await
}
