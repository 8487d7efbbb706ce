//! Whether a role lives and is ready, as its parts report it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A part that has not shown a sign of life for this long counts as dead.
const SILENT: Duration = Duration::from_mins(1);

/// One part's own report. Cheap to clone; a new part is not ready until it says so.
#[derive(Clone, Debug)]
pub struct Health {
    part: &'static str,
    board: HealthBoard,
}

/// Every part of a process: what `/live` and `/ready` read.
#[derive(Clone, Debug, Default)]
pub struct HealthBoard(Arc<Mutex<BTreeMap<&'static str, Part>>>);

#[derive(Debug)]
struct Part {
    not_ready: Option<String>,
    /// What an operator should know of a part that works.
    note: Option<String>,
    /// When the part last showed a sign of life; `None` for parts without a loop of their own.
    alive: Option<Instant>,
}

impl HealthBoard {
    /// A part's report, not ready at first.
    pub fn part(&self, name: &'static str) -> Health {
        let starting = Part { not_ready: Some("starting".to_owned()), note: None, alive: None };
        self.lock().insert(name, starting);
        Health { part: name, board: self.clone() }
    }

    /// What keeps the process from being ready, part by part; empty when it is.
    pub fn not_ready(&self) -> Vec<(&'static str, String)> {
        self.lock()
            .iter()
            .filter_map(|(name, part)| part.not_ready.clone().map(|reason| (*name, reason)))
            .collect()
    }

    /// What an operator should know although the process is ready, part by part.
    pub fn notes(&self) -> Vec<(&'static str, String)> {
        self.lock()
            .iter()
            .filter_map(|(name, part)| part.note.clone().map(|note| (*name, note)))
            .collect()
    }

    /// Parts whose loop has stopped turning; empty when all live.
    pub fn dead(&self) -> Vec<&'static str> {
        self.lock()
            .iter()
            .filter(|(_, part)| part.alive.is_some_and(|at| at.elapsed() > SILENT))
            .map(|(name, _)| *name)
            .collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, Part>> {
        // A panic elsewhere leaves plain data behind: still true, still readable.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Health {
    /// The part's name.
    pub const fn name(&self) -> &'static str {
        self.part
    }

    /// The part works. True when it did not before.
    pub fn ready(&self) -> bool {
        self.update(|part| part.not_ready.take().is_some())
    }

    /// The part does not work, and why. True when the reason is news.
    pub fn not_ready(&self, reason: &str) -> bool {
        self.update(|part| {
            let news = part.not_ready.as_deref() != Some(reason);
            part.not_ready = Some(reason.to_owned());
            news
        })
    }

    /// The part works, and an operator should know this; a later note takes its place.
    pub fn note(&self, note: &str) {
        self.update(|part| {
            part.note = Some(note.to_owned());
            true
        });
    }

    /// There is nothing to know any more.
    pub fn clear_note(&self) {
        self.update(|part| part.note.take().is_some());
    }

    /// The part's loop turns.
    pub fn alive(&self) {
        self.update(|part| {
            part.alive = Some(Instant::now());
            true
        });
    }

    fn update(&self, change: impl FnOnce(&mut Part) -> bool) -> bool {
        self.board.lock().get_mut(self.part).is_some_and(change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_ready_when_all_its_parts_are() {
        let board = HealthBoard::default();
        let (sink, push) = (board.part("sink"), board.part("push"));
        sink.ready();
        assert_eq!(board.not_ready(), [("push", "starting".to_owned())]);
        push.ready();
        assert!(board.not_ready().is_empty());
        assert!(sink.not_ready("store is out of reach"));
        assert!(!sink.not_ready("store is out of reach"), "the same reason is no news");
        assert_eq!(board.not_ready(), [("sink", "store is out of reach".to_owned())]);
    }
    #[test]
    fn a_note_does_not_keep_a_part_from_being_ready() {
        let board = HealthBoard::default();
        let enrich = board.part("enrich");
        enrich.ready();
        enrich.note("degraded");
        assert!(board.not_ready().is_empty());
        assert_eq!(board.notes(), [("enrich", "degraded".to_owned())]);
        enrich.clear_note();
        assert!(board.notes().is_empty());
    }
}
