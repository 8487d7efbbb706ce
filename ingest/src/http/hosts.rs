//! Manners towards each host: so many requests at once, so much time between them, and none at all
//! while it asked to be left alone.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::http::fault::HttpError;

/// Hosts remembered; past it those without requests are forgotten.
const HOSTS_MOST: usize = 4096;
/// The longest a host is left alone at its word.
const LONGEST_PAUSE: Duration = Duration::from_hours(24);

#[derive(Debug)]
struct HostState {
    slots: Arc<Semaphore>,
    /// When the next request may begin.
    next: Instant,
    /// Until when the host wants to be left alone.
    closed_until: Option<Instant>,
}

/// What is remembered of every host. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    slots: usize,
    states: Arc<Mutex<HashMap<String, HostState>>>,
}

impl Hosts {
    pub(crate) fn new(slots: usize) -> Self {
        Self { slots, states: Arc::default() }
    }

    /// Waits for its turn at `host`, `pace` after the request before. An error where the host wants
    /// to be left alone: the caller decides whether to wait that long.
    pub(crate) async fn enter(
        &self,
        host: &str,
        pace: Duration,
    ) -> Result<Option<OwnedSemaphorePermit>, HttpError> {
        let slots = self.with(host, |state| match state.closed_until {
            Some(until) if until > Instant::now() => {
                Err(HttpError::LeftAlone { host: host.to_owned(), pause: until - Instant::now() })
            }
            _ => Ok(Arc::clone(&state.slots)),
        })?;
        // The semaphore is never closed; without a permit the host would merely be asked sooner.
        let permit = slots.acquire_owned().await.ok();
        let turn = self.with(host, |state| {
            let turn = state.next.max(Instant::now());
            state.next = turn + pace;
            turn
        });
        tokio::time::sleep_until(turn).await;
        Ok(permit)
    }

    /// `host` wants to be left alone for so long.
    pub(crate) fn close(&self, host: &str, pause: Duration) {
        let until = Instant::now() + pause.min(LONGEST_PAUSE);
        self.with(host, |state| state.closed_until = state.closed_until.max(Some(until)));
    }

    fn with<T>(&self, host: &str, change: impl FnOnce(&mut HostState) -> T) -> T {
        // A panic elsewhere leaves plain data behind: still true, still readable.
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if states.len() >= HOSTS_MOST && !states.contains_key(host) {
            let now = Instant::now();
            states.retain(|_, state| {
                state.slots.available_permits() < self.slots
                    || state.next > now
                    || state.closed_until.is_some_and(|until| until > now)
            });
        }
        let state = states.entry(host.to_owned()).or_insert_with(|| HostState {
            slots: Arc::new(Semaphore::new(self.slots)),
            next: Instant::now(),
            closed_until: None,
        });
        change(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_to_one_host_keep_their_pace_and_another_host_does_not_wait() {
        let hosts = Hosts::new(2);
        let begun = Instant::now();
        let pace = Duration::from_secs(1);
        for _ in 0..3 {
            drop(hosts.enter("a.example", pace).await.unwrap());
        }
        assert_eq!(begun.elapsed(), Duration::from_secs(2));
        drop(hosts.enter("b.example", pace).await.unwrap());
        assert_eq!(begun.elapsed(), Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_wants_to_be_left_alone_is() {
        let hosts = Hosts::new(1);
        hosts.close("a.example", Duration::from_secs(30));
        let left = hosts.enter("a.example", Duration::ZERO).await;
        assert!(matches!(left, Err(HttpError::LeftAlone { pause, .. }) if pause.as_secs() == 30));
        tokio::time::sleep(Duration::from_secs(31)).await;
        assert!(hosts.enter("a.example", Duration::ZERO).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_requests_are_at_work_at_a_host_than_it_has_slots() {
        let hosts = Hosts::new(1);
        let held = hosts.enter("a.example", Duration::ZERO).await.unwrap();
        let waiting = hosts.enter("a.example", Duration::ZERO);
        assert!(tokio::time::timeout(Duration::from_secs(9), waiting).await.is_err());
        drop(held);
        assert!(hosts.enter("a.example", Duration::ZERO).await.is_ok());
    }
}
